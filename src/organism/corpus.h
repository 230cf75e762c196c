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

class Corpus {
 public:
  // All must outlive it. The recipe has been checked against the suite, and so has the policy.
  Corpus(const Recipe& recipe, const Policy& policy, const Suite& suite, const CourseWriter& writer);

  // The scenarios of the trained families; steps go round them.
  const std::vector<const Scenario*>& scenarios() const { return scenarios_; }

  // The cells of a scenario that are trained, in one draw from the training part of all lists, each agent in the
  // wording that was drawn. `n`: the step, from 0. Errors: a cell that cannot be rendered.
  Result<std::vector<CellTrie>> lesson(int n) const;

  // All cells of a scenario in a draw, to be measured: each agent in so many wordings.
  Result<std::vector<CellTrie>> look(const Scenario& scenario, VariantPool pool, int draw, int wordings) const;

 private:
  Result<std::vector<CellTrie>> cells(const Scenario& scenario, VariantPool pool, int draw, int wordings,
                                      bool with_held_out) const;
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
