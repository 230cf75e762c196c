// The mean of paired differences over a grid, each combination of the other factors weighing the same however often it
// was seen: what average marginal effects and interactions (amce.h) have in common.
//
// A unit is a difference d of whole outcomes within one epoch: level minus base (-1, 0, 1), or the difference of two
// such differences (-2 .. 2). With S scenarios, C_s combinations seen in scenario s and n_sc units in each,
//   value = 1/S sum_s 1/C_s sum_c 1/n_sc sum_i d_i
// so a unit weighs w_i = 1/(S C_s n_sc).
//
// The interval: d is taken apart into layers, shares of units that lie between 0 and 1,
//   value = sum_j share(d >= j) - sum_j share(d <= -j),   j = 1 .. reach
// whose intervals are joined as shares.h says. The variance is that of clusters.h with these weights,
//   V = sum_s G_s/(G_s - 1) sum_{e in s} u_e^2,   u_e = sum_{i in e} w_i (x_i - mean_s),   df = G - S.
// Residuals are taken from the scenario's mean, not from the combination's: where every epoch saw every combination
// that is the same, and where some units are missing it errs to the wide side and never goes blind over a combination
// that was seen once.
//
// With reach 1 and combinations seen equally often this is estimate_effect (effect.h), number for number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stats/interval.h"

namespace assay {

struct Difference {
  int32_t scenario = 0;
  int64_t epoch = 0;        // with the scenario, names the cluster
  int32_t combination = 0;  // of the other factors: small numbers from 0, a table is as long as the largest
  int32_t d = 0;            // -reach .. reach
};

// What cannot be estimated is absent, never 0 and never NaN; `method` says why.
struct Contrast {
  std::optional<double> value;          // in -reach .. reach; absent only without units
  std::optional<Interval> interval;     // absent for fewer than 2 clusters
  std::optional<double> p;              // two-sided, by sign flips of clusters; absent likewise. It counts units alike
  int64_t units = 0, up = 0, down = 0;  // all, d > 0, d < 0
  int64_t clusters = 0;
  int64_t scenarios = 0;     // that have a unit
  int64_t combinations = 0;  // seen, over all scenarios
  bool even = false;         // within each scenario its combinations were seen equally often: weights are plain ones
  std::string method;        // a phrase for the reader
};

// Units in any order. reach > 0. O(n log n), O(n) when sorted by scenario and epoch.
//
// p: under "exchanging base and level changes nothing", each cluster's sum of d is as likely as its negative, and p is
// exact (effect.h). Of an interaction it is exact where one of the factors does nothing; where both do something and
// only the interaction is 0, the sums have mean 0 but need not be symmetric, and p is right in the limit of many
// clusters (measured: docs/statistics.md).
Contrast estimate_contrast(std::vector<Difference> units, int reach, double level = 0.95);

}  // namespace assay
