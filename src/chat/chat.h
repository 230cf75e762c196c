// The words that are exchanged with a model, as plain values. No behaviour, no ownership beyond the strings themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace assay {

// What the model may call. `parameters` is a JSON Schema of type object.
struct ToolSpec {
  std::string name;         // [A-Za-z0-9_-]+
  std::string description;  // one sentence
  Json parameters = Json::object();
};

struct ToolCall {
  std::string id;  // unique in its episode; "" until the episode gives it one
  std::string name;
  Json arguments = Json::object();  // anything the model sent; the world checks it
  bool operator==(const ToolCall&) const = default;
};

enum class Role { system, user, assistant, tool };

struct Message {
  Role role = Role::user;
  std::string text;
  std::string reasoning;        // assistant only: kept apart from words, never an act
  std::vector<ToolCall> calls;  // assistant only
  std::string call_id;          // tool only: the call this answers ("" after a call that could not be read)
  std::string tool;             // tool only: that call's tool
  bool given = false;           // part of a given prelude: the model did not write it, and it never counts
  bool check = false;           // the question of the manipulation check, or its answer: conduct was over by then
  bool operator==(const Message&) const = default;
};

// Why a model stopped writing.
enum class StopReason {
  end,     // it ended its turn
  calls,   // it ended its turn with tool calls
  length,   // the token limit of this reply
  grammar,  // the grammar that it was held to left it nothing else to write
};

struct Usage {
  int64_t prompt_tokens = 0;      // in the prompt, whether computed or found in a cache
  int64_t cached_tokens = 0;      // of those, found in a cache
  int64_t completion_tokens = 0;  // written
  double cost = 0;                // US dollars; 0 where nothing is paid or no price is known
  bool operator==(const Usage&) const = default;
};

// One token that was written, and how likely it was: natural logarithms of probabilities at temperature 1, before
// top-p, min-p or a grammar took anything away.
struct TokenLogprob {
  int32_t token = 0;  // its number in the model's vocabulary; -1 where an API does not say
  std::string bytes;  // what it stands for; may be a part of a character
  double logprob = 0;
  bool operator==(const TokenLogprob&) const = default;
};
struct WrittenToken : TokenLogprob {
  std::vector<TokenLogprob> top;  // the likeliest ones there, likeliest first; as many as were asked for
  bool operator==(const WrittenToken&) const = default;
};

// One turn of a model.
struct Reply {
  std::string text;             // words for the reader; "" where the turn is only calls
  std::string reasoning;        // thoughts, where the model keeps them apart
  std::vector<ToolCall> calls;  // tool calls that could be read
  std::string malformed;        // why a call that was tried could not be read ("" if none); goes back as a tool error
  std::string raw;              // exactly what the model wrote, before it was parsed
  bool prose = false;           // generic tool format: it wrote plain words instead of a {"say": ...}
  StopReason stop = StopReason::end;
  Usage usage;
  std::vector<WrittenToken> logprobs;  // of all that was written, where they were asked for
  // Set by models of known conduct alone: the scripted agent that is being played. It answers the questions of grading.
  std::string played_agent;
};

const char* name_of(Role role);  // "system", "user", "assistant", "tool"
std::optional<Role> role_named(const std::string& name);
const char* name_of(StopReason reason);  // "end", "calls", "length", "grammar"

Json to_json(const ToolCall& call);
Json to_json(const ToolSpec& tool);

// As the list "content" of an OpenAI chat completion's logprobs, which every tool of the field reads: "token" (text, with
// U+FFFD where it is a part of a character), "bytes", "logprob" and "top_logprobs"; and beside these the "id". A
// probability of nothing at all has the logprob null.
Json to_json(const std::vector<WrittenToken>& tokens);
// Back; none where it is no such list.
std::optional<std::vector<WrittenToken>> tokens_from(const Json& json);

}  // namespace assay
