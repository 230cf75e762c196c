#include "stats/multiple.h"

#include <algorithm>
#include <cassert>

namespace assay {
namespace {

// Places of the p-values that are there, smallest first.
std::vector<size_t> ascending(std::span<const MaybeP> ps) {
  std::vector<size_t> order;
  for (size_t i = 0; i < ps.size(); ++i) {
    assert(!ps[i] || (0 <= *ps[i] && *ps[i] <= 1));
    if (ps[i]) order.push_back(i);
  }
  std::ranges::stable_sort(order, {}, [ps](size_t i) { return *ps[i]; });
  return order;
}

}  // namespace

std::vector<MaybeP> holm(std::span<const MaybeP> ps) {
  std::vector<MaybeP> adjusted(ps.size());
  double worst = 0;
  auto left = static_cast<double>(ps.size());  // hypotheses not yet rejected
  for (size_t i : ascending(ps)) adjusted[i] = worst = std::max(worst, std::min(1.0, left-- * *ps[i]));
  return adjusted;
}

std::vector<MaybeP> benjamini_hochberg(std::span<const MaybeP> ps) {
  std::vector<MaybeP> adjusted(ps.size());
  const std::vector<size_t> order = ascending(ps);
  double best = 1;
  for (size_t rank = order.size(); rank > 0; --rank) {
    const size_t i = order[rank - 1];
    adjusted[i] = best = std::min(best, static_cast<double>(ps.size()) / static_cast<double>(rank) * *ps[i]);
  }
  return adjusted;
}

}  // namespace assay
