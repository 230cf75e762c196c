#include "stats/rate.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "stats/clusters.h"

namespace assay {

Estimate estimate_rate_in_cell(int64_t k, int64_t n, double level) {
  assert(0 <= k && k <= n);
  if (n == 0) return {.method = "not estimable: no observations"};
  const double events = static_cast<double>(k), size = static_cast<double>(n);
  return {.value = events / size,
          .interval = clopper_pearson(events, size, level),
          .k = k,
          .n = n,
          .clusters = n,
          .method = "exact (Clopper-Pearson)"};
}

Interval cautious_korn_graubard(double p, double variance, double n, double clusters, double df, double level) {
  const double events = n * p * (1 - p);
  if (events <= 0 || df <= 0) return clopper_pearson(p * clusters, clusters, level);
  const double seen = std::max(1.0, variance * n / (p * (1 - p)));
  const double worst = n / clusters;
  const double design_effect = (events * seen + worst) / (events + 1);
  const double by_df = student_t(n - 1, level) / student_t(df, level);
  const double effective = n / design_effect * by_df * by_df;
  return clopper_pearson(p * effective, effective, level);
}

Estimate estimate_rate(std::span<const Observation> observations, double level) {
  std::vector<Mark> marks;
  marks.reserve(observations.size());
  for (const Observation& o : observations) marks.push_back({.scenario = o.scenario, .epoch = o.epoch, .x = o.event});
  const std::vector<Cluster> clusters = gather_clusters(std::move(marks));
  if (clusters.empty()) return estimate_rate_in_cell(0, 0, level);

  const ClusteredMean mean = clustered_mean(clusters);
  Estimate estimate{.value = mean.x, .n = mean.n, .clusters = mean.clusters};
  for (const Cluster& c : clusters) estimate.k += c.x;
  if (mean.scenarios == 1 && mean.n == mean.clusters) return estimate_rate_in_cell(estimate.k, mean.n, level);

  if (mean.clusters < 2) {
    estimate.method = "not estimable: fewer than 2 clusters";
    return estimate;
  }
  const auto df = static_cast<double>(mean.df);
  estimate.interval = cautious_korn_graubard(mean.x, mean.var_x, mean.effective_n, mean.effective_clusters, df, level);
  const bool all_alike = estimate.k == 0 || estimate.k == estimate.n;
  estimate.method = all_alike || mean.df == 0 ? "exact (Clopper-Pearson), clusters as units"
                                              : "cluster-robust (Korn-Graubard, cautious design effect)";
  return estimate;
}

}  // namespace assay
