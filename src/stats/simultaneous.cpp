#include "stats/simultaneous.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cassert>
#include <cmath>
#include <limits>

#include "stats/clusters.h"
#include "stats/least_error.h"
#include "stats/rate.h"

namespace assay {
namespace {

constexpr double kLevel = 0.95;

// P(X <= k) and P(X >= k) of a Binomial(n, rate).
double lower_tail(int64_t k, int64_t n, double rate) {
  if (k < 0) return 0;
  if (k >= n || rate <= 0) return 1;
  if (rate >= 1) return 0;
  return boost::math::ibetac(static_cast<double>(k) + 1, static_cast<double>(n - k), rate);
}

double upper_tail(int64_t k, int64_t n, double rate) {
  if (k <= 0) return 1;
  if (k > n || rate <= 0) return 0;
  if (rate >= 1) return 1;
  return boost::math::ibeta(static_cast<double>(k), static_cast<double>(n - k) + 1, rate);
}

// The chance that Clopper-Pearson holds `rate`: that X falls where neither tail is below half of the error.
double exact_coverage(int64_t n, double rate) {
  const double tail = (1 - kLevel) / 2;
  auto first_with = [n](auto holds) {  // least k in 0 .. n+1 for which it holds, as it does from there on
    int64_t no = -1, yes = n + 1;
    while (yes - no > 1) {
      const int64_t k = no + (yes - no) / 2;
      (holds(k) ? yes : no) = k;
    }
    return yes;
  };
  const int64_t first = first_with([&](int64_t k) { return lower_tail(k, n, rate) > tail; });
  const int64_t beyond = first_with([&](int64_t k) { return upper_tail(k, n, rate) <= tail; });
  return std::clamp(lower_tail(beyond - 1, n, rate) - lower_tail(first - 1, n, rate), 0.0, 1.0);
}

// `tested`: the rate that p is of.
void check_clustered(UnitCheck& check, double planted, double tested, std::span<const Cluster> clusters) {
  const ClusteredMean mean = clustered_mean(clusters);
  auto interval_at = [&](double level) {
    return cautious_korn_graubard(mean.x, mean.var_x, mean.effective_n, mean.effective_clusters,
                                  static_cast<double>(mean.df), level);
  };
  check.interval = interval_at(kLevel);
  check.p = least_error(tested, interval_at);
  check.expected_hit = planted <= 0 || planted >= 1 ? 1 : kLevel;
  check.method = "cluster-robust (Korn-Graubard, cautious design effect)";
}

UnitCheck check_unit(const PlantedUnit& unit) {
  assert(0 <= unit.planted && unit.planted <= 1);
  UnitCheck check;
  std::vector<Cluster> clusters;  // of one scenario: all have the same rate, so there is one mean
  for (const ClusterCount& c : unit.clusters) {
    assert(0 <= c.k && c.k <= c.n);
    if (c.n == 0) continue;
    clusters.push_back({.epoch = static_cast<int64_t>(clusters.size()), .n = c.n, .x = c.k});
    check.k += c.k, check.n += c.n;
  }
  check.clusters = static_cast<int64_t>(clusters.size());
  if (check.n == 0) {
    check.method = "not testable: no episodes";
    return check;
  }
  check.value = static_cast<double>(check.k) / static_cast<double>(check.n);

  const double tested = unit.within ? std::clamp(*check.value, unit.within->low, unit.within->high) : unit.planted;
  const bool impossible = tested <= 0 ? check.k > 0 : tested >= 1 && check.k < check.n;
  const bool single = check.clusters == check.n;
  if (unit.draws == PlantedUnit::Draws::independent || single) {
    check.interval = clopper_pearson(static_cast<double>(check.k), static_cast<double>(check.n), kLevel);
    check.p = exact_binomial_p(check.k, check.n, tested);
    check.expected_hit = exact_coverage(check.n, unit.planted);
    check.method = "exact (binomial)";
  } else if (check.clusters >= 2) {
    check_clustered(check, unit.planted, tested, clusters);
  } else if (!impossible) {
    check.method = "not testable: fewer than 2 clusters";
    return check;
  }
  const Interval truth = unit.within.value_or(Interval{unit.planted, unit.planted});
  check.hit = check.interval && check.interval->low <= truth.high && truth.low <= check.interval->high;
  if (impossible) {  // one such episode refutes, however many clusters there are
    check.p = std::numeric_limits<double>::min();
    check.hit = false;
    check.expected_hit = 1;
  }
  if (check.p) check.p = std::min(1.0, *check.p + unit.within_error);
  return check;
}

}  // namespace

double exact_binomial_p(int64_t k, int64_t n, double rate) {
  assert(n > 0 && 0 <= k && k <= n && 0 <= rate && rate <= 1);
  const double tail = std::min(lower_tail(k, n, rate), upper_tail(k, n, rate));
  return std::clamp(2 * tail, std::numeric_limits<double>::min(), 1.0);
}

Validation validate_units(std::span<const PlantedUnit> units, double alarm_level) {
  Validation validation;
  std::vector<MaybeP> ps;
  for (const PlantedUnit& unit : units) {
    validation.units.push_back(check_unit(unit));
    const UnitCheck& check = validation.units.back();
    ps.push_back(check.p);
    validation.tested += check.p.has_value();
    validation.hits += check.hit.value_or(false);
    validation.expected_hits += check.expected_hit;
  }
  const std::vector<MaybeP> adjusted = holm(ps);
  for (size_t i = 0; i < adjusted.size(); ++i) {
    validation.units[i].adjusted = adjusted[i];
    if (adjusted[i] && *adjusted[i] <= alarm_level) validation.agrees = false;
  }
  return validation;
}

}  // namespace assay
