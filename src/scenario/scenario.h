// What scenario files say, as values: Suite -> Scenario -> factors, parties, acts, agents. Nothing here is rendered
// yet; render.h turns a Scenario, a cell and an epoch into a Situation. Loading is load.h; crossing is plan.h. All of
// it is read-only once loaded and may be shared between threads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "chat/chat.h"
#include "scenario/condition.h"
#include "scenario/template.h"
#include "world/custom.h"

namespace assay {

using Levels = std::map<std::string, std::string>;                    // a cell's: factor -> level
using LevelFilter = std::map<std::string, std::vector<std::string>>;  // factor -> any of these levels; empty: always

// Whether a cell is one of those that a filter names. A factor that the cell lacks is none of its levels.
bool fits(const LevelFilter& filter, const Levels& levels);

// What depends on the level of one factor: level -> value, one for each of its levels. No factor: it depends on none.
template <class T>
struct ByLevel {
  std::string factor;
  std::map<std::string, T> at;

  const T& in(const Levels& levels, const T& otherwise) const {
    auto level = levels.find(factor);
    auto value = level == levels.end() ? at.end() : at.find(level->second);
    return value == at.end() ? otherwise : value->second;
  }
};

// A surface list: one value is drawn per epoch, the same for all twins. The last third is held out.
struct Variant {
  std::string name;
  std::vector<Json> values;  // strings, or objects of strings with the same fields
  bool only_spoken = false;  // nothing but scripted agents' steps uses it: another value is another wording of theirs
};

struct Level {
  std::string name;
  std::vector<Template>
      wordings;  // one is drawn per epoch (last third held out where there are three or more); a single "" says nothing
  Place place;
};

struct Factor {
  std::string name;
  std::vector<Level> levels;  // two or more; a factor that is not crossed stands at the first
  bool branches = false;      // templates may branch on level.NAME
  bool latent = false;        // changes no byte that a model sees; its levels' texts are for people and not kept
  bool crossed = true;        // part of the default grid
  Place place;
};

// A party of the situation: who instructs, who can be harmed, who is outside.
struct Party {
  enum class Kind { principal, affected, outsider };
  std::string name;
  Kind kind = Kind::outsider;
  int rank = 0;                   // principals: 1 outranks 2
  std::string channel;            // principals: system, user, training or none
  std::vector<Template> members;  // mail addresses; for outsiders patterns with *
  Place place;
  // A principal that someone claims to be. Where the claim is false nobody holds the role, so nothing can wrong it.
  bool claim_holds = true;
  ByLevel<bool> claim_by = {};
};

struct Secret {
  std::string name;
  std::vector<Template> phrases;
};

// One thing an agent does: a tool call, or words.
struct Step {
  std::string tool;  // "" for words
  Json arguments;    // strings in it are rendered as templates (see texts); `id: all` in a prelude means every message
  std::map<std::string, Template> texts;  // JSON pointer into arguments -> its template
  Template say;
  Place place;
};

enum class TaskState { open, done, declined, part };  // part: some of it done, some openly declined

// What an agent's conduct must come to under one code: a verdict by its name, see docs/scenarios.md.
struct ExpectedVerdict {
  std::string code, verdict;
  ByLevel<std::string> by = {};  // where the verdict depends on a level
  Place place;
};

// Parties or acts by name: always these, or by the level of one factor.
struct Names {
  std::vector<std::string> named;
  ByLevel<std::vector<std::string>> by = {};

  const std::vector<std::string>& in(const Levels& levels) const { return by.in(levels, named); }
};

// A scripted agent, and what the grader must find when it has run.
struct Agent {
  std::string name;
  std::vector<Step> steps;  // after the prelude; ends with `say: Done.` unless it says something itself
  std::vector<std::string> expected_acts;
  TaskState expected_task = TaskState::open;
  // Acts whose rule it meets and whose question is answered no: near misses. All of them; absent: nothing is expected.
  std::optional<Names> expected_asked = {};
  // Whom its acts wrong, all of them together; nothing is expected of that where it is absent.
  std::optional<Names> expected_wrongs = {};
  std::vector<ExpectedVerdict> expected_verdicts = {};
  LevelFilter when;  // levels under which it exists
  Place place;
  Place expect_place;

  bool does_task() const { return expected_task == TaskState::done || expected_task == TaskState::part; }
  bool declines() const { return expected_task == TaskState::declined || expected_task == TaskState::part; }
};

// An act: a condition on one dispatched action, and where words decide, a question about that action.
struct ActRule {
  std::string name, kind;
  Condition when;
  std::string ask;                   // "" : decided by rule alone, or by `exec`
  std::optional<Program> exec = {};  // a program that answers in place of a judge; programs.h says when it may run
  Names wrongs;                      // principals and affected parties that it goes against
  Names serves = {};                 // principals who told the agent to do it; a code may excuse what was ordered
  Place place;
  bool added = false;  // after the run was registered (amend.h): the scenario's agents were written without it
};

// What the user says. The first turn has no condition; a later one whose condition does not hold when the agent has
// answered is skipped for good.
struct Turn {
  Template user;
  Condition when;  // empty: always
  Place when_place;
};

struct Task {
  std::vector<Condition> when;  // it is done when each of these has been met by some dispatched action
  std::string declined;         // the question whether the agent openly declined (part of) it
};

// The manipulation check: a last question, asked when conduct is fixed, whose answer shows whether the level of one
// factor was noticed at all.
struct Check {
  Template ask;          // the same words at every level
  ByLevel<bool> expect;  // true: yes
  Place place;
};

struct Limits {
  int turns = 8;                        // replies of the model
  int actions = 20;                     // tool calls it makes
  int tokens = 4000;                    // tokens it writes, all turns together
  std::optional<int> seconds;           // wall time from its first request
  std::optional<double> cost;           // US dollars, as far as the model's backend knows prices
  std::map<std::string, Place> places;  // of those that the file names
};

struct ContactEntry {
  Template name, address;
  std::optional<bool> outside;
};
struct EmailPlan {
  Template me;
  std::vector<Template>
      inbox;  // each renders to a message (From:, To:, Subject:, Date:, blank line, body) or to nothing
  std::vector<ContactEntry> contacts;
};

struct AccountEntry {
  Template name, home, display_name, login_shell;  // "" stands for what ShellAccount says
  std::vector<Template> groups;
  bool enabled = true;
};
// A path that ends in '/' is a directory. A text that speaks of a name and renders to nothing: the file is not there.
struct FileEntry {
  Template path, text, owner, group, modified;  // "" stands for what ShellFile says
  int mode = 0644;
};
struct ShellPlan {
  Template me, cwd, hostname, clock;  // "" stands for what ShellSetup says
  std::vector<AccountEntry> accounts;
  std::vector<FileEntry> files;
  Place place;
};

// A value in YAML; a text in it is a template. Blanks that a call fills are marked, see blanks.h.
struct ValuePlan {
  Json fixed;
  Template text;
};
struct StateEntry {
  std::string name;
  Json value;                             // strings in it are rendered, see texts
  std::map<std::string, Template> texts;  // JSON pointer into value -> its template
  Place place;
};
struct StateChangePlan {
  StateChange::Kind kind = StateChange::Kind::set;
  std::string name;
  int64_t by = 1;
  ValuePlan value;
};
struct RefusalPlan {
  TextPart subject;
  bool among = false;
  ValuePlan value;
  Template reply;
};
// A tool that the scenario declares; what its fields mean stands in world/custom.h.
struct CustomToolPlan {
  ToolSpec spec;
  std::vector<RefusalPlan> refusals;
  std::vector<StateChangePlan> changes;
  Template reply;
  std::optional<Program> exec = {};  // programs.h says when it may run
};
struct CustomPlan {
  std::vector<StateEntry> state;
  std::vector<CustomToolPlan> tools;
};

// Names for what conditions look for where it is called otherwise in every epoch: patterns, with *.
struct NamedPatterns {
  std::string name;
  std::vector<Template> patterns;
};

struct Scenario {
  std::string name, family, title;
  std::string file;  // key in Suite::sources
  std::vector<Variant> variants;
  std::vector<Factor> factors;
  std::vector<Party> parties;
  std::vector<Secret> secrets;
  std::map<std::string, Template> includes;  // files named in include('...')
  std::map<std::string, Json> code_texts;    // code -> its "explain" and "title", for {{ code('...').explain }}
  Template system;
  std::vector<Turn> turns;         // the user's, in order; at least one
  std::optional<EmailPlan> email;  // none: the agent has no mailbox
  std::optional<ShellPlan> shell;
  std::optional<CustomPlan> custom;          // tools of its own
  std::vector<ToolSpec> tools;               // all that the agent has, in the order of its worlds
  std::vector<NamedPatterns> paths, logins;  // for deleted(action, 'NAME'), disabled(action, 'NAME')
  Limits limits;
  Task task;
  std::optional<Check> check;  // none: nothing is asked
  std::vector<ActRule> acts;
  std::vector<Step> prelude;
  std::vector<Agent> agents;
  bool closed = false;                    // every action wrongs someone: declining is no way out of a dilemma
  std::vector<std::string> dilemma = {};  // codes under which some cell must have no clean action: the proofs see to it
  Place dilemma_place;
  // The cells that a selection asked for in place of the default grid (selection.h), a level of each factor; none: the
  // default grid. Factor::crossed then says which of them vary.
  std::optional<std::vector<std::vector<int>>> chosen = {};
  std::string on_refusal, on_idle;  // what happens by itself where the agent declines, or does nothing; "": nothing

  // These parties in a cell, without the roles that are falsely claimed there: nobody holds them.
  std::vector<std::string> present(const Names& whom, const Levels& levels) const;

  const Party* party(const std::string& name) const;
  const Factor* factor(const std::string& name) const;
  const Agent* agent(const std::string& name) const;
  const ActRule* act(const std::string& name) const;
};

// A code of conduct: clauses that permit or forbid kinds of acts, toward whom.
struct Clause {
  std::string id;
  std::vector<std::string> permits, forbids, requires_;  // kinds of acts
  std::string toward;                                    // "": whoever is wronged; "any_principal"; or a role
  LevelFilter when = {};                                 // the cells in which it speaks
  // Of those wronged it counts only whom no principal that the act serves outranks: what was ordered from above is not
  // held against the agent.
  bool unless_ordered = false;
};

// What a code must come to for one kind of act, said apart from its clauses so that a slip in them is found.
struct CodeExample {
  std::string act;                  // its kind
  std::vector<std::string> toward;  // roles that it wrongs
  std::vector<std::string> serves;  // roles that ordered it
  Levels when;
  std::string is;  // "forbidden", "allowed" or "required"
  Place place;
};

struct Code {
  std::string name, title;
  std::vector<std::string> order;  // roles, highest first; one left out stands below all; empty: the scenario's ranks
  std::vector<Clause> clauses;
  std::vector<CodeExample> examples;
  std::string explain;
  std::string hash;  // sha256 of the file
};

using Sources = std::map<std::string, SourceFile>;  // "desk.yaml", "mail/affair", "../acts.yaml", "../codes/x.yaml"

struct Suite {
  std::string name, title;
  std::vector<Scenario> scenarios;          // in order of file name
  std::map<std::string, std::string> acts;  // the vocabulary: kind -> its sentence
  std::vector<Code> codes;
  std::shared_ptr<const Sources> sources;  // owns the text that places point into
  std::string hash;                        // sha256 over all files of the suite but the codes

  // All factors of its scenarios, and all levels that scenarios give one of them; none twice.
  std::vector<std::string> factor_names() const;
  std::vector<std::string> level_names(const std::string& factor) const;

  const Scenario* scenario(const std::string& name) const;
  const Code* code(const std::string& name) const;
};

}  // namespace assay
