#include "stats/amce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/effect.h"
#include "stats/simulated.h"

namespace assay {
namespace {

using simulated::full_grid;
using Episodes = std::vector<GridEpisode>;

const Component kA{.factor = 0, .level = 1}, kB{.factor = 1, .level = 1};

// Outcomes of one epoch, cell by cell: '1' the event, '0' none, '.' ungraded.
void add_epoch(Episodes& episodes, int64_t epoch, const std::string& outcomes, int32_t scenario = 0) {
  for (size_t cell = 0; cell < outcomes.size(); ++cell)
    if (outcomes[cell] != '.') episodes.push_back({scenario, epoch, static_cast<int32_t>(cell), outcomes[cell] == '1'});
}

Episodes epochs(const std::vector<std::string>& outcomes, int32_t scenario = 0) {
  Episodes episodes;
  for (const std::string& epoch : outcomes) add_epoch(episodes, static_cast<int64_t>(episodes.size()), epoch, scenario);
  return episodes;
}

MarginalEffect effect_of(Component of, const std::vector<Grid>& grids, const Episodes& episodes) {
  return marginal_effect(grids, episodes, of);
}

// All pairs that differ in factor 0 alone of a 2 x n grid, as twins.
std::vector<Twin> twins_in(const Grid& grid, const Episodes& episodes) {
  std::vector<Twin> twins;
  const auto half = static_cast<int32_t>(grid.cells.size() / 2);
  for (const GridEpisode& base : episodes)
    for (const GridEpisode& there : episodes)
      if (base.epoch == there.epoch && there.cell == base.cell + half)
        twins.push_back({base.scenario, base.epoch, there.event, base.event});
  return twins;
}

void expect_same(const Contrast& contrast, const Effect& effect) {
  EXPECT_NEAR(*contrast.value, *effect.value, 1e-12);
  EXPECT_NEAR(contrast.interval->low, effect.interval->low, 1e-9);
  EXPECT_NEAR(contrast.interval->high, effect.interval->high, 1e-9);
  EXPECT_DOUBLE_EQ(*contrast.p, *effect.p);
  EXPECT_EQ(contrast.up, effect.up);
  EXPECT_EQ(contrast.down, effect.down);
}

// Cells 00, 01, 10, 11 of factors a and b.
TEST(Marginal, IsTheMeanOverTheOtherFactorsByHand) {
  const Grid grid = full_grid({2, 2});
  const Episodes episodes = epochs({"0011", "0001", "0111", "0000"});
  const MarginalEffect a = effect_of(kA, {grid}, episodes), b = effect_of(kB, {grid}, episodes);
  EXPECT_DOUBLE_EQ(*a.contrast.value, (2 / 4.0 + 2 / 4.0) / 2);  // 10 - 00 and 11 - 01
  EXPECT_DOUBLE_EQ(*b.contrast.value, (1 / 4.0 + 1 / 4.0) / 2);
  EXPECT_EQ(a.contrast.units, 8);
  EXPECT_EQ(a.seen, 2);
  EXPECT_EQ(a.out_of, 2);
}

// (11 - 01) - (10 - 00) per epoch: 1-0-1+0, 1-0-0+0, 1-1-1+0, 0.
TEST(InteractionOfTwo, IsTheDifferenceOfDifferencesByHand) {
  const auto found = interactions(std::vector{full_grid({2, 2})}, epochs({"0011", "0001", "0111", "0000"}));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_DOUBLE_EQ(*found[0].contrast.value, (0 + 1 - 1 + 0) / 4.0);
  EXPECT_EQ(found[0].contrast.up, 1);
  EXPECT_EQ(found[0].contrast.down, 1);
  EXPECT_EQ(*found[0].contrast.p, 1);
}

TEST(InteractionOfTwo, ReachesTwoWhereEachFactorReversesTheOther) {
  const auto found = interactions(std::vector{full_grid({2, 2})}, epochs(std::vector<std::string>(20, "1001")));
  EXPECT_EQ(*found[0].contrast.value, 2);
  EXPECT_EQ(found[0].contrast.interval->high, 2);
  EXPECT_GT(found[0].contrast.interval->low, 1);
  EXPECT_DOUBLE_EQ(*found[0].contrast.p, 2 / std::pow(2.0, 20));
}

TEST(Marginal, EqualsTheTwinEffectWhereCombinationsWereSeenEquallyOften) {
  Rng rng(3);
  const Grid grid = full_grid({2, 4});
  const Episodes episodes = simulated::grid_episodes(rng, grid, {0.1, 0.2, 0.1, 0.4, 0.3, 0.2, 0.5, 0.6}, 25, 0.3);
  const MarginalEffect a = effect_of(kA, {grid}, episodes);
  EXPECT_TRUE(a.contrast.even);
  expect_same(a.contrast, estimate_effect(twins_in(grid, episodes)));
}

TEST(Marginal, EqualsTheTwinEffectWhereNothingVaries) {
  const Grid grid = full_grid({2, 3});
  for (const char* outcomes : {"000000", "111111", "000111", "111000"}) {
    const Episodes episodes = epochs(std::vector<std::string>(10, outcomes));
    expect_same(effect_of(kA, {grid}, episodes).contrast, estimate_effect(twins_in(grid, episodes)));
  }
}

TEST(Marginal, EqualsTheTwinEffectOverScenariosToo) {
  Rng rng(4);
  const std::vector<Grid> grids{full_grid({2, 2}, 7), full_grid({2, 3}, 2)};
  Episodes first = simulated::grid_episodes(rng, grids[0], {0.1, 0.2, 0.3, 0.5}, 12, 0.3);
  const Episodes second = simulated::grid_episodes(rng, grids[1], {0, 0.1, 0.1, 0.3, 0.2, 0.1}, 30, 0.3);
  std::vector<Twin> twins = twins_in(grids[0], first), more = twins_in(grids[1], second);
  twins.insert(twins.end(), more.begin(), more.end());
  first.insert(first.end(), second.begin(), second.end());
  const MarginalEffect a = effect_of(kA, grids, first);
  expect_same(a.contrast, estimate_effect(twins));
  EXPECT_EQ(a.contrast.scenarios, 2);
  EXPECT_EQ(a.seen, 5);
}

// b = 0: up in all of 8 epochs; b = 1: seen in two of them, never up. The twin effect is 8/10, the grid's mean 1/2.
TEST(Marginal, WeighsCombinationsAlikeHoweverOftenTheyWereSeen) {
  std::vector<std::string> outcomes(6, "0.1.");
  outcomes.insert(outcomes.end(), 2, "0010");
  const Grid grid = full_grid({2, 2});
  const MarginalEffect a = effect_of(kA, {grid}, epochs(outcomes));
  EXPECT_DOUBLE_EQ(*a.contrast.value, 0.5);
  EXPECT_DOUBLE_EQ(*estimate_effect(twins_in(grid, epochs(outcomes))).value, 0.8);
  EXPECT_FALSE(a.contrast.even);
}

TEST(Marginal, LeavesOutACombinationThatWasNeverSeenAndSaysSo) {
  const Grid grid = full_grid({2, 3});
  const MarginalEffect a = effect_of(kA, {grid}, epochs({"00.111", "0.1110", "000.10"}));
  EXPECT_EQ(a.out_of, 3);
  EXPECT_EQ(a.seen, 3);
  const MarginalEffect less = effect_of(kA, {grid}, epochs({"00.111", "0..110", "00..10"}));
  EXPECT_EQ(less.seen, 2);
  EXPECT_EQ(less.contrast.method,
            "grid mean, cluster-robust (MOVER of Korn-Graubard); p by sign flips of clusters, exact; over 2 of 3 "
            "combinations");
  EXPECT_DOUBLE_EQ(*less.contrast.value, (2 / 2.0 + 2 / 2.0) / 2);  // epochs 0, 1 of b = 0 and 0, 2 of b = 1
}

TEST(Marginal, IsAbsentWhereNoEpochHasBothSides) {
  const Grid grid = full_grid({2, 2});
  const MarginalEffect a = effect_of(kA, {grid}, epochs({"00..", "..11"}));
  EXPECT_FALSE(a.contrast.value || a.contrast.interval || a.contrast.p);
  EXPECT_EQ(a.contrast.method, "not estimable: no epoch has both sides of the comparison");
  EXPECT_EQ(a.out_of, 2);
}

TEST(Marginal, OfOneEpochHasAValueButNothingElse) {
  const MarginalEffect a = effect_of(kA, {full_grid({2, 2})}, epochs({"0011"}));
  EXPECT_EQ(*a.contrast.value, 1);
  EXPECT_FALSE(a.contrast.interval || a.contrast.p);
  EXPECT_EQ(a.contrast.method, "not estimable: fewer than 2 clusters");
}

TEST(Marginal, ComparesEveryLevelWithTheBase) {
  const auto found = marginal_effects(std::vector{full_grid({3})}, epochs({"001", "001", "011", "111"}));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_DOUBLE_EQ(*found[0].contrast.value, 0.25);
  EXPECT_DOUBLE_EQ(*found[1].contrast.value, 0.75);
}

// Scenario 2 lacks factor b; a design that drew only three of four cells has no square.
TEST(Grids, MayDifferAndMayHaveHoles) {
  Grid holes = full_grid({2, 2}, 1);
  holes.cells.pop_back();
  const std::vector<Grid> grids{holes, full_grid({2}, 2)};
  Episodes all = epochs({"001", "001", "010"}, 1), more = epochs({"01", "00"}, 2);
  all.insert(all.end(), more.begin(), more.end());
  const MarginalEffect a = effect_of(kA, grids, all);
  EXPECT_EQ(a.out_of, 2);
  EXPECT_DOUBLE_EQ(*a.contrast.value, (2 / 3.0 + 1 / 2.0) / 2);
  EXPECT_EQ(effect_of(kB, grids, all).contrast.scenarios, 1);
  const auto pairs = interactions(grids, all);
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].out_of, 0);
  EXPECT_FALSE(pairs[0].contrast.value);
  EXPECT_EQ(effect_of({.factor = 9, .level = 1}, grids, all).out_of, 0);
}

TEST(Grids, IgnoreEpisodesThatAreNotTheirs) {
  Episodes episodes = epochs({"0011", "0011"});
  episodes.push_back({0, 0, 99, true});
  episodes.push_back({0, 0, -1, true});
  episodes.push_back({5, 0, 0, true});
  EXPECT_EQ(effect_of(kA, {full_grid({2, 2})}, episodes).contrast.units, 4);
}

// By simulation; margins are three standard errors of a share of `runs`.
struct Found {
  double coverage = 0, significant = 0, width = 0;
};

struct Setting {
  std::vector<double> rates;         // of the 2 x 2 x 2 grid
  std::vector<double> missing = {};  // chance of each cell to stay ungraded
  int epochs = 30;
};

template <class Estimate>
Found simulate(const Setting& setting, double truth, int runs, Estimate estimate) {
  const std::vector<Grid> grids{full_grid({2, 2, 2})};
  Rng rng(derive_seed(17, {"amce"}));
  Found found;
  for (int run = 0; run < runs; ++run) {
    const auto episodes = simulated::grid_episodes(rng, grids[0], setting.rates, setting.epochs, 0.3, setting.missing);
    const Contrast contrast = estimate(grids, episodes);
    found.coverage += contrast.interval->contains(truth);
    found.significant += *contrast.p < 0.05;
    found.width += contrast.interval->width();
  }
  for (double* sum : {&found.coverage, &found.significant, &found.width}) *sum /= runs;
  return found;
}

Contrast first_effect(const std::vector<Grid>& grids, const Episodes& e) { return effect_of(kA, grids, e).contrast; }
Contrast first_pair(const std::vector<Grid>& grids, const Episodes& e) {
  return interaction(grids, e, kB, kA).contrast;
}

double margin(double share, int runs) { return 3 * std::sqrt(share * (1 - share) / runs); }

// An effect of 0.5 under one combination and none under the others: 0.125 on average. That combination is ungraded more
// often than not, so that a mean over episodes would be far off.
TEST(MarginalCoverage, HoldsWhereTheCombinationThatMattersIsSeldomGraded) {
  const Setting setting{{0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.7}, {0, 0, 0, 0, 0, 0, 0, 0.6}};
  const int runs = 300;
  const Found found = simulate(setting, 0.125, runs, first_effect);
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, runs));
}

// A difference of an epoch has variance 0.384, two of an epoch covariance 0.048: (0.384 + 3 * 0.048)/4 for their mean,
// 0.0363 the standard error over 100 epochs, 0.144 the t interval.
TEST(MarginalCoverage, IsNotBoughtByWidthWhereThereIsMuchData) {
  const Setting setting{{0.4, 0.4, 0.4, 0.4, 0.6, 0.6, 0.6, 0.6}, {}, 100};
  const Found found = simulate(setting, 0.2, 150, first_effect);
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, 150));
  EXPECT_NEAR(found.width, 0.144 * 1.05, 0.006);
}

// Both factors matter (0.1, 0.3, 0.3, 0.5) and do not interact: the null in which the p is not exact.
TEST(InteractionCoverage, HoldsWhereBothFactorsMatterButDoNotInteract) {
  const Setting setting{{0.1, 0.1, 0.3, 0.3, 0.3, 0.3, 0.5, 0.5}};
  const int runs = 300;
  const Found found = simulate(setting, 0, runs, first_pair);
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, runs));
  EXPECT_LE(found.significant, 0.05 + margin(0.05, runs));
}

TEST(InteractionCoverage, HoldsAndIsSeenWhereTheyDo) {
  const Setting setting{{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.6, 0.6}};
  const int runs = 200;
  const Found found = simulate(setting, 0.5, runs, first_pair);
  EXPECT_GE(found.coverage, 0.95 - margin(0.95, runs));
  EXPECT_GE(found.significant, 0.95);
}

}  // namespace
}  // namespace assay
