#include "stats/multiple.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace assay {
namespace {

using Ps = std::vector<MaybeP>;

int rejected(const Ps& adjusted, double level = 0.05) {
  int count = 0;
  for (const MaybeP& p : adjusted) count += p && *p <= level;
  return count;
}

void expect_near(const Ps& found, const Ps& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].has_value(), wanted[i].has_value()) << i;
    EXPECT_NEAR(found[i].value_or(-1), wanted[i].value_or(-1), 1e-12) << i;
  }
}

// Benjamini & Hochberg (1995), section 4: fifteen comparisons of two treatments of myocardial infarction. At 0.05 the
// paper's procedure rejects the four smallest, Bonferroni and Hochberg's step-up three.
const Ps kInfarction = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};

TEST(BenjaminiHochberg, RejectsTheFourOfItsOwnExample) {
  const Ps adjusted = benjamini_hochberg(kInfarction);
  EXPECT_EQ(rejected(adjusted), 4);
  EXPECT_NEAR(*adjusted[3], 15 * 0.0095 / 4, 1e-12);
  EXPECT_NEAR(*adjusted[5], 15 * 0.0298 / 7, 1e-12);  // the next one is nearer to its line
  EXPECT_NEAR(*adjusted[14], 1, 1e-12);
}

TEST(Holm, RejectsThreeOfThem) {
  const Ps adjusted = holm(kInfarction);
  EXPECT_EQ(rejected(adjusted), 3);
  EXPECT_NEAR(*adjusted[2], 13 * 0.0019, 1e-12);
  EXPECT_NEAR(*adjusted[3], 12 * 0.0095, 1e-12);
}

// The usual textbook example of the step-down: 0.04 fails only because 0.03 did.
TEST(Holm, StopsAtTheFirstThatFails) { expect_near(holm(Ps{0.01, 0.04, 0.03, 0.005}), {0.03, 0.06, 0.06, 0.02}); }

TEST(Adjusted, AreAlikeForTiesAndNeverAboveOne) {
  expect_near(holm(Ps{0.02, 0.5, 0.02, 0.9}), {0.08, 1, 0.08, 1});
  expect_near(benjamini_hochberg(Ps{0.02, 0.5, 0.02, 0.9}), {0.04, 0.5 * 4 / 3, 0.04, 0.9});
}

TEST(Adjusted, OfNothingIsNothingAndOfOneItself) {
  EXPECT_TRUE(holm({}).empty());
  EXPECT_TRUE(benjamini_hochberg({}).empty());
  expect_near(holm(Ps{0.03}), {0.03});
  expect_near(benjamini_hochberg(Ps{0.03}), {0.03});
}

TEST(Adjusted, CountTheAbsentAsIfTheySpokeForNothing) {
  const Ps with_gaps{std::nullopt, 0.01, std::nullopt, 0.02}, with_ones{1.0, 0.01, 1.0, 0.02};
  Ps wanted = holm(with_ones);
  wanted[0] = wanted[2] = std::nullopt;
  expect_near(holm(with_gaps), wanted);
  expect_near(benjamini_hochberg(with_gaps), {std::nullopt, 0.04, std::nullopt, 0.04});
}

// Twenty independent comparisons, of which `real` are true differences (their p is the sixth power of a uniform).
struct Errors {
  double any = 0;         // share of families with a false rejection
  double discovered = 0;  // mean share of false among the rejected
  double power = 0;       // mean share of the real ones that were found
};

template <class Adjust>
Errors simulate(int real, Adjust adjust) {
  const int runs = 4000, size = 20;
  Rng rng(23);
  Errors errors;
  for (int run = 0; run < runs; ++run) {
    Ps ps;
    for (int i = 0; i < size; ++i) {
      const double uniform = rng.uniform();
      ps.push_back(i < real ? std::pow(uniform, 6) : uniform);
    }
    const Ps adjusted = adjust(ps);
    int found = 0, wrong = 0;
    for (int i = 0; i < size; ++i) {
      if (*adjusted[i] > 0.05) continue;
      (i < real ? found : wrong) += 1;
    }
    errors.any += (wrong > 0) / static_cast<double>(runs);
    if (wrong > 0) errors.discovered += static_cast<double>(wrong) / (wrong + found) / runs;
    if (real > 0) errors.power += static_cast<double>(found) / real / runs;
  }
  return errors;
}

// Margins: three standard errors of a share of 4,000.
TEST(Holm, ErrsAnywhereInAtMostFivePercentOfFamilies) {
  for (int real : {0, 10}) {
    const Errors errors = simulate(real, [](const Ps& ps) { return holm(ps); });
    EXPECT_LE(errors.any, 0.05 + 0.0104) << real;
    EXPECT_GE(errors.any, 0.025) << real;  // and is not asleep
  }
}

// Of independent tests the rate is exactly level x share of true nulls.
TEST(BenjaminiHochberg, FindsMoreAndErrsInFivePercentOfWhatItFinds) {
  const Errors found = simulate(10, [](const Ps& ps) { return benjamini_hochberg(ps); });
  EXPECT_NEAR(found.discovered, 0.025, 0.005);
  EXPECT_GT(found.any, 0.06);
  EXPECT_GT(found.power, simulate(10, [](const Ps& ps) { return holm(ps); }).power);
}

}  // namespace
}  // namespace assay
