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
  size_t size() const { return episodes_.size(); }
  bool can_show(const OutcomeName& outcome) const;

  // False, and nothing is added, for an episode of a cell that is not in the grid.
  bool add(const EpisodeSummary& episode);
  // Call once after the last add(): puts episodes in order of epoch and cell.
  void sort();

  Verdict verdict(size_t episode, size_t code) const;
  int epoch(size_t episode) const { return episodes_[episode].epoch; }
  // Whether the outcome happened in an episode; absent where that is not known.
  std::optional<bool> happened(size_t episode, const OutcomeName& outcome, size_t code) const;

  struct Pair {
    size_t level, base;  // episodes
  };
  // Twins: the same epoch, cells that differ in this factor alone.
  std::vector<Pair> twins(size_t factor, int level) const;
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
  std::vector<Cell> grid_;  // in order of their index
  size_t columns_;  // codes, then acts
  std::vector<Place> episodes_;
  std::vector<uint8_t> values_;  // row-major: a Verdict for each code, a Known for each act
};

}  // namespace assay
