#include "stats/clusters.h"

#include <algorithm>
#include <cassert>
#include <tuple>

namespace assay {
namespace {

template <class T>
auto key(const T& t) {
  return std::tie(t.scenario, t.epoch);
}

// Adds one scenario, whose clusters these are, to the mean of `scenarios` of them.
void add_scenario(ClusteredMean& total, std::span<const Cluster> clusters, double scenarios) {
  int64_t n = 0, x = 0, y = 0;
  for (const Cluster& c : clusters) n += c.n, x += c.x, y += c.y;
  const double size = static_cast<double>(n), groups = static_cast<double>(clusters.size());
  const double mean_x = static_cast<double>(x) / size, mean_y = static_cast<double>(y) / size;
  const double weight = 1 / (scenarios * size);

  double xx = 0, yy = 0, xy = 0, squares = 0;
  for (const Cluster& c : clusters) {
    const double c_n = static_cast<double>(c.n);
    const double u_x = weight * (static_cast<double>(c.x) - mean_x * c_n);
    const double u_y = weight * (static_cast<double>(c.y) - mean_y * c_n);
    xx += u_x * u_x, yy += u_y * u_y, xy += u_x * u_y;
    squares += weight * weight * c_n * c_n;
  }
  const double factor = groups > 1 ? groups / (groups - 1) : 0;
  total.n += n;
  total.x += mean_x;
  total.y += mean_y;
  total.var_x += factor * xx;
  total.var_y += factor * yy;
  total.cov_xy += factor * xy;
  total.effective_n += weight * weight * size;  // the sums of squared weights; inverted at the end
  total.effective_clusters += squares;
}

}  // namespace

std::vector<Cluster> gather_clusters(std::vector<Mark> marks) {
  auto before = [](const Mark& a, const Mark& b) { return key(a) < key(b); };
  if (!std::ranges::is_sorted(marks, before)) std::ranges::sort(marks, before);
  std::vector<Cluster> clusters;
  for (const Mark& mark : marks) {
    if (clusters.empty() || key(clusters.back()) != key(mark)) clusters.push_back({mark.scenario, mark.epoch});
    Cluster& c = clusters.back();
    c.n += 1, c.x += mark.x, c.y += mark.y;
  }
  return clusters;
}

ClusteredMean clustered_mean(std::span<const Cluster> clusters) {
  assert(!clusters.empty());
  std::vector<std::span<const Cluster>> scenarios;
  for (size_t begin = 0, end = 0; begin < clusters.size(); begin = end) {
    while (end < clusters.size() && clusters[end].scenario == clusters[begin].scenario) ++end;
    scenarios.push_back(clusters.subspan(begin, end - begin));
  }

  ClusteredMean mean;
  mean.clusters = static_cast<int64_t>(clusters.size());
  mean.scenarios = static_cast<int64_t>(scenarios.size());
  const double count = static_cast<double>(scenarios.size());
  for (auto scenario : scenarios) add_scenario(mean, scenario, count);
  mean.x /= count;
  mean.y /= count;
  mean.effective_n = 1 / mean.effective_n;
  mean.effective_clusters = 1 / mean.effective_clusters;
  const bool spread_seen = std::ranges::all_of(scenarios, [](auto s) { return s.size() > 1; });
  mean.df = spread_seen ? mean.clusters - mean.scenarios : 0;
  return mean;
}

}  // namespace assay
