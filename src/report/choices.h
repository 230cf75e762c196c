// Forced choices -> how likely each scripted agent's first turn was, and what that comes to: the propensity of each
// verdict and act, and what each factor changes of it.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "report/estimates.h"
#include "store/choice.h"

namespace assay {

class Choices {
 public:
  // Both must outlive it; the subjects' tallies say which cells there are. `codes` as the tallies have them.
  Choices(const std::vector<Subject>& subjects, const std::vector<const Code*>& codes)
      : subjects_(subjects), codes_(codes) {}

  // False, and nothing is added, for one of a cell, a scenario or an agent that the suite does not have.
  bool add(const ChoiceRecord& choice);

  // A row for each set of agents that began alike somewhere, by model, scenario and first agent.
  std::vector<AlternativeRow> alternatives() const;
  // What makes a turn likelier; agents of whom only common turns are compared stand together.
  std::vector<AlternativeEffectRow> alternative_effects() const;
  // Adds a subject's propensities, and the effects on them, to each code's summary. Of outcomes that no agent of a
  // scope shows nothing is said.
  void estimate(const Subject& subject, std::vector<CodeSummary>& out) const;

 private:
  struct Turn {
    std::vector<const Agent*> agents;
    size_t words;  // a hash of them
    int64_t tokens;
    double logprob, share, per_token;
  };
  struct Choice {
    int epoch;
    size_t cell;  // a place in Tally::cells()
    std::vector<Turn> turns;
  };
  struct Value;
  // An agent's turns that twins both have.
  struct Twins {
    std::vector<size_t> turns;  // Turn::words
    std::vector<Measured> log_ratios;
  };
  static void compare(const Turn& turn, const Choice& other, std::map<const Agent*, Twins>& of_each);
  bool shows(const Agent& agent, const Tally& tally, size_t cell, const OutcomeName& outcome, size_t code) const;
  Value value_of(const Choice& choice, const Tally& tally, const OutcomeName& outcome, size_t code) const;
  std::vector<OutcomeName> outcomes_of(const Scope& scope, CellSort sort, size_t code) const;
  const std::vector<Choice>* choices_of(const Tally& tally) const;
  std::vector<Measured> twins_of(const Scope& scope, const Change& change, CellSort sort, const OutcomeName& outcome,
                                 size_t code) const;
  void estimate(const Subject& subject, const Scope& scope, CellSort sort, size_t code, CodeSummary& out) const;

  const std::vector<Subject>& subjects_;
  const std::vector<const Code*>& codes_;
  std::map<const Tally*, std::vector<Choice>> choices_;
  // What agents were written to get, in a cell (of any subject's tally) and under a code: asked often, found once.
  mutable std::map<std::tuple<const Agent*, size_t, size_t>, Verdict> verdicts_;
};

}  // namespace assay
