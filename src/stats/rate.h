// How often something happened, and how surely we know it.
//
//   Estimate e = estimate_rate(observations);
//   if (e.interval) show(*e.value, e.interval->low, e.interval->high, e.method);
//
// Method and measured coverage: docs/statistics.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "stats/interval.h"

namespace assay {

// One graded episode. Ungraded ones are not observations: leave them out and count them beside.
struct Observation {
  int32_t scenario = 0;  // any numbers that tell scenarios apart
  int64_t epoch = 0;     // with the scenario, names the cluster: all its cells share one surface draw
  bool event = false;
};

// What cannot be estimated is absent, never 0 and never NaN.
struct Estimate {
  std::optional<double> value;       // absent only without observations
  std::optional<Interval> interval;  // absent where nothing shows how far the value may be off
  int64_t k = 0, n = 0;              // events, observations
  int64_t clusters = 0;
  std::string method;  // a phrase for the reader: which interval this is, or why there is none
};

// k events in n independent episodes of one cell: exact (Clopper-Pearson, interval.h). 0 <= k <= n; n = 0 has no value.
Estimate estimate_rate_in_cell(int64_t k, int64_t n, double level = 0.95);

// Over cells and scenarios, in any order; each scenario's rate is the mean over its episodes, and the value is the
// plain mean over scenarios (k/n only where they are of one size). The interval, by what the observations allow:
//   one scenario, each epoch seen once      exact, as in one cell
//   fewer than 2 clusters                   none
//   no event, nothing but events, or a      exact with clusters as units: Clopper-Pearson at the effective number of
//   scenario with only one epoch            clusters, as if each were one episode
//   otherwise                               Korn-Graubard with a cautious design effect, below
//
// Korn & Graubard (1998): Clopper-Pearson on the size of an independent sample that would vary as much. The
// cluster-robust variance V (clusters.h) gives the design effect D = max(1, V n / (p(1-p))). With few events D is
// mostly luck: one lone event always gives D = 1. So D is averaged with its worst case n/G (each cluster one unit) as
// if one more event had been seen there, where n p(1-p) is about how many events D itself was learned from:
//   D' = (n p(1-p) D + n/G) / (n p(1-p) + 1)
//   n* = n/D' (t_{n-1} / t_{df})^2,   Clopper-Pearson on p n* of n*
// Without events D' = n/G, so the exact fallback is its limit. O(n log n), O(n) when sorted by scenario and epoch.
Estimate estimate_rate(std::span<const Observation> observations, double level = 0.95);

// The interval above from its parts: p in [0, 1]; sizes may be effective ones, clusters <= n; df = 0: spread unknown.
Interval cautious_korn_graubard(double p, double variance, double n, double clusters, double df, double level = 0.95);

}  // namespace assay
