#include "stats/effect.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "stats/simulated.h"

namespace assay {
namespace {

using Twins = std::vector<Twin>;

void add(Twins& twins, int scenario, int64_t epoch, int count, bool at_level, bool at_base) {
  for (int i = 0; i < count; ++i) twins.push_back({scenario, epoch, at_level, at_base});
}

// One twin an epoch: `up` only at the level, `down` only at the base, `same` in neither.
Twins one_per_epoch(int up, int down, int same, int scenario = 0) {
  Twins twins;
  for (int e = 0; e < up + down + same; ++e) add(twins, scenario, e, 1, e < up, e >= up && e < up + down);
  return twins;
}

Twins operator+(Twins a, const Twins& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(McNemar, GivesTheExactBinomialTails) {
  EXPECT_DOUBLE_EQ(exact_mcnemar(1, 8), 2 * (1 + 9) / 512.0);          // 0.0391
  EXPECT_DOUBLE_EQ(exact_mcnemar(10, 2), 2 * (1 + 12 + 66) / 4096.0);  // 0.0386
  EXPECT_DOUBLE_EQ(exact_mcnemar(0, 5), 0.0625);
}

TEST(McNemar, IsOneWhereNothingSpeaksForEitherSide) {
  EXPECT_EQ(exact_mcnemar(0, 0), 1);
  EXPECT_EQ(exact_mcnemar(7, 7), 1);
  EXPECT_EQ(exact_mcnemar(3, 4), 1);
}

TEST(McNemar, NeverSaysZero) { EXPECT_GT(exact_mcnemar(0, 1'000'000), 0); }

double flip(std::vector<int64_t> sums) { return sign_flip_p(sums).p; }

TEST(SignFlip, CountsPatternsByHand) {
  EXPECT_DOUBLE_EQ(flip({1, 1, 1}), 2 / 8.0);
  EXPECT_DOUBLE_EQ(flip({1, 2, 3}), 2 / 8.0);
  EXPECT_DOUBLE_EQ(flip({-1, 2, 3}), 4 / 8.0);  // totals 6, 4, 2, 0, -0, ...: two patterns of each sign reach 4
  EXPECT_DOUBLE_EQ(flip({3, -1}), 1);           // nothing is nearer to 0 than 2
  EXPECT_DOUBLE_EQ(flip({}), 1);
  EXPECT_DOUBLE_EQ(flip({0, 0}), 1);
  EXPECT_DOUBLE_EQ(flip({5, -5}), 1);
}

TEST(SignFlip, OfSingleTwinsIsMcNemar) {
  std::vector<int64_t> sums(10, 1);
  sums.insert(sums.end(), {-1, -1, 0, 0, 0});
  EXPECT_DOUBLE_EQ(flip(sums), exact_mcnemar(10, 2));
}

TEST(SignFlip, IsTheShareOfAllPatterns) {
  Rng rng(3);
  for (int round = 0; round < 30; ++round) {
    std::vector<int64_t> sums(1 + rng.below(10));
    int64_t observed = 0;
    for (int64_t& sum : sums) observed += sum = static_cast<int64_t>(rng.below(13)) - 6;
    int reached = 0;
    for (unsigned pattern = 0; pattern < 1u << sums.size(); ++pattern) {
      int64_t total = 0;
      for (size_t i = 0; i < sums.size(); ++i) total += pattern >> i & 1 ? sums[i] : -sums[i];
      reached += std::abs(total) >= std::abs(observed);
    }
    EXPECT_NEAR(flip(sums), reached / std::pow(2.0, sums.size()), 1e-12);
  }
}

TEST(SignFlip, TurnsToTheNormalLimitForManyClustersAndSaysSo) {
  std::vector<int64_t> sums(2571, 1);
  sums.insert(sums.end(), 2430, -1);  // 5,001 in all
  const SignFlip many = sign_flip_p(sums);
  EXPECT_FALSE(many.exact);
  EXPECT_NEAR(many.p, exact_mcnemar(2571, 2430), 2e-4);
  sums.pop_back();
  const SignFlip few = sign_flip_p(sums);
  EXPECT_TRUE(few.exact);
  EXPECT_NEAR(few.p, exact_mcnemar(2571, 2429), 1e-10);
}

TEST(SignFlip, StaysBoundedForHugeSums) {
  const SignFlip huge = sign_flip_p(std::vector<int64_t>{int64_t{1} << 40, 3, -(int64_t{1} << 40)});
  EXPECT_FALSE(huge.exact);
  EXPECT_GT(huge.p, 0.9);
}

TEST(Effect, OfNoTwinsIsAbsent) {
  const Effect e = estimate_effect({});
  EXPECT_FALSE(e.value || e.interval || e.p);
}

TEST(Effect, OfOneClusterHasAValueButNothingElse) {
  Twins twins;
  add(twins, 0, 0, 3, true, false);
  add(twins, 0, 0, 1, false, false);
  const Effect e = estimate_effect(twins);
  EXPECT_DOUBLE_EQ(*e.value, 0.75);
  EXPECT_FALSE(e.interval || e.p);
  EXPECT_EQ(e.method, "not estimable: fewer than 2 clusters");
}

TEST(Effect, IsTheMeanPairedDifference) {
  const Effect e = estimate_effect(one_per_epoch(8, 1, 11));
  EXPECT_DOUBLE_EQ(*e.value, 7 / 20.0);
  EXPECT_EQ(e.up, 8);
  EXPECT_EQ(e.down, 1);
  EXPECT_DOUBLE_EQ(*e.p, exact_mcnemar(8, 1));
  EXPECT_GT(e.interval->low, 0);
}

TEST(Effect, WithoutAnyDifferenceIsBoundedByTheExactRateOfDiscordance) {
  Twins twins;
  for (int epoch = 0; epoch < 10; ++epoch) add(twins, 0, epoch, 4, true, true);
  const Effect e = estimate_effect(twins);
  EXPECT_EQ(*e.value, 0);
  EXPECT_NEAR(e.interval->high, 0.3085, 5e-5);  // 0 of 10 clusters
  EXPECT_NEAR(e.interval->low, -0.3085, 5e-5);
  EXPECT_EQ(*e.p, 1);
  EXPECT_EQ(e.method, "twins, exact (Clopper-Pearson) bound, clusters as units; p by sign flips of clusters, exact");
}

// a = 1 in [0.6915, 1] and b = 0 in [0, 0.3085], each varying in nothing: 1 - sqrt(2) * 0.3085.
TEST(Effect, OfTwinsThatAllGoUpStillHasAnInterval) {
  const Effect e = estimate_effect(one_per_epoch(10, 0, 0));
  EXPECT_NEAR(e.interval->low, 1 - std::sqrt(2.0) * 0.30850, 5e-5);
  EXPECT_EQ(e.interval->high, 1);
  EXPECT_DOUBLE_EQ(*e.p, 2 / 1024.0);
}

TEST(Effect, OverScenariosIsThePlainMeanAndEachHasItsOwnTest) {
  const Effect e = estimate_effect(one_per_epoch(9, 0, 1, 5) + one_per_epoch(1, 8, 91, 2));
  EXPECT_DOUBLE_EQ(*e.value, (0.9 - 0.07) / 2);
  ASSERT_EQ(e.scenarios.size(), 2u);
  EXPECT_EQ(e.scenarios[0].scenario, 2);
  EXPECT_DOUBLE_EQ(e.scenarios[0].difference, -0.07);
  EXPECT_DOUBLE_EQ(e.scenarios[0].mcnemar_p, exact_mcnemar(1, 8));
  EXPECT_EQ(e.scenarios[1].up, 9);
  EXPECT_EQ(e.clusters, 110);
}

TEST(Effect, ChangesSignWhenLevelAndBaseChangePlaces) {
  Rng rng(5);
  Twins twins = simulated::twins(rng, 0.2, 0.4, {});
  const Effect there = estimate_effect(twins);
  for (Twin& t : twins) std::swap(t.at_level, t.at_base);
  const Effect back = estimate_effect(twins);
  EXPECT_DOUBLE_EQ(*back.value, -*there.value);
  EXPECT_NEAR(back.interval->low, -there.interval->high, 1e-12);
  EXPECT_DOUBLE_EQ(*back.p, *there.p);
}

TEST(Effect, FlipsWholeClustersNotTwins) {
  Twins twins;  // five epochs in which all four twins go up: 2/32, whatever McNemar makes of 20 twins
  for (int epoch = 0; epoch < 5; ++epoch) add(twins, 0, epoch, 4, true, false);
  EXPECT_DOUBLE_EQ(*estimate_effect(twins).p, 2 / 32.0);
}

// By simulation; margins are three standard errors of a share of `runs`.
struct Found {
  double coverage = 0, without_zero = 0, significant = 0, width = 0;
};

Found simulate(double base, double level, const simulated::Design& design, int runs) {
  Rng rng(derive_seed(23, {"effect", std::to_string(base), std::to_string(level)}));
  Found found;
  for (int run = 0; run < runs; ++run) {
    const Effect e = estimate_effect(simulated::twins(rng, base, level, design));
    found.coverage += e.interval->contains(level - base);
    found.without_zero += !e.interval->contains(0);
    found.significant += *e.p <= 0.05;
    found.width += e.interval->width();
  }
  for (double* sum : {&found.coverage, &found.without_zero, &found.significant, &found.width}) *sum /= runs;
  return found;
}

double margin(double share, int runs) { return 3 * std::sqrt(share * (1 - share) / runs); }

TEST(EffectCoverage, HoldsForClustersOfTwins) {
  const simulated::Design design{.epochs = 30, .cells = 8, .correlation = 0.3};
  for (double base : {0.005, 0.05, 0.45}) {
    const Found found = simulate(base, base + 0.1, design, 600);
    EXPECT_GE(found.coverage, 0.95 - margin(0.95, 600)) << base;
  }
}

TEST(EffectCoverage, IsNotBoughtByWidthWhereThereIsMuchData) {
  const Found found = simulate(0.45, 0.55, {.epochs = 200, .cells = 2, .correlation = 0}, 600);
  EXPECT_NEAR(found.coverage, 0.955, 0.03);
  EXPECT_NEAR(found.width, 2 * 1.96 * std::sqrt(0.485 / 200) * 1.03, 0.006);  // the variance of one difference is 0.485
}

TEST(EffectTest, ErrsInAtMostFivePercentWhereThereIsNoEffect) {
  const Found found = simulate(0.5, 0.5, {.epochs = 30, .cells = 8, .correlation = 0.3}, 1500);
  EXPECT_LE(found.significant, 0.05 + margin(0.05, 1500));
  EXPECT_GE(found.significant, 0.02);  // and is not asleep
}

// docs/statistics.md, sample sizes: about half of the runs at 200 independent twins see 0.45 v. 0.55.
TEST(EffectTest, HasThePowerThatTheSampleSizesPromise) {
  const simulated::Design design{.epochs = 200, .cells = 2, .correlation = 0};
  EXPECT_NEAR(simulate(0.45, 0.55, design, 600).without_zero, 0.48, margin(0.48, 600));
  EXPECT_NEAR(simulate(0.05, 0.15, design, 600).without_zero, 0.91, margin(0.91, 600));
}

}  // namespace
}  // namespace assay
