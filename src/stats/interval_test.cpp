#include "stats/interval.h"

#include <gtest/gtest.h>

#include <cmath>

namespace assay {
namespace {

void expect_interval(const Interval& interval, double low, double high, double within = 5e-5) {
  EXPECT_NEAR(interval.low, low, within);
  EXPECT_NEAR(interval.high, high, within);
}

TEST(ClopperPearson, GivesThePublishedIntervals) {
  // Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 5.
  expect_interval(clopper_pearson(81, 263), 0.2527, 0.3676);
  expect_interval(clopper_pearson(15, 148), 0.0578, 0.1617);
  expect_interval(clopper_pearson(0, 20), 0.0000, 0.1684);
  expect_interval(clopper_pearson(1, 29), 0.0009, 0.1776);
  expect_interval(clopper_pearson(8, 10), 0.4439, 0.9748);
}

TEST(ClopperPearson, EndsAreExactAndKeepHalfTheErrorWhereNothingOrEverythingHappened) {
  EXPECT_EQ(clopper_pearson(0, 10).low, 0);
  EXPECT_NEAR(clopper_pearson(0, 10).high, 1 - std::pow(0.025, 0.1), 1e-12);  // 0.3085
  EXPECT_NEAR(clopper_pearson(10, 10).low, std::pow(0.025, 0.1), 1e-12);
  EXPECT_EQ(clopper_pearson(10, 10).high, 1);
}

TEST(ClopperPearson, WidensWithTheLevel) {
  EXPECT_NEAR(clopper_pearson(0, 10, 0.99).high, 1 - std::pow(0.005, 0.1), 1e-12);
  EXPECT_LT(clopper_pearson(3, 10, 0.9).width(), clopper_pearson(3, 10, 0.95).width());
}

TEST(ClopperPearson, HoldsForAnyNumberOfEpisodes) {
  expect_interval(clopper_pearson(0, 1), 0, 0.975, 1e-12);
  const Interval rare = clopper_pearson(1, 1e12);  // Poisson's limits for one event: 0.02532, 5.5716
  EXPECT_NEAR(rare.low * 1e12, 0.0253178, 1e-6);
  EXPECT_NEAR(rare.high * 1e12, 5.5716434, 1e-6);
}

// Summing the binomial over all k gives the coverage itself, with no simulation noise.
TEST(ClopperPearson, NeverCoversLessThanItSays) {
  const int n = 20;
  double worst = 1;
  for (double p = 0.005; p < 1; p += 0.005) {
    double coverage = 0;
    for (int k = 0; k <= n; ++k) {
      const double log_ways = std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
      const double chance = std::exp(log_ways + k * std::log(p) + (n - k) * std::log1p(-p));
      if (clopper_pearson(k, n).contains(p)) coverage += chance;
    }
    worst = std::min(worst, coverage);
  }
  EXPECT_GE(worst, 0.95);
  EXPECT_LT(worst, 0.96);  // and is not wide for no reason
}

TEST(ExactBounds, PutTheWholeErrorOnOneSide) {
  EXPECT_NEAR(exact_upper_bound(0, 10), 1 - std::pow(0.05, 0.1), 1e-12);  // 0.2589
  EXPECT_NEAR(exact_lower_bound(10, 10), std::pow(0.05, 0.1), 1e-12);
  EXPECT_NEAR(exact_upper_bound(0, 1000), 3.0 / 1000, 1e-5);  // the rule of three (Hanley & Lippman-Hand 1983)
  EXPECT_NEAR(exact_upper_bound(3, 10), clopper_pearson(3, 10, 0.9).high, 1e-12);
}

TEST(StudentT, GivesTheTablesQuantiles) {
  EXPECT_NEAR(student_t(1), 12.706, 5e-4);
  EXPECT_NEAR(student_t(9), 2.262, 5e-4);
  EXPECT_NEAR(student_t(9, 0.99), 3.250, 5e-4);
  EXPECT_NEAR(student_t(1e9), 1.95996, 5e-6);
}

}  // namespace
}  // namespace assay
