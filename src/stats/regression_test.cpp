#include "stats/regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "stats/effect.h"
#include "stats/simulated.h"

namespace assay {
namespace {

using simulated::full_grid;
using Episodes = std::vector<GridEpisode>;

const Component kA{.factor = 0, .level = 1}, kB{.factor = 1, .level = 1}, kC{.factor = 2, .level = 1};

// Epochs, each told cell by cell: '1' the event, '0' none, '.' ungraded.
Episodes epochs(const std::vector<std::string>& outcomes, int32_t scenario = 0) {
  Episodes episodes;
  for (size_t epoch = 0; epoch < outcomes.size(); ++epoch)
    for (size_t cell = 0; cell < outcomes[epoch].size(); ++cell)
      if (outcomes[epoch][cell] != '.')
        episodes.push_back(
            {scenario, static_cast<int64_t>(epoch), static_cast<int32_t>(cell), outcomes[epoch][cell] == '1'});
  return episodes;
}

Grid cells_of(std::vector<std::vector<int32_t>> cells, int32_t scenario = 0) {
  Grid grid{.scenario = scenario, .cells = std::move(cells)};
  for (size_t f = 0; f < grid.cells[0].size(); ++f) grid.factors.push_back(static_cast<int32_t>(f));
  return grid;
}

MainEffect effect_of(Component of, const std::vector<Grid>& grids, const Episodes& episodes) {
  for (MainEffect& effect : least_squares(grids, episodes))
    if (effect.of == of) return std::move(effect);
  return {};
}

// A half of 2 x 2 x 2 (c = a xor b): no twins, and each effect is a mean minus a mean. Rates by cell: 1/4, 2/4, 3/4,
// 1/4.
const Grid kHalf = cells_of({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}});
const Episodes kHalfEpisodes = epochs({"0111", "1010", "0000", "0110"});

TEST(LeastSquares, OfAnOrthogonalHalfAreDifferencesOfMeansByHand) {
  EXPECT_DOUBLE_EQ(*effect_of(kA, {kHalf}, kHalfEpisodes).contrast.value, (3 + 1) / 8.0 - (1 + 2) / 8.0);
  EXPECT_DOUBLE_EQ(*effect_of(kB, {kHalf}, kHalfEpisodes).contrast.value, (2 + 1) / 8.0 - (1 + 3) / 8.0);
  EXPECT_DOUBLE_EQ(*effect_of(kC, {kHalf}, kHalfEpisodes).contrast.value, (2 + 3) / 8.0 - (1 + 1) / 8.0);
}

// Cells 00, 10, 20, 01, 11 of a (three levels) and b. The normal equations for y = m + a1 + a2 + b, by hand:
//   5m + 2a1 + a2 + 2b = sum,  2m + 2a1 + b = y10 + y11,  m + a2 = y20,  2m + a1 + 2b = y01 + y11
// give a1 = (y10 - y00 + y11 - y01)/2, b = (y01 - y00 + y11 - y10)/2, a2 = y20 - (3 y00 + y10 + y01 - y11)/4.
TEST(LeastSquares, SolveTheNormalEquationsWhereCellsAreUneven) {
  const Grid grid = cells_of({{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}});
  const Episodes episodes = epochs({"00101", "01111", "00111", "00101", "11111"});
  const double y00 = 1 / 5.0, y10 = 2 / 5.0, y20 = 1, y01 = 3 / 5.0, y11 = 1;
  EXPECT_NEAR(*effect_of(kA, {grid}, episodes).contrast.value, (y10 - y00 + y11 - y01) / 2, 1e-12);
  EXPECT_NEAR(*effect_of(kB, {grid}, episodes).contrast.value, (y01 - y00 + y11 - y10) / 2, 1e-12);
  EXPECT_NEAR(*effect_of({0, 2}, {grid}, episodes).contrast.value, y20 - (3 * y00 + y10 + y01 - y11) / 4, 1e-12);
}

TEST(LeastSquares, AreTheGridMeanOverAWholeGrid) {
  Rng rng(5);
  const Grid grid = full_grid({2, 3, 2});
  const Episodes episodes = simulated::grid_episodes(rng, grid, std::vector(12, 0.3), 15, 0.3);
  for (const MainEffect& effect : least_squares(std::vector{grid}, episodes))
    EXPECT_NEAR(*effect.contrast.value, *marginal_effect(std::vector{grid}, episodes, effect.of).contrast.value, 1e-12);
}

// In large samples: the t interval over the epochs' own estimates, which is CR2's where epochs are alike. Of 400 epochs
// 100 each are 0111, 1010, 0000, 0110; their estimates of a are 1/2, 0, 0, 0.
TEST(LeastSquares, HaveTheClusterRobustIntervalOfManyEpochs) {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.insert(many.end(), {"0111", "1010", "0000", "0110"});
  const Contrast a = effect_of(kA, {kHalf}, epochs(many)).contrast;
  const double mean = 1 / 8.0, squares = 100 * (3 / 8.0 * 3 / 8.0 + 3 * mean * mean);
  const double half = 1.9659 * std::sqrt(squares / 399 / 400);  // t with 399 degrees of freedom
  EXPECT_NEAR(*a.value, mean, 1e-12);
  EXPECT_NEAR(a.interval->low, mean - half, 0.02 * half);
  EXPECT_NEAR(a.interval->high, mean + half, 0.02 * half);
  EXPECT_LT(*a.p, 1e-6);
}

TEST(LeastSquares, WeighCellsAlikeHoweverOftenTheyWereGraded) {
  const Episodes episodes = epochs({"0111", "1.10", "0..0", "0.10"});  // rates 1/4, 1, 1, 1/4
  EXPECT_DOUBLE_EQ(*effect_of(kA, {kHalf}, episodes).contrast.value, (1 + 0.25) / 2 - (0.25 + 1) / 2);
}

TEST(LeastSquares, AreMeansOverScenarios) {
  Episodes both = epochs({"01", "01", "00", "00"}, 1), rest = epochs({"0011", "0011"}, 2);
  both.insert(both.end(), rest.begin(), rest.end());
  const MainEffect a = effect_of(kA, {cells_of({{0}, {1}}, 1), full_grid({2, 2}, 2)}, both);
  EXPECT_DOUBLE_EQ(*a.contrast.value, (0.5 + 1) / 2);
  EXPECT_EQ(a.contrast.scenarios, 2);
  EXPECT_EQ(a.contrast.clusters, 6);
}

// --- what cannot be told

TEST(Aliases, AreNamedWhereTwoLevelsAlwaysStandTogether) {
  const Grid grid = cells_of({{0, 0, 0}, {1, 1, 0}, {0, 0, 1}, {1, 1, 1}});
  const Episodes episodes = epochs({"0101", "0111"});
  const MainEffect a = effect_of(kA, {grid}, episodes);
  EXPECT_FALSE(a.contrast.value || a.contrast.interval || a.contrast.p);
  EXPECT_EQ(a.aliased, std::vector{kB});
  EXPECT_EQ(effect_of(kB, {grid}, episodes).aliased, std::vector{kA});
  EXPECT_DOUBLE_EQ(*effect_of(kC, {grid}, episodes).contrast.value, 0.25);  // told all the same
}

TEST(Aliases, ComeFromWhatWasGradedNotFromWhatWasPlanned) {
  const MainEffect a = effect_of(kA, {kHalf}, epochs({"01.1", "00.1"}));
  EXPECT_FALSE(a.contrast.value);
  EXPECT_EQ(a.aliased.size(), 2u);  // a + c = b in the three cells that are left
}

TEST(Aliases, AreNoneWhereNothingWasGradedAtTheLevel) {
  const MainEffect a = effect_of(kA, {kHalf}, epochs({"01..", "00.."}));
  EXPECT_EQ(a.contrast.method, "not estimable: nothing was graded at this level, or nothing but it");
  EXPECT_TRUE(a.aliased.empty());
}

TEST(Aliases, OfOneScenarioLeaveTheOthers) {
  Episodes both = epochs({"01", "01", "00"}, 1), rest = epochs({"0111", "0011"}, 2);
  both.insert(both.end(), rest.begin(), rest.end());
  const MainEffect a = effect_of(kA, {cells_of({{0, 0}, {1, 1}}, 1), full_grid({2, 2}, 2)}, both);
  EXPECT_DOUBLE_EQ(*a.contrast.value, 0.75);
  EXPECT_THAT(a.contrast.method, ::testing::EndsWith("; told in 1 of 2 scenarios"));
}

// --- nothing seen is no certainty

// 0 of 10 clusters: at most 0.3085 (Newcombe 1998 and interval_test.cpp), on both sides.
TEST(NoEvents, LeaveTheExactBoundOfClusters) {
  const Contrast a = effect_of(kA, {kHalf}, epochs(std::vector<std::string>(10, "0000"))).contrast;
  EXPECT_EQ(*a.value, 0);
  EXPECT_NEAR(a.interval->high, 0.3085, 5e-5);
  EXPECT_NEAR(a.interval->low, -0.3085, 5e-5);
  EXPECT_EQ(*a.p, 1);
  EXPECT_EQ(a.method, "least squares, exact (Clopper-Pearson) bound, clusters as units; p by the interval");
}

TEST(NoSpread, IsNoZeroWidth) {
  const Contrast a = effect_of(kA, {kHalf}, epochs(std::vector<std::string>(10, "0011"))).contrast;
  EXPECT_EQ(*a.value, 1);
  EXPECT_EQ(a.interval->high, 1);
  EXPECT_LT(a.interval->low, 0.7);
}

TEST(OneEpoch, HasAValueAndNothingElse) {
  const Contrast a = effect_of(kA, {kHalf}, epochs({"0011"})).contrast;
  EXPECT_EQ(*a.value, 1);
  EXPECT_FALSE(a.interval || a.p);
}

TEST(Weights, SayWhatIsEstimated) {
  double sum = 0, estimate = 0;
  const std::vector<double> rates{0.25, 0.5, 0.75, 0.25};  // of kHalfEpisodes
  const MainEffect a = effect_of(kA, {kHalf}, kHalfEpisodes);
  for (const CellWeight& w : a.weights) sum += w.weight, estimate += w.weight * rates[static_cast<size_t>(w.cell)];
  EXPECT_NEAR(sum, 0, 1e-12);
  EXPECT_NEAR(estimate, *a.contrast.value, 1e-12);
}

// --- by simulation; margins are three standard errors of a share of `runs`

struct Found {
  double coverage = 0, significant = 0, width = 0;
};

Found simulate(const Grid& grid, const std::vector<double>& rates, double truth, int epochs, int runs,
               const std::vector<double>& missing = {}) {
  Rng rng(derive_seed(23, {"least squares"}));
  Found found;
  for (int run = 0; run < runs; ++run) {
    const Episodes episodes = simulated::grid_episodes(rng, grid, rates, epochs, 0.3, missing);
    const Contrast a = effect_of(kA, {grid}, episodes).contrast;
    found.coverage += a.interval->contains(truth);
    found.significant += *a.p < 0.05;
    found.width += a.interval->width();
  }
  for (double* sum : {&found.coverage, &found.significant, &found.width}) *sum /= runs;
  return found;
}

double margin(double share, int runs) { return 3 * std::sqrt(share * (1 - share) / runs); }

// Of pairwise_part(), whose first level is the cells 2, 3, 4: a adds 0.2 and b adds 0.3.
TEST(LeastSquaresCoverage, HoldsInAPairwiseDesignWhereOtherFactorsMatter) {
  const int runs = 250;
  const Found found = simulate(simulated::pairwise_part(), {0.1, 0.4, 0.3, 0.6, 0.6}, 0.2, 30, runs);
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, runs));
  EXPECT_GE(found.significant, 0.5);  // seen, too
}

TEST(LeastSquaresCoverage, HoldsWhereEventsAreRareAndFewEpochsGraded) {
  const int runs = 250;
  const Found found = simulate(simulated::pairwise_part(), std::vector(5, 0.03), 0, 10, runs, std::vector(5, 0.2));
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, runs));
  EXPECT_LE(found.significant, 0.05);
}

// Epochs of five cells with weights (-2, -1, 1, 1, 1)/3 and correlation 0.3 at rate 1/2: (7/9 + cross terms) from
// variances 1/4 and covariances 0.3/4: 1/4 (8/9) - 0.075 (8/9) = 0.1556 an epoch, t interval 0.156 wide over 100.
TEST(LeastSquaresCoverage, IsNotBoughtByWidthWhereThereIsMuchData) {
  const int runs = 100;
  const Found found = simulate(simulated::pairwise_part(), std::vector(5, 0.5), 0, 100, runs);
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, runs));
  EXPECT_NEAR(found.width, 0.1565, 0.1565 * 0.06);
}

}  // namespace
}  // namespace assay
