#include "stats/amce.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace assay {
namespace {

constexpr int8_t kUnseen = -1;

// A scenario's outcomes as a table: a row an epoch, a column a cell.
class Table {
 public:
  Table(const Grid& grid, std::vector<GridEpisode> episodes) : grid_(&grid) {
    for (size_t cell = 0; cell < grid.cells.size(); ++cell) {
      assert(grid.cells[cell].size() == grid.factors.size());
      cell_at_.emplace(grid.cells[cell], static_cast<int32_t>(cell));
    }
    if (!std::ranges::is_sorted(episodes, {}, &GridEpisode::epoch))
      std::ranges::stable_sort(episodes, {}, &GridEpisode::epoch);
    for (const GridEpisode& episode : episodes) {
      if (epochs_.empty() || epochs_.back() != episode.epoch) {
        epochs_.push_back(episode.epoch);
        outcomes_.resize(outcomes_.size() + grid.cells.size(), kUnseen);
      }
      outcomes_[(epochs_.size() - 1) * grid.cells.size() + static_cast<size_t>(episode.cell)] = episode.event;
    }
  }

  const Grid& grid() const { return *grid_; }
  const std::vector<int64_t>& epochs() const { return epochs_; }
  int8_t outcome(size_t row, int32_t cell) const {
    return outcomes_[row * grid_->cells.size() + static_cast<size_t>(cell)];
  }

  // The axis of a factor, or -1.
  int axis(int32_t factor) const {
    const auto found = std::ranges::find(grid_->factors, factor);
    return found == grid_->factors.end() ? -1 : static_cast<int>(found - grid_->factors.begin());
  }
  // The cell with these levels, or -1.
  int32_t cell_with(const std::vector<int32_t>& levels) const {
    const auto found = cell_at_.find(levels);
    return found == cell_at_.end() ? -1 : found->second;
  }

 private:
  const Grid* grid_;
  std::map<std::vector<int32_t>, int32_t> cell_at_;
  std::vector<int64_t> epochs_;
  std::vector<int8_t> outcomes_;  // kUnseen, 0 or 1
};

std::vector<Table> tabulate(std::span<const Grid> grids, std::span<const GridEpisode> episodes) {
  std::vector<std::vector<GridEpisode>> sorted = by_grid(grids, episodes);
  std::vector<Table> tables;
  for (size_t g = 0; g < grids.size(); ++g) tables.emplace_back(grids[g], std::move(sorted[g]));
  return tables;
}

// Cells that are compared, and with which sign they enter the difference. The first is the one where every factor
// concerned stands at its base, and names the combination of the others.
template <size_t N>
using Comparison = std::array<std::pair<int32_t, int>, N>;

// Level minus base, for every combination of the other factors whose two cells the grid holds.
std::vector<Comparison<2>> pairs_of(const Table& table, Component of) {
  std::vector<Comparison<2>> out;
  const int axis = table.axis(of.factor);
  if (axis < 0) return out;
  for (std::vector<int32_t> levels : table.grid().cells) {
    if (levels[axis] != 0) continue;
    const int32_t base = table.cell_with(levels);
    levels[axis] = of.level;
    const int32_t there = table.cell_with(levels);
    if (there >= 0) out.push_back({{{base, -1}, {there, +1}}});
  }
  return out;
}

std::vector<Comparison<4>> squares_of(const Table& table, Component first, Component second) {
  std::vector<Comparison<4>> out;
  const int a = table.axis(first.factor), b = table.axis(second.factor);
  if (a < 0 || b < 0) return out;
  for (const std::vector<int32_t>& base : table.grid().cells) {
    if (base[a] != 0 || base[b] != 0) continue;
    auto cell = [&](int32_t level_a, int32_t level_b) {
      std::vector<int32_t> levels = base;
      levels[a] = level_a, levels[b] = level_b;
      return table.cell_with(levels);
    };
    const Comparison<4> square{{{cell(0, 0), +1},
                                {cell(first.level, 0), -1},
                                {cell(0, second.level), -1},
                                {cell(first.level, second.level), +1}}};
    if (std::ranges::all_of(square, [](const auto& corner) { return corner.first >= 0; })) out.push_back(square);
  }
  return out;
}

// A unit for every epoch in which all cells of a comparison were seen. Returns the comparisons that have one.
template <size_t N>
std::vector<Comparison<N>> compare(const Table& table, const std::vector<Comparison<N>>& comparisons,
                                   std::vector<Difference>& units) {
  std::vector<char> seen(comparisons.size(), false);
  for (size_t row = 0; row < table.epochs().size(); ++row) {
    for (size_t c = 0; c < comparisons.size(); ++c) {
      const Comparison<N>& comparison = comparisons[c];
      Difference unit{table.grid().scenario, table.epochs()[row], comparison[0].first, 0};
      bool complete = true;
      for (const auto& [cell, sign] : comparison) {
        const int8_t outcome = table.outcome(row, cell);
        complete = complete && outcome != kUnseen;
        unit.d += sign * outcome;
      }
      if (!complete) continue;
      units.push_back(unit);
      seen[c] = true;
    }
  }
  std::vector<Comparison<N>> out;
  for (size_t c = 0; c < comparisons.size(); ++c)
    if (seen[c]) out.push_back(comparisons[c]);
  return out;
}

std::vector<Component> components(std::span<const Grid> grids) {
  std::set<std::pair<int32_t, int32_t>> found;
  for (const Grid& grid : grids)
    for (const auto& levels : grid.cells)
      for (size_t axis = 0; axis < levels.size(); ++axis)
        if (levels[axis] != 0) found.emplace(grid.factors[axis], levels[axis]);
  std::vector<Component> out;
  for (const auto& [factor, level] : found) out.push_back({factor, level});
  return out;
}

// Fills what marginal effects and interactions share; `comparisons_of` lists a table's comparisons.
template <class Row, class ComparisonsOf>
void estimate(Row& row, const std::vector<Table>& tables, ComparisonsOf comparisons_of, int reach, double level) {
  std::vector<Difference> units;
  double scenarios = 0;
  for (size_t t = 0; t < tables.size(); ++t) {
    const auto comparisons = comparisons_of(tables[t]);
    row.out_of += static_cast<int64_t>(comparisons.size());
    const auto seen = compare(tables[t], comparisons, units);
    scenarios += !seen.empty();
    for (const auto& comparison : seen)
      for (const auto& [cell, sign] : comparison)
        row.weights.push_back({t, cell, sign / static_cast<double>(seen.size())});
  }
  for (CellWeight& w : row.weights) w.weight /= scenarios;
  row.contrast = estimate_contrast(std::move(units), reach, level);
  row.seen = row.contrast.combinations;
  if (0 < row.seen && row.seen < row.out_of) {
    row.contrast.method += "; over " + std::to_string(row.seen) + " of " + std::to_string(row.out_of) + " combinations";
  }
}

MarginalEffect marginal_effect(const std::vector<Table>& tables, Component of, double level) {
  assert(of.level != 0);
  MarginalEffect effect{.of = of};
  estimate(effect, tables, [of](const Table& table) { return pairs_of(table, of); }, 1, level);
  return effect;
}

Interaction interaction(const std::vector<Table>& tables, Component first, Component second, double level) {
  assert(first.factor != second.factor && first.level != 0 && second.level != 0);
  if (first.factor > second.factor) std::swap(first, second);
  Interaction pair{.first = first, .second = second};
  estimate(pair, tables, [&](const Table& table) { return squares_of(table, first, second); }, 2, level);
  return pair;
}

}  // namespace

std::vector<std::vector<GridEpisode>> by_grid(std::span<const Grid> grids, std::span<const GridEpisode> episodes) {
  std::map<int32_t, size_t> place;
  for (size_t g = 0; g < grids.size(); ++g) place.emplace(grids[g].scenario, g);
  std::vector<std::vector<GridEpisode>> sorted(grids.size());
  for (const GridEpisode& episode : episodes) {
    const auto found = place.find(episode.scenario);
    if (found == place.end()) continue;
    const auto cells = static_cast<int32_t>(grids[found->second].cells.size());
    if (0 <= episode.cell && episode.cell < cells) sorted[found->second].push_back(episode);
  }
  return sorted;
}

MarginalEffect marginal_effect(std::span<const Grid> grids, std::span<const GridEpisode> episodes, Component of,
                               double level) {
  return marginal_effect(tabulate(grids, episodes), of, level);
}

Interaction interaction(std::span<const Grid> grids, std::span<const GridEpisode> episodes, Component first,
                        Component second, double level) {
  return interaction(tabulate(grids, episodes), first, second, level);
}

std::vector<MarginalEffect> marginal_effects(std::span<const Grid> grids, std::span<const GridEpisode> episodes,
                                             double level) {
  const std::vector<Table> tables = tabulate(grids, episodes);
  std::vector<MarginalEffect> effects;
  for (const Component& of : components(grids)) effects.push_back(marginal_effect(tables, of, level));
  return effects;
}

std::vector<Interaction> interactions(std::span<const Grid> grids, std::span<const GridEpisode> episodes,
                                      double level) {
  const std::vector<Table> tables = tabulate(grids, episodes);
  const std::vector<Component> all = components(grids);
  auto together = [&](const Component& a, const Component& b) {
    return std::ranges::any_of(tables, [&](const Table& t) { return t.axis(a.factor) >= 0 && t.axis(b.factor) >= 0; });
  };
  std::vector<Interaction> pairs;
  for (const Component& first : all) {
    for (const Component& second : all) {
      if (first.factor < second.factor && together(first, second)) {
        pairs.push_back(interaction(tables, first, second, level));
      }
    }
  }
  return pairs;
}

}  // namespace assay
