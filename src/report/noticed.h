// Manipulation checks: whether agents noticed the level that their episode had, by model, scenario and level.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "report/estimates.h"
#include "report/summary.h"

namespace assay {

class Noticed {
 public:
  void add(const EpisodeSummary& episode, const Scenario& scenario);

  // A row for each level that the cells of a scenario with a check have, in the order of its file, once an episode of
  // that level is stored.
  std::vector<CheckRow> rows(const std::vector<Subject>& subjects) const;

 private:
  struct Level {
    std::vector<Observation> answers;
    int64_t unclear = 0, unasked = 0;
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // model, scenario, level
  std::map<Key, Level> levels_;
};

}  // namespace assay
