// The run file: one SQLite database that holds a run whole - what was registered before the first episode, the suite's
// own files, every episode's words and actions, and what graders added. docs/run_file.md has the schema.
//
// One process writes (an advisory lock on NAME.lock); readers never wait. An episode is there whole or not at all.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "scenario/plan.h"
#include "store/choice.h"
#include "store/record.h"

namespace assay {

// What one command registered: the first one of the run, or a later one that asked for more. All of it was fixed before
// any episode that only it asked for.
struct Commitment {
  std::string created;              // UTC, ISO 8601
  std::string version;              // of assay
  int epochs = 0;                   // as that command said
  Selection cells;                  // likewise
  std::vector<std::string> models;  // likewise: their ids
  int64_t first_episode = 1;        // every episode from this id on was stored after it, every earlier one before
};

struct ModelEntry {
  std::string id;                    // "policy:cornered", "gguf:SmolLM2-135M-Instruct.Q4_1.gguf"
  Json settings = Json::object();    // effective: sampling, context, tool format, hashes
  std::optional<SourceFile> policy;  // models of known conduct: the file
  Json card = {};                    // organisms: their card (scenario/organism_card.h); null for all others
};

// Written before episode 1; what the numbers mean hangs on it.
struct Registration {
  std::string suite;  // name
  std::string suite_hash;
  std::vector<std::pair<std::string, std::string>> codes;  // name, hash
  Design design;                                           // epochs and cells may grow later; nothing else may change
  Sources sources;                                         // the suite's files, so that the run file needs no folder
  std::string version;                                     // of assay
  std::string created;                                     // UTC, ISO 8601
  Json machine = Json::object();                           // cpu, cores, system
  std::optional<ModelEntry> judge = {};                    // who answers the questions of grading; none: nobody
  // Of a run file that was read: what was registered when, the start first. `design` has the most that any of them
  // asked for. Empty in a command.
  std::vector<Commitment> history = {};
};

// Whether a code of conduct is one of those that were registered: the same name, and the same words.
bool is_registered(const Registration& registration, const std::string& code, const std::string& hash);

// Whether a judge is the one that was registered: the same model, under the same settings.
bool is_registered(const Registration& registration, const ModelEntry& judge);

// A judge that answered questions about the episodes of a run.
struct JudgeUse {
  ModelEntry judge;         // without a policy
  int64_t yes = 0, no = 0;  // questions that it decided
  int64_t unknown = 0;      // and those that it did not
};

// By what the stored grades were made, where that was not the run alone: what `assay grade` was given last. A whole
// suite follows from it and the registration; suite_of() of report/run_suite.h makes it.
struct Grading {
  int64_t id = 0;                     // 0: the run itself graded, by what was registered
  std::string created;                // UTC, ISO 8601
  std::string version;                // of assay
  std::optional<std::string> folder;  // another suite's, as it was named; none: the registered one
  std::string suite_hash;             // of the suite that gave the rules
  Sources suite;                      // its files; empty where it is the registered one
  std::optional<SourceFile> acts;     // acts on top of its scenarios' own
  std::vector<SourceFile> codes;      // codes on top of its own; a file's name without .yaml is the code's
  // Whether acts, tasks and parties are those that were registered before the first episode. Codes are asked one by
  // one: is_registered().
  bool by_registered_rules(const Registration& registration) const;
};

using EpisodeKey = std::tuple<std::string, int64_t, int, std::string>;  // scenario, cell, epoch, model

// Keys of episodes, 16 bytes each.
class EpisodeSet {
 public:
  void add(const EpisodeKey& key);  // any number of times
  void seal();                      // after the last add() and before the first has()
  bool has(const EpisodeKey& key) const;
  size_t size() const { return rows_.size(); }

 private:
  struct Row {
    int64_t cell;
    int32_t epoch;
    int32_t kind;  // of kinds_
    auto operator<=>(const Row&) const = default;
  };
  std::map<std::pair<std::string, std::string>, int32_t> kinds_;  // scenario and model
  std::vector<Row> rows_;                                         // in order once sealed
};

class RunWriter {
 public:
  // Creates `path`, or opens it to go on; an older version's file becomes one of this version. Refused, with the
  // difference shown, where it was registered otherwise (more epochs, more models, and cells that hold all of the
  // registered ones are welcome, and noted in its history), where its grades were made by other rules than the
  // registered ones, where it is no run file or a newer one, and where another process writes to it.
  static Result<std::unique_ptr<RunWriter>> open(const std::string& path, const Registration& registration,
                                                 const std::vector<ModelEntry>& models);
  virtual ~RunWriter() = default;                         // waits for what was appended
  virtual const EpisodeSet& present() const = 0;          // episodes that were there when it was opened
  virtual const EpisodeSet& present_choices() const = 0;  // forced choices, likewise
  virtual const Grading& grading() const = 0;  // by what those were graded; the rules are the registered ones
  // Cells that this command added to the registered ones; 0 where the file is new.
  virtual int64_t added_cells() const = 0;
  // Hands an episode to the store's thread; waits only while more than a few hundred are queued. Groups are committed
  // together, at the latest after half a second. After a failure (a full disk) nothing more is written, and finish()
  // says why.
  virtual void append(EpisodeRecord record) = 0;
  virtual void append(ChoiceRecord record) = 0;  // likewise
  virtual bool failed() const = 0;               // stop running: what is appended now is lost
  // Writes what is left. After this nothing may be appended.
  virtual Status finish() = 0;
};

// A row of the list, without words.
struct EpisodeSummary {
  int64_t id = 0;  // from 1, in the order in which episodes were stored
  std::string scenario, model, outcome, played_agent;
  int64_t cell = 0;  // Cell::index
  int epoch = 0;
  std::map<std::string, std::string> levels;
  std::vector<VerdictRow> verdicts;
  std::vector<Act> acts;                    // without quotes
  std::vector<std::string> open_questions;  // acts whose question nobody answered
  std::optional<CheckAnswer> check;         // none: nothing was asked
  int turns = 0;                            // replies, that to a check apart
  int prose = 0, malformed = 0,
      calls = 0;  // replies in plain words, calls that could not be read, calls made (prelude apart)
};

class RunReader {
 public:
  static Result<std::unique_ptr<RunReader>> open(const std::string& path);
  virtual ~RunReader() = default;
  virtual const Registration& registration() const = 0;
  virtual const std::vector<ModelEntry>& models() const = 0;
  virtual const Grading& grading() const;  // by what the episodes were graded; the run itself unless said otherwise
  virtual std::vector<JudgeUse> judges() const { return {}; }  // in the order in which they first answered
  virtual int64_t episodes() const = 0;
  virtual Status each_summary(const std::function<void(const EpisodeSummary&)>& visit) const = 0;  // in order of id
  virtual Result<EpisodeRecord> episode(int64_t id) const = 0;  // whole; an error where there is none
  // Forced choices, in the order in which they were stored.
  virtual Status each_choice(const std::function<void(const ChoiceRecord&)>&) const { return Done{}; }
};

}  // namespace assay
