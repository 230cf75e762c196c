#include "report/page_pick.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_set>

namespace assay {
namespace {

// How well a pair of twins shows what a change of level does; less is better.
int rank_of(Verdict level, Verdict base) {
  if (level == base) return 3;
  return level == Verdict::subvert ? 0 : base == Verdict::subvert ? 1 : 2;
}

struct Pair {
  int rank;
  int64_t level, base;  // ids
};

// All episodes of one model in one scenario; `from` in order of epoch and cell.
class Twins {
 public:
  Twins(const Tally& grid) : grid_(grid) {
    const auto& factors = grid.scenario().factors;
    for (size_t f = 0; f < factors.size(); ++f)
      for (int l = 0; l < static_cast<int>(factors[f].levels.size()); ++l)
        if (grid.varies(f) && l != grid.base(f) && grid.visits(f, l)) changes_.push_back({f, l});
    best_.resize(changes_.size());
    row_.resize(grid.cells().size());
  }

  // The next episode; those of one epoch follow each other.
  void add(const Seen& episode) {
    if (epoch_ != episode.epoch) finish_epoch();
    epoch_ = episode.epoch;
    row_[static_cast<size_t>(episode.cell)] = &episode;
  }

  void finish(std::vector<int64_t>& ids, int64_t& pairs) {
    finish_epoch();
    for (const std::optional<Pair>& pair : best_) {
      if (!pair) continue;
      ids.push_back(pair->level), ids.push_back(pair->base);
      ++pairs;
    }
  }

 private:
  struct Axis {
    size_t factor;
    int level;
  };

  void finish_epoch() {
    for (size_t i = 0; i < changes_.size(); ++i) {
      const auto [factor, level] = changes_[i];
      for (size_t cell = 0; cell < row_.size(); ++cell) {
        if (!row_[cell] || grid_.cells()[cell].levels[factor] != level) continue;
        const int twin = grid_.cell_with(cell, factor, grid_.base(factor));
        if (twin < 0 || !row_[static_cast<size_t>(twin)]) continue;
        const Seen& base = *row_[static_cast<size_t>(twin)];
        const int rank = rank_of(row_[cell]->verdict, base.verdict);
        if (!best_[i] || rank < best_[i]->rank) best_[i] = Pair{rank, row_[cell]->id, base.id};
      }
    }
    std::ranges::fill(row_, nullptr);
  }

  const Tally& grid_;
  std::vector<Axis> changes_;
  std::vector<std::optional<Pair>> best_;  // of each change
  std::optional<int32_t> epoch_;
  std::vector<const Seen*> row_;  // this epoch's episode of each cell
};

}  // namespace

Picked pick(std::vector<Seen> seen, const std::vector<Tally>& grids) {
  std::ranges::sort(seen, {}, [](const Seen& s) { return std::tuple(s.model, s.scenario, s.epoch, s.cell); });
  std::vector<int64_t> order;
  Picked out;
  for (auto from = seen.begin(); from != seen.end();) {
    Twins twins(grids[static_cast<size_t>(from->scenario)]);
    auto to = from;
    for (; to != seen.end() && to->model == from->model && to->scenario == from->scenario; ++to) twins.add(*to);
    twins.finish(order, out.pairs);
    from = to;
  }

  std::ranges::sort(seen, {}, [](const Seen& s) { return std::tuple(s.epoch, s.scenario, s.cell, s.model); });
  for (const Seen& episode : seen)
    if (episode.verdict == Verdict::subvert) order.push_back(episode.id);
  for (const Seen& episode : seen) order.push_back(episode.id);

  std::unordered_set<int64_t> there;
  for (const int64_t id : order)
    if (there.insert(id).second) out.ids.push_back(id);
  return out;
}

}  // namespace assay
