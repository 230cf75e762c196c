#include "stats/interval.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <cassert>

namespace assay {
namespace {

// The arguments are checked here, so Boost has nothing to throw about; where its root finder runs out of steps, the
// last one is far nearer than any of our digits.
namespace policies = boost::math::policies;
using Quiet = policies::policy<policies::evaluation_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>>;

bool is_probability(double x) { return 0 < x && x < 1; }

double lower_limit(double k, double n, double tail) {
  assert(n > 0 && 0 <= k && k <= n && is_probability(tail));
  return k <= 0 ? 0 : boost::math::ibeta_inv(k, n - k + 1, tail, Quiet());
}

double upper_limit(double k, double n, double tail) {
  assert(n > 0 && 0 <= k && k <= n && is_probability(tail));
  return k >= n ? 1 : boost::math::ibetac_inv(k + 1, n - k, tail, Quiet());
}

}  // namespace

Interval clopper_pearson(double k, double n, double level) {
  assert(is_probability(level));
  const double tail = (1 - level) / 2;
  return {lower_limit(k, n, tail), upper_limit(k, n, tail)};
}

double exact_upper_bound(double k, double n, double level) { return upper_limit(k, n, 1 - level); }
double exact_lower_bound(double k, double n, double level) { return lower_limit(k, n, 1 - level); }

double student_t(double df, double level) {
  assert(df > 0 && is_probability(level));
  return quantile(complement(boost::math::students_t_distribution<double, Quiet>(df), (1 - level) / 2));
}

}  // namespace assay
