// Many comparisons at once: p-values adjusted so that each can be held against the level alone.
//
//   auto adjusted = holm(ps);          // *adjusted[i] <= 0.05: rejected, and with 95 % no rejection at all is false
//   auto q = benjamini_hochberg(ps);   // *q[i] <= 0.05: of the rejected at most 5 % are false, on average
//
// An absent p (not estimable) stays absent. It still counts in the size of the family, as a p of 1 would: the family is
// what was declared before the run, and what could not be measured must not make the rest look better. Who means
// otherwise leaves it out. Equal p-values get equal adjusted ones.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace assay {

using MaybeP = std::optional<double>;  // in [0, 1]

// Holm (1979), step-down Bonferroni, for any dependence between the tests: with p_(1) <= ... <= p_(m),
//   adjusted_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)).
// The family-wise error rate is at most the level. Result in the order of the input.
std::vector<MaybeP> holm(std::span<const MaybeP> ps);

// Benjamini & Hochberg (1995), step-up:  adjusted_(i) = min_{j >= i} min(1, m/j p_(j)).
// The false discovery rate is at most the level for tests that are independent or positively dependent (Benjamini &
// Yekutieli 2001), as comparisons that share a base are; for exploration.
std::vector<MaybeP> benjamini_hochberg(std::span<const MaybeP> ps);

}  // namespace assay
