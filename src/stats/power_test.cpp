#include "stats/power.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "stats/effect.h"
#include "stats/interval.h"
#include "stats/simulated.h"

namespace assay {
namespace {

Power power_of(double base, double level, int64_t n, double correlation = 0) {
  return *paired_power(*twin_chances(base, level, correlation), n);
}

TEST(TwinChances, FollowFromRatesAndCorrelation) {
  EXPECT_DOUBLE_EQ(twin_chances(0.2, 0.3)->up, 0.3 * 0.8);
  EXPECT_DOUBLE_EQ(twin_chances(0.2, 0.3)->down, 0.2 * 0.7);
  EXPECT_NEAR(twin_chances(0.4, 0.4, 1)->up, 0, 1e-15);  // always alike
  EXPECT_NEAR(twin_chances(0.5, 0.5, -1)->up, 0.5, 1e-15);
}

TEST(TwinChances, AreAbsentWhereNoSuchPairExists) {
  EXPECT_FALSE(twin_chances(0.1, 0.9, 0.5));
  EXPECT_FALSE(twin_chances(0.1, 0.1, -0.5));
  EXPECT_FALSE(twin_chances(-0.1, 0.5));
  EXPECT_FALSE(twin_chances(0.1, std::nan("")));
}

// Of n twins those that go up are Binomial(n, 1/2), none goes down. p is 2/2^up: significant from six on.
TEST(PairedPower, OfTheSignFlipIsCountedByHand) {
  EXPECT_DOUBLE_EQ(power_of(0, 1, 6).p, 1);
  EXPECT_DOUBLE_EQ(power_of(0, 1, 5).p, 0);
  EXPECT_NEAR(power_of(0, 0.5, 6).p, 1 / 64.0, 1e-12);
  EXPECT_NEAR(power_of(0, 0.5, 8).p, (28 + 8 + 1) / 256.0, 1e-12);
}

// The sum over every outcome of n twins, each put to estimate_effect itself.
TEST(PairedPower, IsTheSumOverAllOutcomes) {
  const int n = 14;
  const TwinChances twin = *twin_chances(0.15, 0.6, 0.1);
  double interval = 0, p = 0;
  for (int up = 0; up <= n; ++up) {
    for (int down = 0; up + down <= n; ++down) {
      std::vector<Twin> twins;
      for (int e = 0; e < n; ++e) twins.push_back({0, e, e < up, e >= up && e < up + down});
      const Effect effect = estimate_effect(twins);
      const double chance =
          std::exp(std::lgamma(n + 1) - std::lgamma(up + 1) - std::lgamma(down + 1) - std::lgamma(n - up - down + 1)) *
          std::pow(twin.up, up) * std::pow(twin.down, down) * std::pow(1 - twin.up - twin.down, n - up - down);
      if (!effect.interval->contains(0)) interval += chance;
      if (*effect.p < 0.05) p += chance;
    }
  }
  const Power found = *paired_power(twin, n);
  EXPECT_NEAR(found.interval, interval, 1e-10);
  EXPECT_NEAR(found.p, p, 1e-10);
  EXPECT_GT(interval, 0.3);
}

// docs/statistics.md, sample sizes to remember: there by simulation of 2,000 runs, so +- 0.033.
TEST(PairedPower, GivesTheSampleSizesToRemember) {
  EXPECT_NEAR(power_of(0.45, 0.55, 200).interval, 0.49, 0.033);
  EXPECT_NEAR(power_of(0.45, 0.55, 600).interval, 0.93, 0.017);
  EXPECT_NEAR(power_of(0.2, 0.3, 200).interval, 0.61, 0.033);
  EXPECT_NEAR(power_of(0.05, 0.15, 200).interval, 0.92, 0.018);
  EXPECT_NEAR(power_of(0.4, 0.6, 200).interval, 0.98, 0.01);
}

TEST(PairedPower, IsTheErrorRateWhereThereIsNoEffect) {
  for (int64_t n : {10, 50, 400}) {
    const Power power = power_of(0.3, 0.3, n);
    EXPECT_LE(power.p, 0.05);
    EXPECT_LE(power.interval, 0.05);
  }
  EXPECT_GT(power_of(0.3, 0.3, 400).p, 0.035);
}

TEST(PairedPower, GrowsWithTheCorrelation) {
  EXPECT_GT(power_of(0.3, 0.4, 200, 0.5).interval, power_of(0.3, 0.4, 200, 0).interval + 0.1);
}

TEST(PairedPower, IsAbsentWhereNothingIsEstimable) {
  EXPECT_FALSE(paired_power({0.2, 0.1}, 1));
  EXPECT_FALSE(paired_power({0.2, 0.1}, kMostTwins + 1));
}

TEST(PairedPower, IsWhatSimulationFinds) {
  Rng rng(5);
  const int runs = 1000;
  int excluded = 0, significant = 0;
  for (int run = 0; run < runs; ++run) {
    const Effect e = estimate_effect(simulated::twins(rng, 0.1, 0.3, {.epochs = 60, .cells = 2, .correlation = 0}));
    excluded += !e.interval->contains(0), significant += *e.p < 0.05;
  }
  const Power power = power_of(0.1, 0.3, 60);
  auto margin = [](double share) { return 3 * std::sqrt(share * (1 - share) / runs); };
  EXPECT_NEAR(excluded / static_cast<double>(runs), power.interval, margin(power.interval));
  EXPECT_NEAR(significant / static_cast<double>(runs), power.p, margin(power.p));
}

TEST(SmallestTwins, ReachesTheGoalWhereOneLessDoesNot) {
  const TwinChances twin = *twin_chances(0.2, 0.5);
  for (auto of : {PowerGoal::Of::interval, PowerGoal::Of::p}) {
    const int64_t n = *smallest_twins(twin, {.of = of, .power = 0.9});
    auto power = [&](int64_t size) {
      const Power found = *paired_power(twin, size);
      return of == PowerGoal::Of::p ? found.p : found.interval;
    };
    EXPECT_GE(power(n), 0.9);
    EXPECT_LT(power(n - 1), 0.9);
    // Connor (1987): (1.960 sqrt(0.5) + 1.282 sqrt(0.5 - 0.3^2))^2 / 0.3^2 = 54.1, a normal approximation of McNemar's
    // test where 0.4 go up and 0.1 down. The exact test needs a few more.
    EXPECT_GT(n, 54);
    EXPECT_LT(n, 61);
  }
}

TEST(SmallestTwins, IsAbsentBeyondTheBound) {
  EXPECT_FALSE(smallest_twins(*twin_chances(0.45, 0.55), {.most = 100}));
  EXPECT_FALSE(smallest_twins(*twin_chances(0.3, 0.3), {.most = 1000}));
}

// Wilks (1941): one-sided 95 % / 95 % tolerance limits need 59, 93, 124, 153, 181 cases as 0, 1, 2, 3, 4 are set aside.
TEST(SmallestToBound, IsWilksTable) {
  const int64_t wilks[] = {59, 93, 124, 153, 181};
  for (int64_t k = 0; k < 5; ++k) EXPECT_EQ(*smallest_to_bound(k, 0.05), wilks[k]);
  EXPECT_EQ(*smallest_to_bound(0, 0.01), 299);
  EXPECT_EQ(*smallest_to_bound(0, 0.01, 0.99), 459);
}

TEST(SmallestToBound, IsWhereTheExactBoundPassesBelow) {
  for (int64_t k : {0, 3, 20}) {
    const auto n = static_cast<double>(*smallest_to_bound(k, 0.03));
    EXPECT_LT(exact_upper_bound(static_cast<double>(k), n), 0.03);
    EXPECT_GE(exact_upper_bound(static_cast<double>(k), n - 1), 0.03);
  }
  EXPECT_FALSE(smallest_to_bound(0, 0.01, 0.95, 298));
  EXPECT_EQ(*smallest_to_bound(0, 0.01, 0.95, 299), 299);
}

TEST(ChanceOfBound, IsThatOfFewEnoughEvents) {
  EXPECT_DOUBLE_EQ(chance_of_bound(59, 0, 0.05), 1);
  EXPECT_EQ(chance_of_bound(58, 0, 0.05), 0);
  EXPECT_NEAR(chance_of_bound(59, 0.01, 0.05), std::pow(0.99, 59), 1e-12);
  EXPECT_NEAR(chance_of_bound(93, 0.01, 0.05), std::pow(0.99, 93) + 93 * 0.01 * std::pow(0.99, 92), 1e-12);
}

TEST(ChanceOfBound, AtTheBoundItselfIsAtMostTheError) {
  for (int64_t n : {59, 93, 300, 5000}) {
    EXPECT_LE(chance_of_bound(n, 0.05, 0.05), 0.05);
    EXPECT_GT(chance_of_bound(n, 0.05, 0.05), 0.03);
  }
}

TEST(SmallestForBound, IsTheFirstNThatReachesThePower) {
  const BoundPlan plan = *smallest_for_bound(0.01, 0.05, 0.9);
  int64_t first = 1;
  while (chance_of_bound(first, 0.01, 0.05) < 0.9) ++first;
  EXPECT_EQ(plan.n, first);
  EXPECT_DOUBLE_EQ(plan.chance, chance_of_bound(first, 0.01, 0.05));
  EXPECT_EQ(smallest_for_bound(0, 0.01)->n, 299);
}

TEST(SmallestForBound, IsAbsentWhereTheClaimIsFalseOrTooDear) {
  EXPECT_FALSE(smallest_for_bound(0.05, 0.05));
  EXPECT_FALSE(smallest_for_bound(0.0495, 0.05, 0.9, 0.95, 5000));
}

}  // namespace
}  // namespace assay
