#include "stats/power.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cassert>
#include <cmath>
#include <vector>

#include "stats/effect.h"
#include "stats/rate.h"

namespace assay {
namespace {

constexpr double kNegligible = 1e-18;  // a chance that is left out; at most 1e4 of them in a sum

// P(X <= k) of a Binomial(n, p), 0 <= p <= 1.
double binomial_at_most(int64_t k, int64_t n, double p) {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return boost::math::ibetac(static_cast<double>(k) + 1, static_cast<double>(n - k), p);
}

// The chances of a Binomial(n, p) that are not negligible: those of first, first + 1, ...
struct Chances {
  int64_t first = 0;
  std::vector<double> of;
};

Chances binomial(int64_t n, double p) {
  if (p <= 0) return {0, {1.0}};
  if (p >= 1) return {n, {1.0}};
  const double size = static_cast<double>(n), odds = p / (1 - p);
  const int64_t mode = std::min(n, static_cast<int64_t>((size + 1) * p));
  const double at = static_cast<double>(mode);
  const double peak = std::exp(std::lgamma(size + 1) - std::lgamma(at + 1) - std::lgamma(size - at + 1) +
                               at * std::log(p) + (size - at) * std::log1p(-p));
  // Outward from the mode, by the ratio of neighbours.
  std::vector<double> down;
  double chance = peak;
  for (int64_t k = mode; k > 0; --k) {
    chance *= static_cast<double>(k) / (static_cast<double>(n - k + 1) * odds);
    if (chance < kNegligible) break;
    down.push_back(chance);
  }
  Chances chances{mode - static_cast<int64_t>(down.size()), {down.rbegin(), down.rend()}};
  chances.of.push_back(peak);
  chance = peak;
  for (int64_t k = mode; k < n; ++k) {
    chance *= static_cast<double>(n - k) * odds / static_cast<double>(k + 1);
    if (chance < kNegligible) break;
    chances.of.push_back(chance);
  }
  return chances;
}

// Whether the interval that estimate_effect gives n single twins excludes 0: its formulas, where counts are all there
// is.
class PairedInterval {
 public:
  PairedInterval(int64_t n, double level) : n_(n), level_(level), limits_(static_cast<size_t>(n) + 1) {}

  bool excludes_zero(int64_t up, int64_t down) {
    const double n = static_cast<double>(n_), a = static_cast<double>(up) / n, b = static_cast<double>(down) / n;
    const Interval of_a = limits(up), of_b = limits(down);
    const double scale = std::sqrt(a * (1 - a) * b * (1 - b));
    const double r = scale > 0 ? std::clamp(-a * b / scale, -1.0, 1.0) : 0;
    auto join = [r](double x, double y) { return std::sqrt(std::max(0.0, x * x - 2 * r * x * y + y * y)); };
    return a - b - join(a - of_a.low, of_b.high - b) > 0 || a - b + join(of_a.high - a, b - of_b.low) < 0;
  }

 private:
  Interval limits(int64_t k) {
    std::optional<Interval>& known = limits_[static_cast<size_t>(k)];
    if (!known) {
      const double n = static_cast<double>(n_), share = static_cast<double>(k) / n;
      known = cautious_korn_graubard(share, share * (1 - share) / (n - 1), n, n, n - 1, level_);
    }
    return *known;
  }

  int64_t n_;
  double level_;
  std::vector<std::optional<Interval>> limits_;  // by count; filled when first asked for
};

// The largest k with P(Binomial(n, 1/2) <= k) * 2 < alpha, or -1: of n discordant twins, that few on one side are
// significant.
int64_t significant_up_to(int64_t n, double alpha) {
  int64_t yes = -1, no = n / 2 + 1;
  while (no - yes > 1) {
    const int64_t k = yes + (no - yes) / 2;
    (exact_mcnemar(n - k, k) < alpha ? yes : no) = k;
  }
  return yes;
}

// The most events that n episodes can bear and still bound the rate below p0; -1 if none.
int64_t most_events(int64_t n, double p0, double confidence) {
  int64_t yes = -1, no = n;
  while (no - yes > 1) {
    const int64_t k = yes + (no - yes) / 2;
    (binomial_at_most(k, n, p0) < 1 - confidence ? yes : no) = k;
  }
  return yes;
}

// The least n above `no`, which does not do it, at which k events still bound the rate below p0. The chance of so few
// falls as n grows.
std::optional<int64_t> first_to_bound(int64_t k, int64_t no, double p0, double confidence, int64_t most) {
  int64_t step = 1, yes = no + 1;
  for (; binomial_at_most(k, yes, p0) >= 1 - confidence; yes += step) {
    if (yes >= most) return std::nullopt;
    no = yes;
    step = std::min(2 * step, most - yes);
  }
  while (yes - no > 1) {
    const int64_t n = no + (yes - no) / 2;
    (binomial_at_most(k, n, p0) < 1 - confidence ? yes : no) = n;
  }
  return yes <= most ? std::optional(yes) : std::nullopt;
}

bool is_probability(double x) { return 0 <= x && x <= 1; }
[[maybe_unused]] bool is_inner(double x) { return 0 < x && x < 1; }

}  // namespace

std::optional<TwinChances> twin_chances(double base, double level, double correlation) {
  if (!is_probability(base) || !is_probability(level)) return std::nullopt;
  const double both = base * level + correlation * std::sqrt(base * (1 - base) * level * (1 - level));
  const double rounding = 1e-12;
  const double least = std::max(0.0, base + level - 1), most = std::min(base, level);
  if (!(least - rounding <= both && both <= most + rounding)) return std::nullopt;
  const double within = std::clamp(both, least, most);
  return TwinChances{level - within, base - within};
}

std::optional<Power> paired_power(TwinChances twin, int64_t n, double alpha) {
  assert(twin.up >= 0 && twin.down >= 0 && twin.up + twin.down <= 1 + 1e-9 && is_inner(alpha));
  if (n < 2 || n > kMostTwins) return std::nullopt;
  const double differs = std::min(1.0, twin.up + twin.down);
  const Chances discordant = binomial(n, differs);
  PairedInterval interval(n, 1 - alpha);
  Power power;
  for (size_t i = 0; i < discordant.of.size(); ++i) {
    const int64_t m = discordant.first + static_cast<int64_t>(i);
    const int64_t few = significant_up_to(m, alpha);
    const Chances up = binomial(m, differs > 0 ? std::min(1.0, twin.up / differs) : 0);
    for (size_t j = 0; j < up.of.size(); ++j) {
      const int64_t k = up.first + static_cast<int64_t>(j);
      const double chance = discordant.of[i] * up.of[j];
      if (std::min(k, m - k) <= few) power.p += chance;
      if (chance >= kNegligible && interval.excludes_zero(k, m - k)) power.interval += chance;
    }
  }
  power.p = std::min(1.0, power.p);
  power.interval = std::min(1.0, power.interval);
  return power;
}

std::optional<int64_t> smallest_twins(TwinChances twin, const PowerGoal& goal) {
  assert(is_inner(goal.power));
  const int64_t most = std::min(goal.most, kMostTwins);
  auto reaches = [&](int64_t n) {
    const std::optional<Power> power = paired_power(twin, n, goal.alpha);
    return power && (goal.of == PowerGoal::Of::p ? power->p : power->interval) >= goal.power;
  };
  int64_t no = 1, yes = 2;
  while (!reaches(yes)) {
    if (yes >= most) return std::nullopt;
    no = yes;
    yes = std::min(most, 2 * yes);
  }
  while (yes - no > 1) {
    const int64_t n = no + (yes - no) / 2;
    (reaches(n) ? yes : no) = n;
  }
  return yes <= most ? std::optional(yes) : std::nullopt;
}

std::optional<int64_t> smallest_to_bound(int64_t k, double p0, double confidence, int64_t most) {
  assert(k >= 0 && is_inner(p0) && is_inner(confidence));
  return first_to_bound(k, k, p0, confidence, most);
}

double chance_of_bound(int64_t n, double p, double p0, double confidence) {
  assert(n >= 0 && is_probability(p) && is_inner(p0) && is_inner(confidence));
  return binomial_at_most(most_events(n, p0, confidence), n, p);
}

std::optional<BoundPlan> smallest_for_bound(double p, double p0, double power, double confidence, int64_t most) {
  assert(is_probability(p) && is_inner(power));
  if (p >= p0 && power > 1 - confidence) return std::nullopt;
  std::optional<int64_t> n = 0;
  for (int64_t events = 0;; ++events) {
    n = first_to_bound(events, *n, p0, confidence, most);  // one event more always costs at least one episode more
    if (!n) return std::nullopt;
    const double chance = binomial_at_most(events, *n, p);
    if (chance >= power) return BoundPlan{*n, events, chance};
  }
}

}  // namespace assay
