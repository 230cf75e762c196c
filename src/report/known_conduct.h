// What is known of a model's conduct before anything is measured. Of an agent of known conduct (policy:FILE) that is
// its policy, which is the truth. An organism's policy was planted in a network, which does something near it: what was
// planted stands beside what is true of it, both from its card.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "scenario/organism_card.h"
#include "scenario/policy.h"
#include "stats/interval.h"
#include "store/run_file.h"

namespace assay {

// The probability of an outcome in a cell, from the network's own.
struct TrueRate {
  double value = 0;   // on the tree: of what some agent does there
  Interval within{};  // by draw, at the level that was asked for; what is off the tree may be the outcome, too
  int64_t draws = 0;
};

class KnownConduct {
 public:
  // Nothing of a model whose conduct is not known. Errors: this version cannot read what another one stored.
  static Result<std::optional<KnownConduct>> of(const ModelEntry& entry, const Registration& run);

  // Whether an agent's conduct shows the outcome that is asked about.
  using Shows = std::function<bool(const Agent&)>;

  const Policy& policy() const { return policy_; }  // without rules: what was planted does not fit this suite
  const OrganismCard* card() const { return card_ ? &*card_ : nullptr; }  // null: a policy is all that there is

  // Whether anything was planted in a scenario: an organism is told nothing of families that it was not trained on.
  bool speaks_of(const Scenario& scenario) const { return !card_ || card_->trained(scenario); }

  // The planted probability. An organism's is that of its card's table, in which quirks are counted; where the table
  // lacks the cell, its policy's, if it has no quirks. Absent where nothing was planted.
  std::optional<double> planted(const Scenario& scenario, const Cell& cell, const Shows& shows) const;

  // Of organisms. Why none of its true rates holds for this run; "" where they do.
  const std::string& no_truth() const { return no_truth_; }
  // Absent where no_truth(), for a cell that the card's table lacks, and for conduct that no agent of the scenario has.
  std::optional<TrueRate> truth(const Scenario& scenario, const Cell& cell, const Shows& shows, double level) const;

 private:
  // The table's row for a cell whose conducts are all some agent's; else null.
  const OrganismCard::Cell* row_of(const Scenario& scenario, const Cell& cell) const;

  Policy policy_;
  std::optional<OrganismCard> card_;
  std::optional<VariantPool> table_;  // of the card's: those that are about this run's suite and variants
  std::string no_truth_;
};

}  // namespace assay
