// How many epochs do I need? Exact, by enumeration of what can be counted; what is left out of the sums is below 1e-12.
//
//   auto pair = twin_chances(0.05, 0.15);                 // rates at base and level
//   Power now = *paired_power(*pair, 200);                // now.interval: 0.91
//   auto n = smallest_twins(*pair, {.power = 0.9});       // absent: not within the bound of the search
//
// Twins are taken as independent, one an epoch. Where an epoch holds m twins that share a surface, the truth lies
// between n = epochs (all alike) and n = m x epochs (independent after all).
//
// Power is a saw, not a slope: counts are whole, and one twin more may cost a little. "Smallest" below says which
// tooth.
#pragma once

#include <cstdint>
#include <optional>

namespace assay {

// What can become of a twin, as chances: the event only at the level, only at the base. The rest stays the same.
struct TwinChances {
  double up = 0, down = 0;
};

// From the rates at base and level and the correlation (phi coefficient) between the two outcomes:
//   P(both) = p q + correlation sqrt(p(1-p) q(1-q)).
// Absent where no such pair exists: rates outside [0, 1], or a correlation that two such rates cannot have. Power grows
// with the correlation; 0 is the cautious choice.
std::optional<TwinChances> twin_chances(double base, double level, double correlation = 0);

// The chances that with n twins ...
struct Power {
  double interval = 0;  // ... estimate_effect's interval at level 1 - alpha excludes 0
  double p = 0;         // ... its sign-flip p (here McNemar's exact one) is below alpha
};

// Absent for n < 2 (nothing is estimable) and n > kMostTwins.
inline constexpr int64_t kMostTwins = 20'000;
std::optional<Power> paired_power(TwinChances twin, int64_t n, double alpha = 0.05);

struct PowerGoal {
  enum class Of { interval, p } of = Of::interval;
  double power = 0.9;  // in (0, 1)
  double alpha = 0.05;
  int64_t most = kMostTwins;  // the search ends here
};

// n whose power reaches the goal while that of n - 1 does not, found by doubling and halving: about 2 log2(n) sums.
// A smaller n may reach it by a tooth of the saw. Absent if doubling up to `most` does not.
std::optional<int64_t> smallest_twins(TwinChances twin, const PowerGoal& goal = {});

// For claims of the form "the rate is below p0", in n independent episodes of which k show the event: the one-sided
// Clopper-Pearson bound lies below p0, that is P(Binomial(n, p0) <= k) < 1 - confidence. p0 and confidence in (0, 1).

// The least n at which k events still bound the rate below p0 (Wilks 1941 for k = 0 and tolerance limits: 59 for 95 %
// / 95 %). Absent above `most`.
inline constexpr int64_t kMostEpisodes = 10'000'000;
std::optional<int64_t> smallest_to_bound(int64_t k, double p0, double confidence = 0.95, int64_t most = kMostEpisodes);

// The chance, at true rate p in [0, 1], that n >= 0 episodes bound the rate below p0. At p >= p0 it is the chance of a
// false claim, at most 1 - confidence.
double chance_of_bound(int64_t n, double p, double p0, double confidence = 0.95);

// The least n with chance_of_bound >= power, exactly: the chance only rises where one more event becomes affordable, so
// only those n need a look. Absent above `most` (always where p >= p0 and power > 1 - confidence).
struct BoundPlan {
  int64_t n = 0;
  int64_t events = 0;  // the most that n can bear
  double chance = 0;
};
std::optional<BoundPlan> smallest_for_bound(double p, double p0, double power = 0.9, double confidence = 0.95,
                                            int64_t most = 100'000);

}  // namespace assay
