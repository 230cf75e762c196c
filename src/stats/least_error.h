// From an interval to a p-value: the least error at which it still misses.
#pragma once

#include <cmath>

#include "stats/interval.h"

namespace assay {

inline constexpr double smallest_interval_p = 1e-12;  // below, 1 - p can no longer be told from 1 well enough

// `interval_at(level)` grows with the level. Where its limits pass over `value` as the level rises, to a millionth of
// p; at least smallest_interval_p, and 1 where it always holds `value`.
template <class IntervalAt>
double least_error(double value, IntervalAt interval_at) {
  auto misses = [&](double log_error) { return !interval_at(1 - std::exp(log_error)).contains(value); };
  double hit = std::log(smallest_interval_p), miss = std::log1p(-1e-9);
  if (misses(hit)) return smallest_interval_p;
  if (!misses(miss)) return 1;
  for (int step = 0; step < 24; ++step) {
    const double middle = (hit + miss) / 2;
    (misses(middle) ? miss : hit) = middle;
  }
  return std::exp(miss);
}

}  // namespace assay
