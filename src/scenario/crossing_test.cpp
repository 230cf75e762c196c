#include "scenario/crossing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/rng.h"

namespace assay {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Eq;

// The number of pairs of levels that stand together in no row.
int missing_pairs(const std::vector<int>& levels, const std::vector<LevelRow>& rows) {
  int missing = 0;
  for (size_t f = 0; f < levels.size(); ++f)
    for (size_t g = f + 1; g < levels.size(); ++g)
      for (int a = 0; a < levels[f]; ++a)
        for (int b = 0; b < levels[g]; ++b)
          missing +=
              std::none_of(rows.begin(), rows.end(), [&](const LevelRow& row) { return row[f] == a && row[g] == b; });
  return missing;
}

TEST(Crossing, FullIsEveryCombinationOnce) {
  EXPECT_THAT(full_crossing(std::vector{2, 3}), ElementsAre(LevelRow{0, 0}, LevelRow{0, 1}, LevelRow{0, 2},
                                                            LevelRow{1, 0}, LevelRow{1, 1}, LevelRow{1, 2}));
  EXPECT_THAT(full_crossing({}), ElementsAre(LevelRow{}));
}

TEST(Crossing, CountsWithoutOverflow) {
  EXPECT_EQ(combinations(std::vector{4, 4, 4}, 64), 64);
  EXPECT_EQ(combinations(std::vector{4, 4, 4}, 63), 64);
  EXPECT_EQ(combinations(std::vector(80, 3), 1'000'000), 1'000'001);
}

TEST(Crossing, PairwiseCoversEveryPairOfLevels) {
  Rng rng(5);
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<int> levels(1 + rng.below(9));
    for (int& n : levels) n = 1 + static_cast<int>(rng.below(5));
    std::vector<LevelRow> rows = pairwise_crossing(levels);
    EXPECT_EQ(missing_pairs(levels, rows), 0);
    EXPECT_THAT(rows[0], Each(Eq(0)));
    EXPECT_EQ(std::set<LevelRow>(rows.begin(), rows.end()).size(), rows.size());
    for (const LevelRow& row : rows)
      for (size_t f = 0; f < levels.size(); ++f) EXPECT_TRUE(row[f] >= 0 && row[f] < levels[f]);
  }
}

TEST(Crossing, PairwiseIsSmall) {
  // No array has fewer rows than the two largest factors have pairs: 4 and 9 here. The best known for ten factors of
  // two levels has 6 rows, for ten of three 14.
  EXPECT_LE(pairwise_crossing(std::vector(10, 2)).size(), 10u);
  EXPECT_LE(pairwise_crossing(std::vector(10, 3)).size(), 24u);
  EXPECT_LE(pairwise_crossing(std::vector(100, 2)).size(), 20u);
}

TEST(Crossing, RandomRowsAreDifferentAndDrawnEvenly) {
  const std::vector<int> levels = {2, 3, 4};
  std::vector<int> seen(24, 0);
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    std::vector<LevelRow> rows = random_crossing(levels, 6, seed);
    EXPECT_EQ(std::set<LevelRow>(rows.begin(), rows.end()).size(), 6u);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    for (const LevelRow& row : rows) ++seen[static_cast<size_t>((row[0] * 3 + row[1]) * 4 + row[2])];
  }
  // Each of 24 combinations in a quarter of the draws: 750, with a standard deviation of 24.
  for (int n : seen) EXPECT_NEAR(n, 750, 5 * 24);
  EXPECT_EQ(random_crossing(levels, 6, 1), random_crossing(levels, 6, 1));
  EXPECT_EQ(random_crossing(levels, 100, 1), full_crossing(levels));
}

TEST(Crossing, RandomDrawsFromGridsFarTooBigToList) {
  std::vector<LevelRow> rows = random_crossing(std::vector(30, 4), 50, 3);
  EXPECT_EQ(std::set<LevelRow>(rows.begin(), rows.end()).size(), 50u);
}

}  // namespace
}  // namespace assay
