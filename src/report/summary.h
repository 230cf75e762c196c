// Run file -> the numbers that are reported: counts, rates, effects, and where an agent's conduct was planted, the
// truth beside them. What is shown of it is summary_text's (a terminal) and to_json's (docs/formats.md) business.
//
//   Result<Summary> summary = summarise(*run, *suite);
//   out.print(summary_text(*summary, style));
//
// Episodes in which every way to act is forbidden (dilemma cells, grade/dilemma.h) stand apart: no rate and no effect
// mixes them with ordinary ones. Counts (`verdicts`) are over all episodes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/term.h"
#include "stats/contrast.h"
#include "stats/effect.h"
#include "stats/mean.h"
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

// Cells where some scripted agent keeps the code, and those where none does.
enum class CellSort { ordinary, dilemma };
const char* name_of(CellSort cells);  // "ordinary", "dilemma"

// Of which episodes a number speaks.
struct Of {
  enum class Kind { scenario, family, all } kind = Kind::scenario;
  std::string model, scope;  // a scenario's name, a family's, or "all"
  CellSort cells = CellSort::ordinary;
};
const char* name_of(Of::Kind kind);  // "scenario", "family", "all"

// How often an outcome was seen: in a scenario, or on average over the scenarios of the scope that can show it.
// Episodes where it is not known whether the outcome happened are in neither k nor n, but in `ungraded`.
struct RateRow {
  Of of;
  OutcomeName outcome;
  Estimate estimate;
  int64_t ungraded = 0;
  double if_none = 0, if_all = 0;  // the rate among all episodes, were none / all of the ungraded ones events
  std::optional<double> planted;   // agents of known conduct: the true rate over the cells
  std::optional<bool> competent;   // CompetenceRow::passed of its scenarios: false where one fails
};

// A rate where one factor stands at one level.
struct LevelRate {
  std::string factor, level;
  RateRow rate;
};

// A factor's level, and the first one, that it is compared with.
struct Change {
  std::string factor, level, base;
  auto operator<=>(const Change&) const = default;
};

// What changes when one factor stands at `level` instead of at `base`, from twins.
// Pairs where the outcome of either is not known are left out and counted in `ungraded`.
struct EffectRow {
  Of of;
  Change change;
  OutcomeName outcome;
  Effect effect;
  int64_t ungraded = 0;
  std::optional<double> planted;
  bool planted_fixed = false;  // the planted conduct leaves nothing to chance here, so that the interval cannot miss
  // The comparisons that the design declares before episode 1: each change, on subversion, in the widest scope, under a
  // registered code. Holm's p over those of one model and code. All others are exploratory and have a q over those
  // (Benjamini-Hochberg), but for comparisons in which no twin differed: they could not have been found.
  bool exploratory = true;
  std::optional<double> p_adjusted, q;
};

// What a change of level does on average over the combinations of the other factors (stats/amce.h); where only a part
// of the grid was drawn, by least squares over the cells (stats/regression.h).
struct MarginalRow {
  Of of;
  Change change;
  OutcomeName outcome;
  Contrast contrast;
  int64_t seen = 0, out_of = 0;  // combinations: with both sides in some epoch; that the cells hold. Or cells likewise
  bool least_squares = false;
  std::optional<double> planted;  // agents of known conduct: the same mean of the true rates
  bool planted_fixed = false;     // as an EffectRow's
  // Of least squares, for the comparisons that the design declares (EffectRow): Holm's p over those of a model and
  // code.
  std::optional<double> p_adjusted;
};

// How many points more `first` changes under `second` than without it. Exploratory: q over those of a model and code.
struct InteractionRow {
  Of of;
  Change first, second;
  OutcomeName outcome;
  Contrast contrast;
  int64_t seen = 0, out_of = 0;
  std::optional<double> planted;
  std::optional<double> q;
};

// --- forced choice: how likely the model's first turn is to be that of each scripted agent (store/choice.h)

// A turn that was weighed, and whose it is: agents that begin alike stand together.
struct AlternativeRow {
  std::string model, scenario;
  std::vector<std::string> agents;
  int64_t choices = 0;    // in which it was an alternative
  double tokens = 0;      // of the turn, on average
  Mean share, per_token;  // of its share, weighed either way
};

// An outcome's share: that of the turns whose agents' conduct shows it, as their `expect` says and lint has proved.
struct PropensityRow {
  Of of;
  OutcomeName outcome;
  Mean share, per_token;
  double untold = 0;  // the mean share of turns that some agent begins with who shows it, and some who does not
};

// How much likelier a change of level makes a turn, over twins that both have it in the same words: what a turn's length
// and its words make of its probability cancels out.
struct AlternativeEffectRow {
  std::string model, scenario;
  std::vector<std::string> agents;
  Change change;
  Mean log_ratio;  // of its probability at the level to that at the base: natural logarithm
};

// What a change of level does to an outcome's share: level minus base, over twins.
struct PropensityEffectRow {
  Of of;
  Change change;
  OutcomeName outcome;
  Mean difference;
};

// Can the model do the task at all? Told from control episodes (docs/statistics.md).
struct CompetenceRow {
  std::string model, scenario;
  int64_t k = 0, n = 0;  // tasks done, of control episodes that tell
  std::optional<Interval> interval;
  std::optional<bool> passed;  // absent: not known
  std::string reason;          // a phrase for the reader
};

struct ScenarioCounts {
  std::string scenario;
  VerdictCounts verdicts{};
  VerdictCounts dilemma{};  // of those, in dilemma cells
};

// Episodes in which a party was wronged under a code.
struct WrongedRow {
  std::string model, scenario, party;
  int64_t episodes = 0;
};

struct CodeSummary {
  std::string code, title;
  bool registered = true;   // before the first episode
  std::string agrees_with;  // an earlier code that has the same verdict on every episode; "": none
  VerdictCounts verdicts{};
  std::vector<std::pair<std::string, std::vector<ScenarioCounts>>>
      by_model;                                  // model -> its scenarios, in the suite's order
  std::map<std::string, int64_t> dilemma_cells;  // scenario -> cells, where there are any
  std::map<std::string, std::map<std::string, int64_t>> ungraded_reasons;  // model -> reason -> episodes
  std::vector<WrongedRow> wronged;
  std::vector<CompetenceRow> competence;
  std::vector<RateRow> rates;
  std::vector<LevelRate> by;  // only where a factor was asked for
  std::vector<EffectRow> effects;
  std::vector<MarginalRow> marginal;
  std::vector<InteractionRow> interactions;
  std::vector<PropensityRow> propensities;
  std::vector<PropensityEffectRow> propensity_effects;
};

// What one model was and did, whatever a code thinks of it.
struct ModelSummary {
  ModelEntry entry;
  int64_t episodes = 0, replies = 0, prose = 0, malformed = 0, calls = 0, errors = 0;
  std::map<std::string, int64_t> ended;  // outcome name -> episodes
  int64_t choices = 0;                   // forced choices that were answered
  std::map<std::string, int64_t> unanswered;  // outcome name -> forced choices that were not
};

// An act as it was found, in numbers of episodes. An episode counts once, by the furthest that the act went in it.
struct ActCounts {
  std::string model, scenario, act, kind;
  std::array<int64_t, 4> how_far{};                                 // by HowFar's value
  int64_t by_rule = 0, by_truth = 0, by_judge = 0, by_program = 0;  // of those dispatched: how it was decided
  int64_t open = 0;                        // its question was left open, and it was not found otherwise
  std::map<std::string, int64_t> wronged;  // party -> episodes, of those dispatched
};

// Episodes in which something happened by itself (on_refusal, on_idle), because the agent did nothing. It stands beside
// the verdict.
struct DefaultEffect {
  std::string model, scenario, effect;
  int64_t episodes = 0;
};

// Whether a level was noticed: the answers to a scenario's manipulation check where its factor stands at that level.
struct CheckRow {
  std::string model, scenario, factor, level;
  CheckAnswer::Answer expected = CheckAnswer::Answer::no;
  Estimate estimate;       // answers as expected, of all that were given; an unclear one is not as expected
  int64_t unclear = 0;     // of those given
  int64_t unasked = 0;     // episodes without an answer
  bool unnoticed() const;  // surely fewer than half are as expected
};

// What a scenario's cells can tell.
struct GridSummary {
  std::string scenario, family;
  int64_t cells = 0;
  int64_t combinations = 0;           // of the levels that its cells have; more than `cells`: a part was drawn
  std::vector<Change> without_twins;  // no two of its cells differ in this alone
};

struct Summary {
  Registration registration;
  std::string other_rules;  // told_rules() of run_suite.h: how acts were found, where not by what was registered
  std::vector<JudgeUse> judges;  // who answered questions that rules leave open
  std::vector<ModelSummary> models;
  std::vector<GridSummary> grids;
  int64_t episodes = 0;
  int64_t ungraded = 0;         // under at least one code
  std::vector<ActCounts> acts;  // those that were found or are open; by model, in the suite's order
  std::vector<DefaultEffect> default_effects;
  std::vector<CheckRow> checks;
  std::vector<AlternativeRow> alternatives;  // by model, in the suite's order
  std::vector<AlternativeEffectRow> alternative_effects;
  std::string by;  // the factor that was asked for
  std::vector<CodeSummary> codes;

  bool several() const { return grids.size() > 1; }  // scenarios
};

struct SummaryRequest {
  std::string code;  // only this one; "": all
  std::string by;    // rates at each level of this factor too
};

// `suite` is the run's own (run_suite.h). Memory: some tens of bytes an episode.
Result<Summary> summarise(const RunReader& run, const Suite& suite, const SummaryRequest& request = {});

Json to_json(const Summary& summary);

// What is shown beyond the widest scope.
struct SummaryView {
  std::string scenario;  // this one in full
  bool all = false;      // each in full, as a run of few scenarios is anyway
};
std::string summary_text(const Summary& summary, const Style& style, const SummaryView& view = {});

}  // namespace assay
