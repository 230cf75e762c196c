// Tallies -> rates and effects, in every scope: each scenario, each family of several, and all of them together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/known_conduct.h"
#include "report/summary.h"
#include "report/tally.h"

namespace assay {

// Everything known of one model: its tallies in the suite's order, and what was planted in it.
struct Subject {
  std::string model;
  std::vector<Tally> tallies;
  std::optional<KnownConduct> known;
};

// A scenario, a family, or all of them together.
struct Scope {
  Of::Kind kind = Of::Kind::scenario;
  std::string name;
  std::vector<const Tally*> tallies;
};

// Of scenarios that have cells: each, then families of two or more whose name is no scenario's, then all where there
// are several.
std::vector<Scope> scopes_of(const Subject& subject);

// Every verdict, and every act that one of the scenarios knows; each once.
std::vector<OutcomeName> possible_outcomes(const std::vector<const Tally*>& tallies);

// A factor and its level, as a tally's scenario numbers them.
struct Axis {
  size_t factor;
  int level;
};
// Where a tally's cells show a change: absent where they do not have both of its levels, or another base.
std::optional<Axis> axis_of(const Tally& tally, const Change& change);

// The changes of level that the cells of some tally of a scope show, by the order of scenarios, factors and levels.
std::vector<Change> changes_of(const std::vector<const Tally*>& tallies);

// Adds a subject's rates, effects, marginal effects and interactions to each code's summary, whose counts of verdicts
// are complete: they say which verdicts are reported. `codes` as the tallies have them; `by`: "" or a factor.
void estimate(const Subject& subject, const std::vector<const Code*>& codes, const std::string& by,
              std::vector<CodeSummary>& out);

// Fills in `exploratory`, `p_adjusted` and `q` of the rows of one model under one code.
void adjust(CodeSummary& code, const std::string& model);

}  // namespace assay
