#include "stats/mean.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace assay {
namespace {

struct Cluster {
  double n = 0, sum = 0;
};

}  // namespace

Mean estimate_mean(std::span<const Measured> measured, Interval bounds, double level) {
  std::map<int32_t, std::map<int64_t, Cluster>> scenarios;
  for (const Measured& m : measured) {
    Cluster& cluster = scenarios[m.scenario][m.epoch];
    cluster.n += 1;
    cluster.sum += m.value;
  }
  Mean out;
  out.n = static_cast<int64_t>(measured.size());
  if (measured.empty()) return out;

  const double count = static_cast<double>(scenarios.size());
  double value = 0, variance = 0;
  bool spread_seen = true;
  for (const auto& [scenario, clusters] : scenarios) {
    double n = 0, sum = 0, squares = 0;
    for (const auto& [epoch, c] : clusters) n += c.n, sum += c.sum;
    const double mean = sum / n, groups = static_cast<double>(clusters.size());
    for (const auto& [epoch, c] : clusters) squares += std::pow((c.sum - mean * c.n) / (count * n), 2);
    value += mean / count;
    out.clusters += static_cast<int64_t>(clusters.size());
    if (groups > 1)
      variance += groups / (groups - 1) * squares;
    else
      spread_seen = false;
  }
  out.value = std::clamp(value, bounds.low, bounds.high);
  if (!spread_seen) return out;
  const double reach = student_t(static_cast<double>(out.clusters) - count, level) * std::sqrt(variance);
  out.interval = Interval{std::max(bounds.low, value - reach), std::min(bounds.high, value + reach)};
  return out;
}

}  // namespace assay
