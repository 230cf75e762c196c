#include "stats/contrast.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>
#include <tuple>

#include "stats/effect.h"
#include "stats/shares.h"

namespace assay {
namespace {

using Units = std::span<const Difference>;
using Vector = std::vector<double>;

auto key(const Difference& unit) { return std::tie(unit.scenario, unit.epoch); }

// Layers 0 .. reach-1 are the shares of d >= 1 .. reach, the others those of d <= -1 .. -reach.
struct Layers {
  int reach = 1;
  size_t count() const { return 2 * static_cast<size_t>(reach); }
  double sign(size_t layer) const { return layer < static_cast<size_t>(reach) ? 1 : -1; }
  bool holds(size_t layer, int32_t d) const {
    return layer < static_cast<size_t>(reach) ? d >= static_cast<int>(layer) + 1 : d < reach - static_cast<int>(layer);
  }
};

// Runs of units for which `same` holds, in order.
template <class Same>
std::vector<Units> split(Units units, Same same) {
  std::vector<Units> runs;
  for (size_t begin = 0, end = 0; begin < units.size(); begin = end) {
    while (end < units.size() && same(units[begin], units[end])) ++end;
    runs.push_back(units.subspan(begin, end - begin));
  }
  return runs;
}

struct Sums {
  Vector mean;                              // by layer
  Vector covariance;                        // layer x layer
  double squares = 0, cluster_squares = 0;  // of the weights of units, of clusters
  bool spread_seen = true;                  // each scenario has two clusters
};

// How often each combination of one scenario was seen.
std::vector<int64_t> count_combinations(Units scenario) {
  std::vector<int64_t> seen;
  for (const Difference& unit : scenario) {
    const auto combination = static_cast<size_t>(unit.combination);
    if (combination >= seen.size()) seen.resize(combination + 1, 0);
    ++seen[combination];
  }
  return seen;
}

// The mean over combinations of the share of units in each layer. From whole counts, so that a share of all is 1.
Vector layer_means(Units scenario, const std::vector<int64_t>& seen, double combinations, Layers layers) {
  Vector mean;
  for (size_t layer = 0; layer < layers.count(); ++layer) {
    std::vector<int64_t> hits(seen.size(), 0);
    for (const Difference& unit : scenario) hits[static_cast<size_t>(unit.combination)] += layers.holds(layer, unit.d);
    double sum = 0;
    for (size_t c = 0; c < seen.size(); ++c)
      if (seen[c] > 0) sum += static_cast<double>(hits[c]) / static_cast<double>(seen[c]);
    mean.push_back(sum / combinations);
  }
  return mean;
}

// Adds one of `scenarios` scenarios.
void add_scenario(Sums& sums, Contrast& contrast, Units scenario, double scenarios, Layers layers) {
  const std::vector<int64_t> seen = count_combinations(scenario);
  const auto combinations = std::ranges::count_if(seen, [](int64_t n) { return n > 0; });
  const int64_t most = *std::ranges::max_element(seen);
  contrast.combinations += combinations;
  contrast.even = contrast.even && std::ranges::all_of(seen, [most](int64_t n) { return n == 0 || n == most; });

  const Vector mean = layer_means(scenario, seen, static_cast<double>(combinations), layers);
  for (size_t layer = 0; layer < mean.size(); ++layer) sums.mean[layer] += mean[layer] / scenarios;

  const auto clusters = split(scenario, [](const Difference& a, const Difference& b) { return a.epoch == b.epoch; });
  const double groups = static_cast<double>(clusters.size());
  const double factor = groups > 1 ? groups / (groups - 1) : 0;
  if (clusters.size() < 2) sums.spread_seen = false;
  contrast.clusters += static_cast<int64_t>(clusters.size());
  Vector pull(layers.count());
  for (Units cluster : clusters) {
    std::ranges::fill(pull, 0.0);
    double weight = 0;
    for (const Difference& unit : cluster) {
      const double n = static_cast<double>(seen[static_cast<size_t>(unit.combination)]);
      const double w = 1 / (scenarios * static_cast<double>(combinations) * n);
      weight += w;
      sums.squares += w * w;
      for (size_t layer = 0; layer < pull.size(); ++layer)
        pull[layer] += w * (layers.holds(layer, unit.d) - mean[layer]);
    }
    sums.cluster_squares += weight * weight;
    for (size_t j = 0; j < pull.size(); ++j)
      for (size_t k = 0; k < pull.size(); ++k) sums.covariance[j * pull.size() + k] += factor * pull[j] * pull[k];
  }
}

// MOVER over the layers' intervals.
Interval join_layers(const Sums& sums, double df, Layers layers, double level) {
  std::vector<Share> shares;
  for (size_t j = 0; j < layers.count(); ++j)
    shares.push_back({layers.sign(j), sums.mean[j], 1 / sums.squares, 1 / sums.cluster_squares});
  const Interval joint = join_shares(shares, sums.covariance, df, level);
  return {std::max<double>(-layers.reach, joint.low), std::min<double>(layers.reach, joint.high)};
}

SignFlip flip_clusters(Units units) {
  std::vector<int64_t> sums;
  for (Units cluster : split(units, [](const Difference& a, const Difference& b) { return key(a) == key(b); })) {
    sums.push_back(0);
    for (const Difference& unit : cluster) sums.back() += unit.d;
  }
  return sign_flip_p(sums);
}

}  // namespace

Contrast estimate_contrast(std::vector<Difference> units, int reach, double level) {
  assert(reach > 0);
  if (units.empty()) return {.method = "not estimable: no epoch has both sides of the comparison"};
  auto before = [](const Difference& a, const Difference& b) { return key(a) < key(b); };
  if (!std::ranges::is_sorted(units, before)) std::ranges::sort(units, before);

  const Layers layers{reach};
  const auto scenarios =
      split(units, [](const Difference& a, const Difference& b) { return a.scenario == b.scenario; });
  Contrast contrast{
      .units = static_cast<int64_t>(units.size()), .scenarios = static_cast<int64_t>(scenarios.size()), .even = true};
  for (const Difference& unit : units) {
    assert(-reach <= unit.d && unit.d <= reach && unit.combination >= 0);
    contrast.up += unit.d > 0, contrast.down += unit.d < 0;
  }
  Sums sums{.mean = Vector(layers.count(), 0.0), .covariance = Vector(layers.count() * layers.count(), 0.0)};
  for (Units scenario : scenarios) {
    add_scenario(sums, contrast, scenario, static_cast<double>(scenarios.size()), layers);
  }
  // Where the clusters do not differ, what is left is rounding, of which no correlation should be made.
  for (double& covariance : sums.covariance) covariance = std::abs(covariance) < 1e-24 ? 0 : covariance;

  contrast.value = 0;
  for (size_t layer = 0; layer < layers.count(); ++layer) *contrast.value += layers.sign(layer) * sums.mean[layer];
  if (contrast.clusters < 2) {
    contrast.method = "not estimable: fewer than 2 clusters";
    return contrast;
  }
  const double df = sums.spread_seen ? static_cast<double>(contrast.clusters - contrast.scenarios) : 0;
  contrast.interval = join_layers(sums, df, layers, level);
  const SignFlip flip = flip_clusters(units);
  contrast.p = flip.p;
  const bool no_difference = contrast.up == 0 && contrast.down == 0;
  contrast.method = no_difference ? "grid mean, exact (Clopper-Pearson) bound, clusters as units"
                    : df == 0     ? "grid mean, exact (Clopper-Pearson) shares, clusters as units"
                                  : "grid mean, cluster-robust (MOVER of Korn-Graubard)";
  contrast.method +=
      flip.exact ? "; p by sign flips of clusters, exact" : "; p by sign flips of clusters, normal limit";
  return contrast;
}

}  // namespace assay
