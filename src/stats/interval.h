// Exact intervals for a proportion: the ground under every other estimator here.
//
// Clopper & Pearson (1934): invert the binomial tail. With k of n events and level 1-a, the limits are beta quantiles
//   low  = B(a/2;   k,   n-k+1)   0 at k = 0
//   high = B(1-a/2; k+1, n-k)     1 at k = n
// Coverage is never below the level; the price is width. Special functions come from Boost.Math.
#pragma once

namespace assay {

// Closed at both ends, low <= high.
struct Interval {
  double low = 0, high = 1;
  bool contains(double x) const { return low <= x && x <= high; }
  double width() const { return high - low; }
};

// The two-sided interval at `level` (in (0, 1)), with (1-level)/2 in each tail for every k. At k = 0 and k = n one end
// is exactly 0 or 1, and the other keeps its half of the error: 0 of 10 at 95 % is [0, 0.3085], a one-sided 97.5 %
// bound. So the interval moves steadily with k. Who wants the whole error on one side says so and calls the bounds
// below.
//
// n > 0 and 0 <= k <= n need not be whole: an effective sample size is not (rate.h).
Interval clopper_pearson(double k, double n, double level = 0.95);

// One-sided: the true rate is at most (at least) this, at `level`. 0 of 10: at most 0.2589; for large n about 3/n.
double exact_upper_bound(double k, double n, double level = 0.95);
double exact_lower_bound(double k, double n, double level = 0.95);

// The point that Student's t with `df` > 0 degrees of freedom stays within, on both sides, with probability `level`.
double student_t(double df, double level = 0.95);

}  // namespace assay
