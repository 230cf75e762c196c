#include "stats/shares.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "stats/rate.h"

namespace assay {

Interval join_shares(std::span<const Share> shares, std::span<const double> covariance, double df, double level) {
  const size_t count = shares.size();
  assert(covariance.size() == count * count);
  auto variance = [&](size_t j) { return covariance[j * count + j]; };
  auto correlation = [&](size_t j, size_t k) {
    if (j == k) return 1.0;
    if (df == 0) return shares[j].factor * shares[k].factor > 0 ? 1.0 : -1.0;
    const double scale = std::sqrt(variance(j) * variance(k));
    return scale > 0 ? std::clamp(covariance[j * count + k] / scale, -1.0, 1.0) : 0.0;
  };

  double value = 0;
  std::vector<double> below, above;  // how far each share pulls the value down, up; signed
  for (size_t j = 0; j < count; ++j) {
    const double factor = shares[j].factor, mean = std::clamp(shares[j].mean, 0.0, 1.0);
    const Interval within = cautious_korn_graubard(mean, variance(j), shares[j].n, shares[j].clusters, df, level);
    value += factor * mean;
    below.push_back(factor * (factor > 0 ? mean - within.low : within.high - mean));
    above.push_back(factor * (factor > 0 ? within.high - mean : mean - within.low));
  }
  double down = 0, up = 0;
  for (size_t j = 0; j < count; ++j) {
    for (size_t k = 0; k < count; ++k) {
      down += correlation(j, k) * below[j] * below[k];
      up += correlation(j, k) * above[j] * above[k];
    }
  }
  return {value - std::sqrt(std::max(0.0, down)), value + std::sqrt(std::max(0.0, up))};
}

}  // namespace assay
