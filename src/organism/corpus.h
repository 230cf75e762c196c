// What a recipe's network is taught, draw by draw: for a surface draw all twins of a scenario, each as the trie of all
// that its agents could do there, with the probabilities that are planted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "organism/course.h"
#include "organism/recipe.h"
#include "organism/trie.h"

namespace assay {

struct CellTrie {
  const Scenario* scenario = nullptr;
  Cell cell;
  bool held_out = false;  // kept out of training by the recipe
  Trie trie;
};

// Where a draw comes from: its names and other lists, and the wordings of its levels.
struct Pools {
  VariantPool lists = VariantPool::train, levels = VariantPool::train;
};

class Corpus {
 public:
  // All must outlive it. The recipe has been checked against the suite, and so has the policy.
  Corpus(const Recipe& recipe, const Policy& policy, const Suite& suite, const CourseWriter& writer);

  // The scenarios of the trained families; steps go round them.
  const std::vector<const Scenario*>& scenarios() const { return scenarios_; }

  // The cells of a scenario that are trained, in one draw from the training part of all lists: what each agent says is
  // taught in the wording that was drawn, how it begins in all that are trained. `n`: the step, from 0. Errors: a cell
  // that cannot be rendered.
  Result<std::vector<CellTrie>> lesson(int n) const;

  // All cells of a scenario in a draw, to be measured, each agent in every wording there is: a network that was taught
  // some of them says those whatever the draw. Lists are gone through side by side, so of what draws on two of them not
  // every pair is seen.
  Result<std::vector<CellTrie>> look(const Scenario& scenario, Pools pools, int draw) const;

 private:
  Result<std::vector<CellTrie>> cells(const Scenario& scenario, Pools pools, uint64_t seed, int draw,
                                      VariantPool spoken, bool with_held_out) const;
  Result<CellTrie> cell_trie(const Scenario& scenario, const Cell& cell, std::vector<Surface>& surfaces,
                             const Design& design, int draw) const;
  std::map<std::string, double> planted(const Scenario& scenario, const Cell& cell,
                                        const std::vector<int32_t>& context) const;

  const Recipe& recipe_;
  const Policy& policy_;
  const CourseWriter& writer_;
  std::vector<const Scenario*> scenarios_;
};

}  // namespace assay
