#include "report/numbered.h"

#include <algorithm>

namespace assay {

Numbered::Numbered(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    const size_t factor = number(change.factor, change.base);
    if (factor == factors_.size()) factors_.emplace_back(change.factor, change.base), levels_.emplace_back();
    levels_[factor].push_back(change);
  }
}

size_t Numbered::number(const std::string& factor, const std::string& base) const {
  return static_cast<size_t>(std::ranges::find(factors_, std::pair(factor, base)) - factors_.begin());
}

const Change& Numbered::at(Component c) const {
  return levels_[static_cast<size_t>(c.factor)][static_cast<size_t>(c.level) - 1];
}

Grid Numbered::grid_of(const Tally& tally, int32_t number_of_scenario, const std::vector<size_t>& places) const {
  const Scenario& scenario = tally.scenario();
  Grid grid{number_of_scenario, {}, {}};
  std::vector<size_t> axes;
  for (size_t f = 0; f < scenario.factors.size(); ++f) {
    if (!tally.varies(f)) continue;
    const Factor& factor = scenario.factors[f];
    axes.push_back(f);
    grid.factors.push_back(
        static_cast<int32_t>(number(factor.name, factor.levels[static_cast<size_t>(tally.base(f))].name)));
  }
  for (const size_t cell : places) {
    std::vector<int32_t>& levels = grid.cells.emplace_back();
    for (size_t a = 0; a < axes.size(); ++a) {
      const int level = tally.cells()[cell].levels[axes[a]];
      const std::string& name = scenario.factors[axes[a]].levels[static_cast<size_t>(level)].name;
      const std::vector<Change>& all = levels_[static_cast<size_t>(grid.factors[a])];
      const auto found = std::ranges::find(all, name, &Change::level);
      levels.push_back(level == tally.base(axes[a]) ? 0 : static_cast<int32_t>(found - all.begin()) + 1);
    }
  }
  return grid;
}

}  // namespace assay
