// What a step costs, learned from the steps made: seconds = a + b rows + c rows cells, for steps in which each row is
// one token of one sequence and attends to all cells in use. By least squares over the recent steps, no part negative.
//
// From it follows how many sequences a unified cache should carry. A further one, which brings `u` cells of its own,
// raises the rows per second exactly if  u < a / (c r (r + 1)):  the fixed cost that it helps to carry, against the
// cells that all others then have to look at.
#pragma once

#include <array>
#include <cstddef>

namespace assay {

class StepCost {
 public:
  void add(double rows, double cells, double seconds);
  // Whether one more sequence beside `rows` others pays. Before enough was measured: up to a width of `first_guess`.
  bool pays(double rows, double own_cells) const;

  static constexpr double first_guess = 32;

 private:
  void solve();

  std::array<std::array<double, 3>, 3> xx_{};  // weighted sums of products of (1, rows, rows cells)
  std::array<double, 3> xy_{};
  std::array<double, 3> fit_{};
  size_t seen_ = 0;
  double lowest_ = 1e300, highest_ = 0;  // rows seen: a fit needs more than one width
  bool known_ = false;
};

}  // namespace assay
