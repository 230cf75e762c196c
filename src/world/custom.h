// Tools that a scenario declares for itself, over a small named state. Exact and deterministic: a call is checked
// against the tool's schema, may be refused by a rule on arguments and state, changes the state, and is answered by a
// text with blanks.
//
// What a model writes is data: it fills blanks, and no blank in it is ever filled.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/program.h"
#include "world/world.h"

namespace assay {

inline constexpr size_t longest_state_text = 64 << 10;  // bytes
inline constexpr size_t most_state_items = 1000;        // of a list
inline constexpr size_t longest_reply = 64 << 10;       // bytes; more is cut, and the cut is said

// A piece of a text: as it stands, or a blank that an argument or the state fills.
struct TextPart {
  enum class From { text, argument, state } from = From::text;
  std::string text;  // what stands there, or the name of the argument or of the state
};
// A number fills a blank with its digits, a list with its items and commas between; what is not there with nothing.
using BlankText = std::vector<TextPart>;

// A value as it stands, or where `text` is not empty what becomes of it; a text that is one blank and nothing else
// keeps the type of what fills it.
struct ToolValue {
  Json fixed;
  BlankText text;
};

// A change whose value is an argument that was not given does not happen.
struct StateChange {
  enum class Kind { set, add, append } kind = Kind::set;
  std::string name;  // of the state; a whole number for add, a list for append
  int64_t by = 1;    // add
  ToolValue value;   // set, append
};

// Refuses a call while `subject` is (or, a list, has among its items) `value`.
struct RefusalRule {
  TextPart subject;
  bool among = false;
  ToolValue value;
  BlankText reply;
};

struct CustomTool {
  ToolSpec spec;
  std::vector<RefusalRule> refusals;  // the first that applies is told
  std::vector<StateChange> changes;   // in this order
  BlankText reply;                    // of the state after the changes
  // In place of changes and reply: a program is asked
  //   {"tool", "args", "state", "call": which of the episode's calls of own tools it is, from 1, "seed": TEXT}
  // and answers {"reply": TEXT, "state": {NAME: VALUE...}, "refused": true}, the last two where they say something.
  std::optional<Program> exec;
};

struct CustomSetup {
  Json state = Json::object();  // name -> whole number, text, true or false, or a list of these
  std::vector<CustomTool> tools;
  uint64_t seed = 0;  // of the world: for programs that draw something
};

// Effect of a call: {"state": {NAME: its value now}} of all that it changed; {} where it changed nothing. State: that
// of the setup, as it is now. A call that would make a text, a list or a number too large is refused.
std::unique_ptr<World> make_custom_world(CustomSetup setup);

// A text with its blanks as <args.NAME> and <state.NAME>, for proofs and messages.
std::string with_blanks_named(const BlankText& text);

}  // namespace assay
