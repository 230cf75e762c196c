#include "stats/effect.h"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "stats/clusters.h"
#include "stats/rate.h"

namespace assay {
namespace {

constexpr size_t kMostExactClusters = 5000;
constexpr double kMostSteps = 2e8;  // about 0.2 s

// P(sum of the chosen <= limit) when each of `sizes` (positive) is chosen with probability 1/2.
double lower_tail(const std::vector<int64_t>& sizes, int64_t limit) {
  std::vector<double> chance(static_cast<size_t>(limit) + 1, 0.0);  // [s]: the chance that the sum so far is s
  chance[0] = 1;
  int64_t reached = 0;
  for (int64_t size : sizes) {
    reached = std::min(limit, reached + size);
    for (int64_t s = reached; s >= size; --s) chance[s] = 0.5 * (chance[s] + chance[s - size]);
    for (int64_t s = std::min(reached, size - 1); s >= 0; --s) chance[s] *= 0.5;
  }
  return std::accumulate(chance.begin(), chance.end(), 0.0);
}

// x: share of twins that go up, y: down; the interval of x - y, within [-1, 1].
Interval mover(const ClusteredMean& mean, double level) {
  auto interval_of = [&](double share, double variance) {
    const auto df = static_cast<double>(mean.df);
    return cautious_korn_graubard(share, variance, mean.effective_n, mean.effective_clusters, df, level);
  };
  const Interval up = interval_of(mean.x, mean.var_x), down = interval_of(mean.y, mean.var_y);
  const double scale = std::sqrt(mean.var_x * mean.var_y);
  const double r = mean.df == 0 ? -1 : scale > 0 ? std::clamp(mean.cov_xy / scale, -1.0, 1.0) : 0;
  auto join = [r](double a, double b) { return std::sqrt(std::max(0.0, a * a - 2 * r * a * b + b * b)); };
  const double difference = mean.x - mean.y;
  return {std::max(-1.0, difference - join(mean.x - up.low, down.high - mean.y)),
          std::min(1.0, difference + join(up.high - mean.x, mean.y - down.low))};
}

std::vector<ScenarioEffect> by_scenario(std::span<const Cluster> clusters) {
  std::vector<ScenarioEffect> scenarios;
  for (const Cluster& c : clusters) {
    if (scenarios.empty() || scenarios.back().scenario != c.scenario) scenarios.push_back({.scenario = c.scenario});
    ScenarioEffect& s = scenarios.back();
    s.twins += c.n, s.up += c.x, s.down += c.y;
  }
  for (ScenarioEffect& s : scenarios) {
    s.difference = static_cast<double>(s.up - s.down) / static_cast<double>(s.twins);
    s.mcnemar_p = exact_mcnemar(s.up, s.down);
  }
  return scenarios;
}

}  // namespace

double exact_mcnemar(int64_t up, int64_t down) {
  assert(up >= 0 && down >= 0);
  if (up == down) return 1;
  // P(X <= k) of a Binomial(n, q) is the incomplete beta function I_{1-q}(n - k, k + 1).
  const double larger = static_cast<double>(std::max(up, down)), smaller = static_cast<double>(std::min(up, down));
  const double tail = boost::math::ibeta(larger, smaller + 1, 0.5);
  return std::clamp(2 * tail, std::numeric_limits<double>::min(), 1.0);
}

SignFlip sign_flip_p(std::span<const int64_t> cluster_sums) {
  // Signs only matter through the total: each flip pattern is a choice of which sizes count as positive.
  std::vector<int64_t> sizes;
  int64_t observed = 0, unit = 0;
  for (int64_t sum : cluster_sums) {
    if (sum == 0) continue;
    sizes.push_back(std::abs(sum));
    observed += sum;
    unit = std::gcd(unit, sizes.back());
  }
  if (observed == 0) return {};
  for (int64_t& size : sizes) size /= unit;
  std::ranges::sort(sizes);  // small ones first: the table grows late
  const int64_t most = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  const int64_t total = std::abs(observed) / unit;

  // With the positive ones summing to s, the total is 2s - most: at or beyond +-observed in two tails of equal weight.
  const int64_t limit = (most - total) / 2;
  SignFlip result;
  result.exact = sizes.size() <= kMostExactClusters &&
                 static_cast<double>(sizes.size()) * (static_cast<double>(limit) + 1) <= kMostSteps;
  if (result.exact) {
    result.p = 2 * lower_tail(sizes, limit);
  } else {
    double variance = 0;
    for (int64_t size : sizes) variance += static_cast<double>(size) * static_cast<double>(size);
    const double half_a_step = 1;  // totals are 2 apart
    result.p = std::erfc((static_cast<double>(total) - half_a_step) / std::sqrt(2 * variance));
  }
  result.p = std::clamp(result.p, std::numeric_limits<double>::min(), 1.0);
  return result;
}

Effect estimate_effect(std::span<const Twin> twins, double level) {
  std::vector<Mark> marks;
  marks.reserve(twins.size());
  for (const Twin& t : twins) {
    marks.push_back({t.scenario, t.epoch, t.at_level && !t.at_base, t.at_base && !t.at_level});
  }
  const std::vector<Cluster> clusters = gather_clusters(std::move(marks));
  if (clusters.empty()) return {.method = "not estimable: no twins"};

  const ClusteredMean mean = clustered_mean(clusters);
  Effect effect{.value = mean.x - mean.y, .twins = mean.n, .clusters = mean.clusters};
  effect.scenarios = by_scenario(clusters);
  for (const ScenarioEffect& s : effect.scenarios) effect.up += s.up, effect.down += s.down;
  if (mean.clusters < 2) {
    effect.method = "not estimable: fewer than 2 clusters";
    return effect;
  }

  std::vector<int64_t> sums;
  sums.reserve(clusters.size());
  for (const Cluster& c : clusters) sums.push_back(c.x - c.y);
  const SignFlip flip = sign_flip_p(sums);
  effect.p = flip.p;
  effect.interval = mover(mean, level);
  const bool no_difference = effect.up == 0 && effect.down == 0;
  effect.method = no_difference  ? "twins, exact (Clopper-Pearson) bound, clusters as units"
                  : mean.df == 0 ? "twins, exact (Clopper-Pearson) shares, clusters as units"
                                 : "twins, cluster-robust (MOVER of Korn-Graubard)";
  effect.method += flip.exact ? "; p by sign flips of clusters, exact" : "; p by sign flips of clusters, normal limit";
  return effect;
}

}  // namespace assay
