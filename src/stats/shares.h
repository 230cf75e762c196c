// A sum of shares, each between 0 and 1 and with a factor of its own, and how far it may be off: what grid means
// (contrast.h) and least squares (regression.h) have in common.
//
// Each share gets the cautious Korn-Graubard interval of rate.h, and MOVER (Zou & Donner 2008, section 2.3, for any
// linear combination) joins them with their cluster-robust correlations r:
//   low  = value - sqrt(sum_jk c_j c_k r_jk e_j e_k),   c = the factors,   e = distance of a share to its limit on that
//   side
// and high alike. With many clusters that is the cluster-robust t interval; with few events it does not collapse.
#pragma once

#include <span>

#include "stats/interval.h"

namespace assay {

struct Share {
  double factor = 1;    // what it enters the sum with
  double mean = 0;      // 0 .. 1
  double n = 0;         // effective episodes: 1 / sum of their squared weights (Kish 1965)
  double clusters = 0;  // effective clusters, likewise; <= n
};

// `covariance` of the means: a row of shares.size() for each. df = 0: spread unseen, the widest correlation is taken.
Interval join_shares(std::span<const Share> shares, std::span<const double> covariance, double df, double level);

}  // namespace assay
