// Observations that are not independent: all cells of one epoch of one scenario share a surface draw (names, sums,
// places), so they stand or fall together more often than chance. The independent unit is the cluster = scenario x
// epoch.
//
// For S scenarios with n_s observations each, the mean over scenarios of the scenario's mean is
//   m = 1/S sum_s (1/n_s sum_i x_si)
// so an observation weighs w = 1/(S n_s), and a cluster pulls on m with the weighted sum of its residuals
//   u_c = 1/(S n_s) sum_{i in c} (x_si - mean_s).
// The variance is the cluster-robust one, with the small-sample factor of G/(G-1) of Cameron & Miller (2015) taken
// within each scenario, which has a mean of its own to fit, and as many degrees of freedom as were left over:
//   V = sum_s G_s/(G_s - 1) sum_{c in s} u_c^2,   df = G - S.
// For one scenario this is G/(G-1) and G-1. Scenarios are the suite's own, not a sample of scenarios: V says how m
// would move if the same scenarios were run again with other draws.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay {

// One observation: which cluster it belongs to, and two counts (0 or 1) that are averaged side by side.
struct Mark {
  int32_t scenario = 0;
  int64_t epoch = 0;
  int32_t x = 0, y = 0;
};

struct Cluster {
  int32_t scenario = 0;
  int64_t epoch = 0;
  int64_t n = 0;  // observations
  int64_t x = 0, y = 0;
};

// Sorted by scenario, then epoch; each pair once.
std::vector<Cluster> gather_clusters(std::vector<Mark> marks);

struct ClusteredMean {
  int64_t n = 0;
  int64_t clusters = 0;   // G
  int64_t scenarios = 0;  // S
  double x = 0, y = 0;    // means over scenarios of the scenario's mean
  // Sizes of an equally weighted sample that would be worth the same (Kish 1965, 1/sum w^2): n and G themselves where
  // all scenarios, or all clusters, are of one size.
  double effective_n = 0;
  double effective_clusters = 0;
  // 0 where the spread within some scenario cannot be seen (it has a single cluster); then the variances mean nothing.
  int64_t df = 0;
  double var_x = 0, var_y = 0, cov_xy = 0;
};

// `clusters` as gather_clusters returns them, not empty.
ClusteredMean clustered_mean(std::span<const Cluster> clusters);

}  // namespace assay
