// Names of factors and levels -> the numbers that src/stats speaks of, which mean the same in every scenario.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/tally.h"
#include "stats/amce.h"

namespace assay {

// A factor goes with its base, so that two scenarios that compare it with different levels have two factors; levels
// follow the changes it is made from, from 1.
class Numbered {
 public:
  explicit Numbered(const std::vector<Change>& changes);

  const Change& at(Component component) const;
  // The cells of one sort, as `places` of tally.cells() lists them.
  Grid grid_of(const Tally& tally, int32_t scenario, const std::vector<size_t>& places) const;

 private:
  size_t number(const std::string& factor, const std::string& base) const;

  std::vector<std::pair<std::string, std::string>> factors_;  // name, base
  std::vector<std::vector<Change>> levels_;                   // of each factor
};

}  // namespace assay
