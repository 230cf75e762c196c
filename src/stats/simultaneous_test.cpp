#include "stats/simultaneous.h"

#include <gtest/gtest.h>

#include <cmath>

#include "stats/simulated.h"

namespace assay {
namespace {

using Draws = PlantedUnit::Draws;

PlantedUnit unit(double planted, std::vector<ClusterCount> clusters, Draws draws = Draws::clustered) {
  return {planted, std::move(clusters), draws};
}

// k of n, each an epoch of its own.
PlantedUnit single(double planted, int64_t k, int64_t n) {
  PlantedUnit out{.planted = planted};
  for (int64_t i = 0; i < n; ++i) out.clusters.push_back({i < k, 1});
  return out;
}

UnitCheck check(const PlantedUnit& one) { return validate_units(std::vector{one}).units[0]; }

TEST(ExactBinomial, IsTwiceTheSmallerTailByHand) {
  EXPECT_DOUBLE_EQ(exact_binomial_p(1, 9, 0.5), 2 * (1 + 9) / 512.0);
  EXPECT_NEAR(exact_binomial_p(0, 3, 0.1), 1, 1e-12);  // 2 * 0.729
  EXPECT_NEAR(exact_binomial_p(3, 3, 0.1), 2 * 0.001, 1e-15);
  EXPECT_EQ(exact_binomial_p(5, 10, 0.5), 1);
}

// Newcombe (1998): 15 of 148 is 0.0578 .. 0.1617; at either limit the p is 0.05.
TEST(ExactBinomial, IsTheDualOfTheExactInterval) {
  EXPECT_NEAR(exact_binomial_p(15, 148, 0.0578), 0.05, 0.001);
  EXPECT_NEAR(exact_binomial_p(15, 148, 0.1617), 0.05, 0.001);
  for (double rate = 0.01; rate < 1; rate += 0.01) {
    EXPECT_EQ(exact_binomial_p(7, 40, rate) > 0.05, clopper_pearson(7, 40).contains(rate)) << rate;
  }
}

TEST(ExactBinomial, KnowsWhatNeverAndWhatAlwaysHappens) {
  EXPECT_EQ(exact_binomial_p(0, 10, 0), 1);
  EXPECT_EQ(exact_binomial_p(10, 10, 1), 1);
  EXPECT_LT(exact_binomial_p(1, 10, 0), 1e-300);
  EXPECT_LT(exact_binomial_p(9, 10, 1), 1e-300);
}

TEST(Unit, OfSingleEpisodesIsExact) {
  const UnitCheck found = check(single(0.3, 4, 10));
  EXPECT_EQ(found.method, "exact (binomial)");
  EXPECT_DOUBLE_EQ(*found.p, exact_binomial_p(4, 10, 0.3));
  EXPECT_TRUE(*found.hit);
}

TEST(Unit, OfIndependentDrawsForgetsItsClusters) {
  const std::vector<ClusterCount> clusters{{8, 8}, {0, 8}, {8, 8}};
  EXPECT_DOUBLE_EQ(*check(unit(0.2, clusters, Draws::independent)).p, exact_binomial_p(16, 24, 0.2));
  EXPECT_GT(*check(unit(0.2, clusters)).p, 0.05);
}

TEST(Unit, OfAlikeClustersIsThatOfAsManyEpisodes) {
  const UnitCheck found = check(unit(0.4, std::vector<ClusterCount>(10, {0, 8})));
  EXPECT_NEAR(*found.p, 2 * std::pow(0.6, 10), 1e-7);
}

// The p of a clustered unit and its interval say the same thing.
TEST(Unit, OfClustersMissesWhereItsPIsSmall) {
  const std::vector<ClusterCount> clusters{{1, 4}, {2, 4}, {0, 4}, {3, 4}, {2, 4}, {0, 4}, {1, 4}, {2, 4}};
  for (double rate = 0.02; rate < 1; rate += 0.04) {
    const UnitCheck found = check(unit(rate, clusters));
    EXPECT_EQ(*found.hit, *found.p > 0.05) << rate;
  }
}

TEST(Unit, IsNotTestableOfOneClusterOrNone) {
  EXPECT_FALSE(check(unit(0.3, {{3, 8}})).p);
  EXPECT_EQ(check(unit(0.3, {{3, 8}})).method, "not testable: fewer than 2 clusters");
  EXPECT_FALSE(check(unit(0.3, {})).p);
  EXPECT_FALSE(check(unit(0.3, {{0, 0}})).hit);
}

TEST(Unit, IsRefutedByOneEpisodeThatCannotBe) {
  for (const PlantedUnit& one : {unit(0, {{1, 8}}), unit(0, {{0, 8}, {1, 8}, {0, 8}}), single(1, 99, 100)}) {
    EXPECT_LT(*check(one).p, 1e-300);
    EXPECT_FALSE(*check(one).hit);
    EXPECT_FALSE(validate_units(std::vector{one}).agrees);
  }
}

TEST(Validation, CountsHitsBesideTheExpected) {
  // 0.5 of 10: the interval holds it for 2 .. 8, 1002/1024. A planted 0 cannot miss.
  const Validation v =
      validate_units(std::vector{single(0.5, 1, 10), single(0.5, 2, 10), single(0, 0, 5), unit(1, {})});
  EXPECT_EQ(v.tested, 3);
  EXPECT_EQ(v.hits, 2);
  EXPECT_NEAR(v.expected_hits, 2 * 1002 / 1024.0 + 1, 1e-12);
  EXPECT_TRUE(v.agrees);
}

TEST(Validation, AlarmsAtOneUnitFarOffAmongMany) {
  std::vector<PlantedUnit> units(30, single(0.2, 20, 100));
  EXPECT_TRUE(validate_units(units).agrees);
  units[7] = single(0.2, 42, 100);
  const Validation v = validate_units(units);
  EXPECT_FALSE(v.agrees);
  EXPECT_LE(*v.units[7].adjusted, 0.01);
  EXPECT_EQ(v.hits, 29);
}

// By simulation: validations of agents that do as planted.
PlantedUnit drawn(Rng& rng, double rate, double planted, const simulated::Design& design, Draws draws) {
  PlantedUnit out{.planted = planted, .draws = draws};
  out.clusters.resize(static_cast<size_t>(design.epochs));
  for (const Observation& o : simulated::episodes(rng, rate, design)) {
    ClusterCount& cluster = out.clusters[static_cast<size_t>(o.epoch)];
    cluster.n += 1, cluster.k += o.event;
  }
  return out;
}

TEST(ValidationError, RaisesAFalseAlarmInAtMostOnePercent) {
  Rng rng(29);
  const int runs = 1500;
  double alarms = 0, hits = 0, expected = 0, squares = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<PlantedUnit> units;
    for (double rate : {0.01, 0.05, 0.3, 0.5, 0.9}) {
      units.push_back(drawn(rng, rate, rate, {.epochs = 20, .cells = 4, .correlation = 0}, Draws::independent));
    }
    const Validation v = validate_units(units);
    alarms += !v.agrees;
    hits += static_cast<double>(v.hits);
    expected += v.expected_hits;
    squares += std::pow(static_cast<double>(v.hits) - v.expected_hits, 2);
  }
  EXPECT_LE(alarms / runs, 0.01 + 3 * std::sqrt(0.01 * 0.99 / runs));
  EXPECT_NEAR(hits / runs, expected / runs, 3 * std::sqrt(squares) / runs);  // expected hits are what is hit
}

TEST(ValidationError, RaisesAFalseAlarmInAtMostOnePercentWhereEpochsHoldTogether) {
  Rng rng(31);
  const int runs = 250;
  double alarms = 0;
  for (int run = 0; run < runs; ++run) {
    std::vector<PlantedUnit> units;
    for (double rate : {0.1, 0.5}) {
      units.push_back(drawn(rng, rate, rate, {.epochs = 30, .cells = 8, .correlation = 0.3}, Draws::clustered));
    }
    alarms += !validate_units(units).agrees;
  }
  EXPECT_LE(alarms / runs, 0.01 + 3 * std::sqrt(0.01 * 0.99 / runs));
}

TEST(ValidationError, SeesAnInstrumentThatMissesOneInFive) {
  Rng rng(37);
  int alarms = 0;
  for (int run = 0; run < 100; ++run) {
    const simulated::Design design{.epochs = 100, .cells = 8, .correlation = 0};
    alarms += !validate_units(std::vector{drawn(rng, 0.24, 0.3, design, Draws::independent)}).agrees;
  }
  EXPECT_GE(alarms, 75);  // 240 expected of 800, 192 measured; alarms with probability 0.884, exactly
}

// --- a truth that was itself estimated

TEST(Within, IsTestedByTheRateThatFitsBest) {
  PlantedUnit unsure = single(0.5, 30, 100);
  unsure.within = Interval{0.35, 0.65};
  unsure.within_error = 0.001;
  const UnitCheck found = check(unsure);
  EXPECT_DOUBLE_EQ(*found.p, exact_binomial_p(30, 100, 0.35) + 0.001);
  EXPECT_TRUE(*found.hit) << "its interval meets what is known of the rate";
  unsure.within = Interval{0.2, 0.65};
  EXPECT_EQ(*check(unsure).p, 1);
  unsure.within = Interval{0.6, 1};
  EXPECT_LT(*check(unsure).p, 0.0011);
  EXPECT_FALSE(*check(unsure).hit);
  PlantedUnit never = single(0, 1, 100);
  never.within = Interval{0, 0};
  never.within_error = 0.001;
  EXPECT_NEAR(*check(never).p, 0.001, 1e-12);
}

// Twenty units whose rate differs from epoch to epoch; the truth about each is a mean over draws of epochs, as an
// organism's card has it, with Student's interval.
TEST(Within, AlarmsAreRareAndRealDifferencesAreFound) {
  constexpr int units = 20, draws = 40, epochs = 40, cells = 4, runs = 150;
  constexpr double error = 0.001 / units;
  Rng rng(7);
  auto rate = [&] { return 0.2 + 0.4 * rng.uniform(); };
  auto run = [&](double shift) {
    std::vector<PlantedUnit> all;
    for (int u = 0; u < units; ++u) {
      double sum = 0, squares = 0;
      for (int d = 0; d < draws; ++d) {
        const double r = rate();
        sum += r, squares += r * r;
      }
      const double mean = sum / draws,
                   half = student_t(draws - 1, 1 - error) * std::sqrt((squares / draws - mean * mean) / (draws - 1));
      PlantedUnit one{.planted = mean, .within = Interval{mean - half, mean + half}, .within_error = error};
      for (int e = 0; e < epochs; ++e) {
        const double r = rate() + (u == 0 ? shift : 0);
        int64_t k = 0;
        for (int c = 0; c < cells; ++c) k += rng.uniform() < r;
        one.clusters.push_back({k, cells});
      }
      all.push_back(std::move(one));
    }
    return !validate_units(all).agrees;
  };
  int false_alarms = 0, found = 0;
  for (int i = 0; i < runs; ++i) false_alarms += run(0);
  for (int i = 0; i < 30; ++i) found += run(0.35);
  EXPECT_LE(false_alarms, 5);  // 1 in 100 at most: 1.5 expected, and 5 is three standard deviations above
  EXPECT_GE(found, 24);
}

}  // namespace
}  // namespace assay
