// Expected numbers are worked out by hand; coverage is measured.
#include "stats/mean.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

namespace assay {
namespace {

constexpr Interval share{.low = 0, .high = 1};

TEST(Mean, IsTStudentsOverTheEpochsOfOneScenario) {
  const std::vector<Measured> measured = {{0, 0, 0.2}, {0, 0, 0.4}, {0, 1, 0.5}, {0, 1, 0.7}, {0, 2, 0.3}, {0, 2, 0.3}};
  const Mean mean = estimate_mean(measured, share);
  // Epochs' means .3, .6, .3: mean .4, standard deviation sqrt(.03), t with 2 degrees of freedom 4.3027.
  EXPECT_NEAR(*mean.value, 0.4, 1e-12);
  EXPECT_NEAR(mean.interval->high, 0.4 + 4.302653 * std::sqrt(0.03 / 3), 1e-6);
  EXPECT_EQ(mean.interval->low, 0) << "cut off where no share can be";
  EXPECT_EQ(mean.clusters, 3);
  EXPECT_EQ(mean.n, 6);
}

TEST(Mean, ScenariosWeighTheSameHoweverManyCellsTheyHave) {
  const std::vector<Measured> measured = {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}, {1, 0, 0}};
  EXPECT_EQ(estimate_mean(measured, share).value, 0.5);
}

TEST(Mean, OneEpochShowsNoSpreadAndNoObservationNoValue) {
  EXPECT_FALSE(estimate_mean(std::vector<Measured>{{0, 0, 0.5}, {0, 0, 0.6}}, share).interval);
  EXPECT_FALSE(estimate_mean(std::vector<Measured>{{0, 0, 0.5}, {0, 1, 0.6}, {1, 0, 0.6}}, share).interval);
  EXPECT_FALSE(estimate_mean({}, share).value);
}

TEST(Mean, DifferencesHaveTheirOwnBounds) {
  const std::vector<Measured> measured = {{0, 0, -1}, {0, 1, -0.9}, {0, 2, -1}};
  const Mean mean = estimate_mean(measured, {.low = -1, .high = 1});
  EXPECT_LT(*mean.value, -0.9);
  EXPECT_EQ(mean.interval->low, -1);
}

// 2,000 made-up runs of 12 epochs with four cells each; what an epoch draws moves all of its cells.
TEST(Mean, TheIntervalHoldsTheTruthAsOftenAsItSays) {
  Rng rng(7);
  auto uniform = [&] { return rng.uniform(); };
  int held = 0;
  constexpr int runs = 2000;
  for (int run = 0; run < runs; ++run) {
    std::vector<Measured> measured;
    for (int epoch = 0; epoch < 12; ++epoch) {
      const double shift = 0.4 * uniform();
      for (int cell = 0; cell < 4; ++cell) measured.push_back({0, epoch, 0.2 + shift + 0.2 * uniform()});
    }
    held += estimate_mean(measured, share).interval->contains(0.5);
  }
  EXPECT_NEAR(static_cast<double>(held) / runs, 0.95, 0.015);
}

}  // namespace
}  // namespace assay
