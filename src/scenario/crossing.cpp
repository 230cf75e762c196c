#include "scenario/crossing.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "base/rng.h"

namespace assay {
namespace {

// The pairs of levels that no row holds yet.
class Uncovered {
 public:
  explicit Uncovered(std::span<const int> levels) : offsets_(levels.size() + 1, 0) {
    for (size_t f = 0; f < levels.size(); ++f) offsets_[f + 1] = offsets_[f] + static_cast<size_t>(levels[f]);
    const size_t all = offsets_.back();
    open_.assign(all * all, false);
    for (size_t f = 0; f < levels.size(); ++f)
      for (size_t g = f + 1; g < levels.size(); ++g)
        for (int a = 0; a < levels[f]; ++a)
          for (int b = 0; b < levels[g]; ++b) {
            at(f, a, g, b) = true;
            ++left_;
          }
  }
  bool any() const { return left_ > 0; }
  bool has(size_t f, int a, size_t g, int b) const {
    return f < g ? open_[place(f, a, g, b)] : open_[place(g, b, f, a)];
  }
  // How many new pairs level `a` of factor f makes with the factors of `row` that are settled (not -1).
  int gain(const LevelRow& row, size_t f, int a) const {
    int pairs = 0;
    for (size_t g = 0; g < row.size(); ++g)
      if (g != f && row[g] >= 0) pairs += has(f, a, g, row[g]);
    return pairs;
  }
  void cover(const LevelRow& row) {
    for (size_t f = 0; f < row.size(); ++f)
      for (size_t g = f + 1; g < row.size(); ++g) {
        auto open = at(f, row[f], g, row[g]);
        left_ -= open;
        open = false;
      }
  }
  // A pair that is open, written into a row that is otherwise unsettled.
  LevelRow one_of(std::span<const int> levels, Rng& rng) const {
    LevelRow row(levels.size(), -1);
    size_t chosen = rng.below(left_);
    for (size_t f = 0; f < levels.size(); ++f)
      for (size_t g = f + 1; g < levels.size(); ++g)
        for (int a = 0; a < levels[f]; ++a)
          for (int b = 0; b < levels[g]; ++b)
            if (has(f, a, g, b) && chosen-- == 0) {
              row[f] = a;
              row[g] = b;
              return row;
            }
    return row;
  }
  // How many new pairs a whole row would cover.
  int gain(const LevelRow& row) const {
    int pairs = 0;
    for (size_t f = 0; f < row.size(); ++f) pairs += gain(row, f, row[f]);
    return pairs / 2;
  }

 private:
  size_t place(size_t f, int a, size_t g, int b) const {
    return (offsets_[f] + static_cast<size_t>(a)) * offsets_.back() + offsets_[g] + static_cast<size_t>(b);
  }
  std::vector<bool>::reference at(size_t f, int a, size_t g, int b) { return open_[place(f, a, g, b)]; }

  std::vector<size_t> offsets_;
  std::vector<bool> open_;
  size_t left_ = 0;
};

constexpr int candidates = 40;  // rows tried for each that is kept: Cohen et al. found that more than 50 gain little

// Gives the factors that are not settled, in random order, the level with most new pairs; ties are broken at random.
void settle(LevelRow& row, std::span<const int> levels, const Uncovered& uncovered, Rng& rng) {
  std::vector<size_t> order;
  for (size_t f = 0; f < row.size(); ++f)
    if (row[f] < 0) order.push_back(f);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  for (size_t f : order) {
    int most = -1, tied = 0;
    for (int level = 0; level < levels[f]; ++level) {
      int pairs = uncovered.gain(row, f, level);
      if (pairs > most) most = pairs, tied = 0;
      if (pairs == most && rng.below(static_cast<uint64_t>(++tied)) == 0) row[f] = level;
    }
  }
}

LevelRow row_at(std::span<const int> levels, int64_t index) {
  LevelRow row(levels.size());
  for (size_t f = levels.size(); f-- > 0; index /= levels[f]) row[f] = static_cast<int>(index % levels[f]);
  return row;
}

}  // namespace

int64_t combinations(std::span<const int> levels, int64_t limit) {
  int64_t product = 1;
  for (int n : levels) {
    assert(n > 0);
    if (product > limit / n) return limit + 1;
    product *= n;
  }
  return product;
}

std::vector<LevelRow> full_crossing(std::span<const int> levels) {
  const int64_t all = combinations(levels, INT32_MAX);
  assert(all <= INT32_MAX);
  std::vector<LevelRow> rows;
  rows.reserve(static_cast<size_t>(all));
  for (int64_t i = 0; i < all; ++i) rows.push_back(row_at(levels, i));
  return rows;
}

std::vector<LevelRow> pairwise_crossing(std::span<const int> levels) {
  if (levels.size() < 2) return full_crossing(levels);
  Uncovered uncovered(levels);
  std::vector<LevelRow> rows = {LevelRow(levels.size(), 0)};
  uncovered.cover(rows[0]);
  Rng rng(1);  // fixed: the array depends on the levels alone
  while (uncovered.any()) {
    LevelRow best;
    int most = 0;
    for (int candidate = 0; candidate < candidates; ++candidate) {
      LevelRow row = uncovered.one_of(levels, rng);
      settle(row, levels, uncovered, rng);
      if (int pairs = uncovered.gain(row); pairs > most) most = pairs, best = std::move(row);
    }
    uncovered.cover(best);
    rows.push_back(std::move(best));
  }
  return rows;
}

std::vector<LevelRow> random_crossing(std::span<const int> levels, int64_t n, uint64_t seed) {
  const int64_t all = combinations(levels, INT64_MAX / 2);
  if (n >= all) return full_crossing(levels);
  // Floyd's sampling: each step adds exactly one index, whatever was drawn before.
  Rng rng(seed);
  std::set<int64_t> drawn;
  for (int64_t i = all - n; i < all; ++i) {
    int64_t candidate = static_cast<int64_t>(rng.below(static_cast<uint64_t>(i) + 1));
    if (!drawn.insert(candidate).second) drawn.insert(i);
  }
  std::vector<LevelRow> rows;
  rows.reserve(drawn.size());
  for (int64_t index : drawn) rows.push_back(row_at(levels, index));
  return rows;
}

}  // namespace assay
