// What one factor changes: twins are two episodes of one scenario and epoch that differ in this factor's level alone,
// so the difference of their outcomes is the factor's doing (and sampling noise), and the surface they share cancels.
//
//   Effect e = estimate_effect(twins);     // level minus base, a proportion in -1 .. 1; times 100: percentage points
//
// Method and measured coverage: docs/statistics.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stats/interval.h"

namespace assay {

// A pair both of whose episodes were graded. An epoch has one for each setting of the other factors.
struct Twin {
  int32_t scenario = 0;
  int64_t epoch = 0;  // with the scenario, names the cluster
  bool at_level = false;
  bool at_base = false;
};

struct ScenarioEffect {
  int32_t scenario = 0;
  int64_t twins = 0;
  int64_t up = 0, down = 0;  // discordant twins: the event only at the level, only at the base
  double difference = 0;     // (up - down) / twins
  double mcnemar_p = 1;      // takes twins as independent: too small where an epoch has several
};

// What cannot be estimated is absent, never 0 and never NaN.
struct Effect {
  std::optional<double> value;       // mean over scenarios of their differences; absent only without twins
  std::optional<Interval> interval;  // absent for fewer than 2 clusters
  std::optional<double> p;           // two-sided sign flip: does the level matter at all? absent likewise
  int64_t twins = 0, up = 0, down = 0;
  int64_t clusters = 0;
  std::string method;                     // a phrase for the reader: which interval and which p
  std::vector<ScenarioEffect> scenarios;  // ascending
};

// With a the share of twins that go up and b of those that go down (means over scenarios), the effect is a - b. Each
// share gets its own interval (rate.h), and the two are joined by MOVER (Zou & Donner 2008; Newcombe 1998 for pairs):
//   low  = a - b - sqrt((a - low_a)^2  - 2 r (a - low_a)(high_b - b)  + (high_b - b)^2)
//   high = a - b + sqrt((high_a - a)^2 - 2 r (high_a - a)(b - low_b) + (b - low_b)^2)
// r being their cluster-robust correlation (0 where one does not vary; -1, the widest, where spread cannot be seen).
// In large samples this is the cluster-robust t interval; in small ones it does not collapse when few twins differ, and
// when none does it is +- the exact upper limit of 0 differing clusters. `p` is sign_flip_p over clusters.
Effect estimate_effect(std::span<const Twin> twins, double level = 0.95);

// McNemar (1947), exact and two-sided: of up + down discordant pairs each goes up with probability 1/2; twice the
// smaller tail, at most 1.
double exact_mcnemar(int64_t up, int64_t down);

struct SignFlip {
  double p = 1;       // in (0, 1]; what would underflow is the smallest normal double
  bool exact = true;  // false: normal limit with continuity correction
};

// If the factor changes nothing, levels could be swapped in any cluster, flipping the sign of its sum of differences.
// p is the share of all sign patterns whose |total| is at least the observed one: the exact distribution, by
// convolution. Above 5,000 sums that are not 0, or where the convolution would take more than 2e8 steps, its normal
// limit instead.
SignFlip sign_flip_p(std::span<const int64_t> cluster_sums);

}  // namespace assay
