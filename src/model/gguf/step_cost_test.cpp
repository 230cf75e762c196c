// How wide a unified cache should be, from the cost of the steps that were made.
#include "model/gguf/step_cost.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

// A machine whose steps cost what this says, in seconds; it is shown steps of several widths.
StepCost shown(double fixed, double per_row, double per_row_and_cell) {
  StepCost cost;
  for (int step = 0; step < 100; ++step) {
    const double rows = 4 + step % 30, cells = 1500 + 50 * rows;
    cost.add(rows, cells, fixed + per_row * rows + per_row_and_cell * rows * cells);
  }
  return cost;
}

// The width at which one more does not pay any more.
int width(const StepCost& cost, double own_cells) {
  int rows = 1;
  while (rows < 256 && cost.pays(rows, own_cells)) ++rows;
  return rows;
}

TEST(StepCost, GuessesUntilItHasSeenStepsOfSeveralWidths) {
  EXPECT_EQ(width(StepCost(), 100), static_cast<int>(StepCost::first_guess));
  StepCost alike;
  for (int step = 0; step < 1000; ++step) alike.add(16, 3000, 0.1);
  EXPECT_EQ(width(alike, 100), static_cast<int>(StepCost::first_guess));
}

// With u cells of its own a row pays while u c r (r + 1) < a: here 100 * 1e-6 * r (r + 1) < 0.04.
TEST(StepCost, StopsWhereOneMoreSlowsTheOthersByMoreThanItCarries) {
  EXPECT_NEAR(width(shown(0.04, 0.002, 1e-6), 100), 20, 1);
  EXPECT_NEAR(width(shown(0.04, 0.002, 1e-6), 400), 10, 1);
}

TEST(StepCost, LetsAllInWhereOtherRowsCellsCostNothing) { EXPECT_EQ(width(shown(0.04, 0.002, 0), 100), 256); }

TEST(StepCost, OneIsAlwaysWorthIt) { EXPECT_TRUE(shown(0, 0.002, 1e-6).pays(0, 1e9)); }

TEST(StepCost, ForgetsAMachineThatWasSlowerOnce) {
  StepCost cost = shown(0.04, 0.002, 1e-5);
  for (int step = 0; step < 3000; ++step) {
    const double rows = 4 + step % 30, cells = 1500 + 50 * rows;
    cost.add(rows, cells, 0.04 + 0.002 * rows + 1e-7 * rows * cells);
  }
  EXPECT_NEAR(width(cost, 100), 63, 3);
}

}  // namespace
}  // namespace assay
