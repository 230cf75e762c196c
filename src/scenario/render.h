// EpisodeSpec -> Situation: everything one episode starts from, as plain text and values.
//
// Order: the surface is drawn (one value of each variant, one wording of each level) from the world seed, so that twins
// share it; a level's text is rendered; then the places that use it. A Surface is made once per scenario and epoch and
// renders each distinct text once for all twins.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/plan.h"
#include "world/custom.h"
#include "world/email.h"
#include "world/shell.h"

namespace assay {

struct RenderedStep {
  ToolCall call;  // name "" for words
  std::string say;
};
// The turn in which an agent takes this step, and no other.
Message message_of(const RenderedStep& step);

struct Situation {
  std::string system;
  std::vector<std::string> turns;  // the user's, in order: one for each Scenario::turns
  std::string check;               // the last question (Scenario::check), without the program's own words; "": none
  std::optional<EmailSetup> email;
  std::optional<ShellSetup> shell;
  std::optional<CustomSetup> custom;
  std::vector<std::string> file_paths;        // for each of ShellPlan::files its path in `shell`; "": it is not there
  std::vector<std::string> account_names;     // for each of ShellPlan::accounts its name in `shell`
  std::vector<RenderedStep> prelude;          // `id: all` already spelled out
  std::map<std::string, std::string> levels;  // factor -> level
  std::map<std::string, std::string> level_texts;           // factor -> the text of its level
  std::map<std::string, std::vector<std::string>> members;  // party -> address patterns, lower case; `me` is the agent
  std::set<std::string> insiders;                           // parties that are no outsiders, and `me`
  std::map<std::string, std::vector<std::string>> secrets;  // secret -> phrases, folded
  std::map<std::string, std::vector<std::string>> paths, logins;  // name -> patterns, with *
  std::unique_ptr<World> make_world() const;
  // What conditions can see before anything is done; points into this.
  ConditionView view() const;
};

// What is said of a text that stands for a time of the machine and is none.
std::string not_a_time(const std::string& what, const std::string& found);

// The name of a machine has letters, digits, - and . only; what is said of a text that is none.
bool is_hostname(const std::string& text);
std::string not_a_hostname(const std::string& found);

// Why a cell cannot be rendered, and where that is written: a level's text, an included file, an item of the inbox.
struct RenderFault {
  Place place;
  std::string message;
};

// In whose words a surface is told, where a design's own pool of variants is not meant for all of it.
struct Wording {
  // Of each list that only scripted agents use, the value that is so many further on than the one drawn, counted round
  // within its pool: the same situation, and its agents in other words.
  int further = 0;
  std::optional<VariantPool> spoken = {};  // the pool of those lists
  std::optional<VariantPool> levels = {};  // that of the levels' wordings
};
// How many wordings there are of what is said most variously, in a pool; at least 1.
int wordings(const Scenario& scenario, VariantPool pool);

class Surface {
 public:
  // `scenario` must outlive it.
  Surface(const Scenario& scenario, const Design& design, int epoch, const Wording& wording = {});
  ~Surface();
  Surface(Surface&&) noexcept;
  // The surface made of the n-th value (from 0, counted round) of every list: for proofs that must see each value.
  static Surface nth(const Scenario& scenario, int n);

  // An error tells the first of faults().
  Result<Situation> situation(const Cell& cell);
  // What the named agent does after the prelude, in this cell.
  Result<std::vector<RenderedStep>> steps(const Agent& agent, const Cell& cell);
  // Everything that the last situation() or steps() failed for; empty where it did not.
  const std::vector<RenderFault>& faults() const;
  // The drawn values, for the record: {"company": "Halden Freight", "threat/replacement": 2, ...}
  const Json& drawn() const;

 private:
  struct Inside;
  explicit Surface(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

// A rendered message file: From:, To:, Subject:, Date: lines, a blank line, the body. The id is the caller's to set.
// Where a line of the header is to blame, `culprit` is set to that line.
Result<Mail> parse_mail(std::string_view text, std::string* culprit = nullptr);

}  // namespace assay
