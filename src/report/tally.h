// All episodes of one model in one scenario, as numbers that estimators can read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/summary.h"

namespace assay {

class Tally {
 public:
  // `scenario` and `codes` must outlive it.
  Tally(const Scenario& scenario, const std::vector<const Code*>& codes);

  const Scenario& scenario() const { return *scenario_; }
  const std::vector<Cell>& cells() const { return grid_; }
  CellSort sort_of(size_t cell, size_t code) const { return sorts_[code * grid_.size() + cell]; }
  int64_t cells_of(CellSort sort, size_t code) const;
  int64_t combinations() const;  // of the levels that its cells have; more than cells(): a part was drawn
  size_t size() const { return episodes_.size(); }
  bool can_show(const OutcomeName& outcome) const;

  // False, and nothing is added, for an episode of a cell that is not in the grid.
  bool add(const EpisodeSummary& episode);
  // Call once after the last add(): puts episodes in order of epoch and cell.
  void sort();

  Verdict verdict(size_t episode, size_t code) const;
  int epoch(size_t episode) const { return episodes_[episode].epoch; }
  size_t cell(size_t episode) const { return static_cast<size_t>(episodes_[episode].cell); }

  // Whether an outcome happened in an episode; absent where that is not known. For loops: finds its column once.
  class Happened {
   public:
    std::optional<bool> operator()(size_t episode) const {
      const uint8_t value = tally_->values_[tally_->episodes_[episode].row + column_];
      if (value == unknown_) return std::nullopt;
      return value == yes_;
    }

   private:
    friend class Tally;
    const Tally* tally_;
    size_t column_;
    uint8_t yes_, unknown_;
  };
  Happened happened(const OutcomeName& outcome, size_t code) const;  // only where can_show(outcome)

  // Whether two codes are one for it: the same verdict on every episode, and the same sort of every cell.
  bool same_cells(size_t code, size_t other) const;
  bool same_verdicts(size_t code, size_t other) const;

  struct Pair {
    size_t level, base;  // episodes
  };
  // Cells of this sort at a level of a factor, and the one that differs from each in standing at the base instead: a
  // place in cells(); -1 where there is none, or it is of the other sort.
  std::vector<std::pair<size_t, int>> twin_cells(size_t factor, int level, CellSort sort, size_t code) const;
  bool has_twin_cells(size_t factor, int level) const;  // of any sort
  // Twins: the same epoch, and such cells.
  std::vector<Pair> twins(size_t factor, int level, CellSort sort, size_t code) const;
  // The first level of a factor that some cell has: what its other levels are compared with. And whether one has it.
  int base(size_t factor) const { return levels_[factor].front(); }
  bool visits(size_t factor, int level) const;
  bool varies(size_t factor) const { return levels_[factor].size() > 1; }
  // Places in cells() of: the cell of that index, the one that differs from `cell` in this factor alone; or -1.
  int place_of(int64_t index) const;
  int cell_with(size_t cell, size_t factor, int level) const;

 private:
  struct Place {
    int epoch;
    int cell;    // of grid_
    size_t row;  // of values_
  };
  enum class Known : uint8_t { no, yes, unknown };
  size_t act_column(const std::string& act) const;

  const Scenario* scenario_;
  std::vector<const Code*> codes_;
  std::vector<Cell> grid_;                // in order of their index
  size_t columns_;                        // codes, then acts
  std::vector<std::vector<int>> levels_;  // of each factor, those that some cell has, ascending; {0} without cells
  std::vector<CellSort> sorts_;           // of each cell, under one code after another
  std::vector<Place> episodes_;
  std::vector<size_t> first_;    // of episodes_, for each epoch that was seen; and the end
  std::vector<uint8_t> values_;  // row-major: a Verdict for each code, a Known for each act
};

}  // namespace assay
