// The mean of a quantity between two bounds, which may be infinite, that is known for each observation: a propensity
// that was computed rather than sampled, or the difference of two.
//
//   Mean share = estimate_mean(measured, {.low = 0, .high = 1});
//
// The value is the mean over scenarios of each one's mean. Its only uncertainty is that other names and wordings would
// have given other values, so clusters are epochs, as in clusters.h, with the same variance
//   V = sum_s G_s/(G_s - 1) sum_{c in s} u_c^2,   u_c = 1/(S n_s) sum_{i in c} (x_si - mean_s),   df = G - S
// and the interval is Student's, value +- t_df sqrt(V), cut off at the bounds (Cameron & Miller 2015, section VI).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "stats/interval.h"

namespace assay {

struct Measured {
  int32_t scenario = 0;
  int64_t epoch = 0;  // with the scenario, names the cluster
  double value = 0;
};

// What cannot be estimated is absent, never NaN.
struct Mean {
  std::optional<double> value;       // absent only without observations
  std::optional<Interval> interval;  // absent where a scenario has one epoch alone
  int64_t n = 0, clusters = 0;
};

// Observations in any order, each value between the bounds. O(n log n).
Mean estimate_mean(std::span<const Measured> measured, Interval bounds, double level = 0.95);

}  // namespace assay
