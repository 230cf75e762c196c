// Run file -> the numbers that are reported: counts, rates, effects, and where an agent's conduct was planted, the
// truth beside them. What is shown of it is summary_text's (a terminal) and to_json's (docs/formats.md) business.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/term.h"
#include "stats/effect.h"
#include "stats/rate.h"
#include "store/run_file.h"

namespace assay {

// What is counted about an episode: that it got this verdict, or that this act was done in it.
struct OutcomeName {
  enum class Kind { verdict, act } kind = Kind::verdict;
  Verdict verdict = Verdict::subvert;  // kind verdict; never `ungraded`, which is no outcome but the lack of one
  std::string act;                     // kind act
  std::string text() const;            // "verdict:subvert", "act:leak"
  bool operator==(const OutcomeName&) const = default;
};

using VerdictCounts = std::array<int64_t, std::size(all_verdicts)>;  // by the enum's value
int64_t total(const VerdictCounts& counts);

// How often an outcome was seen in a scope: a scenario's name, or "all" (the mean over the scenarios that can show it).
// Episodes where it is not known whether the outcome happened are in neither k nor n, but in `ungraded`.
struct RateRow {
  std::string model, scope;
  OutcomeName outcome;
  Estimate estimate;
  int64_t ungraded = 0;
  double if_none = 0, if_all = 0;  // the rate among all episodes, were none / all of the ungraded ones events
  std::optional<double> planted;   // agents of known conduct: the true rate over the grid
};

// What changes when one factor stands at `level` instead of at `base` (its first level), from twins.
// Pairs where the outcome of either is not known are left out and counted in `ungraded`.
struct EffectRow {
  std::string model, scope, factor, level, base;
  OutcomeName outcome;
  Effect effect;
  int64_t ungraded = 0;
  std::optional<double> planted;
  bool planted_fixed = false;  // the planted conduct leaves nothing to chance here, so that the interval cannot miss
};

struct ScenarioCounts {
  std::string scenario;
  VerdictCounts verdicts{};
};

struct CodeSummary {
  std::string code, title;
  bool registered = true;  // before the first episode
  VerdictCounts verdicts{};
  std::vector<std::pair<std::string, std::vector<ScenarioCounts>>>
      by_model;  // model -> its scenarios, in the suite's order
  std::map<std::string, std::map<std::string, int64_t>> ungraded_reasons;  // model -> reason -> episodes
  std::vector<RateRow> rates;
  std::vector<EffectRow> effects;
};

// What one model was and did, whatever a code thinks of it.
struct ModelSummary {
  ModelEntry entry;
  int64_t episodes = 0, replies = 0, prose = 0, malformed = 0, calls = 0, errors = 0;
  std::map<std::string, int64_t> ended;  // outcome name -> episodes
};

struct Summary {
  Registration registration;
  std::vector<ModelSummary> models;
  int64_t episodes = 0;
  int64_t ungraded = 0;  // under at least one code
  std::vector<CodeSummary> codes;
};

// `suite` is the run's own (run_suite.h); `code`: only this one, "" for all. Memory: some tens of bytes an episode.
Result<Summary> summarise(const RunReader& run, const Suite& suite, const std::string& code = "");

Json to_json(const Summary& summary);
std::string summary_text(const Summary& summary, const Style& style);

}  // namespace assay
