// The expected numbers come from a second implementation, a few lines of Python (integers masked to 64 bits):
//
//   def splitmix(x):
//       while True:
//           x = (x + 0x9e3779b97f4a7c15) & M; z = x
//           z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & M; z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & M
//           yield z ^ (z >> 31)
//   def xoshiro(s):
//       while True:
//           yield (rotl((s[1] * 5) & M, 7) * 9) & M
//           t = (s[1] << 17) & M
//           s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotl(s[3], 45)
//
// which was itself held against the known first numbers of xoshiro256** from the state {1, 2, 3, 4} (11520, 0,
// 1509978240, 1215971899390074240) and of splitmix64 from 0 (0xe220a8397b1dcdaf). The seeds come from the Python
// package xxhash.
#include "base/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace assay {
namespace {

TEST(Rng, GivesTheNumbersOfXoshiro256StarStar) {
  Rng zero(0), answer(42);
  for (uint64_t expected : {0x99ec5f36cb75f2b4u, 0xbf6e1f784956452au, 0x1a5f849d4933e6e0u, 0x6aa594f1262d2d2cu})
    EXPECT_EQ(zero.next(), expected);
  for (uint64_t expected : {0x15780b2e0c2ec716u, 0x6104d9866d113a7eu, 0xae17533239e499a1u, 0xecb8ad4703b360a1u})
    EXPECT_EQ(answer.next(), expected);
}

TEST(Rng, UniformIsTheUpper53Bits) {
  Rng rng(42);
  EXPECT_EQ(rng.uniform(), 0.08386297105988216);
  EXPECT_EQ(rng.uniform(), 0.3789802506626686);
  EXPECT_EQ(rng.uniform(), 0.6800434110281394);
}

TEST(Rng, UniformHasTheMomentsOfAUniform) {
  Rng rng(7);
  const int n = 100'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    double x = rng.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x, squares += x * x;
  }
  EXPECT_NEAR(sum / n, 1.0 / 2, 0.004);  // four standard errors
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.004);
}

TEST(Rng, BelowIsTheRemainder) {
  Rng rng(42);
  for (uint64_t expected : {0, 0, 5, 5, 4, 0, 4, 3, 4, 5, 1, 1}) EXPECT_EQ(rng.below(6), expected);
}

TEST(Rng, BelowOneIsZero) {
  Rng rng(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.below(1), 0u);
}

// A chi-squared test of ten classes: 27.9 is exceeded by one fair generator of a thousand (9 degrees of freedom).
TEST(Rng, BelowGivesEveryNumberAlike) {
  Rng rng(3);
  std::array<int, 10> seen{};
  const double expected = 10'000;
  for (int i = 0; i < 100'000; ++i) ++seen[rng.below(10)];
  double chi_squared = 0;
  for (int count : seen) chi_squared += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_squared, 27.9);
}

// With n = 3/4 of 2^64 a plain remainder would give the first third of the numbers twice as often as the others.
TEST(Rng, BelowIsUnbiasedWhereARemainderWouldNotBe) {
  Rng rng(5);
  const uint64_t n = uint64_t{3} << 62;
  int in_first_third = 0;
  for (int i = 0; i < 30'000; ++i) in_first_third += rng.below(n) < n / 3;
  EXPECT_NEAR(in_first_third, 10'000, 330);  // four standard deviations; the remainder would give 15000
}

TEST(DeriveSeed, IsXxh3OfLengthsAndParts) {
  EXPECT_EQ(derive_seed(1, {}), 0x2fbc593564db792eu);
  EXPECT_EQ(derive_seed(1, {"world", "desk", "7"}), 0x2dfd3f84cb4a67cdu);
}

TEST(DeriveSeed, DependsOnEveryPartAndOnWhereItEnds) {
  std::set<uint64_t> seeds = {derive_seed(1, {}),          derive_seed(2, {}),          derive_seed(1, {""}),
                              derive_seed(1, {"ab", "c"}), derive_seed(1, {"a", "bc"}), derive_seed(1, {"abc"}),
                              derive_seed(1, {"c", "ab"}), derive_seed(2, {"ab", "c"})};
  EXPECT_EQ(seeds.size(), 8u);
}

}  // namespace
}  // namespace assay
