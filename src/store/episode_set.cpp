#include <algorithm>

#include "store/run_file.h"

namespace assay {

void EpisodeSet::add(const EpisodeKey& key) {
  const auto& [scenario, cell, epoch, model] = key;
  auto kind = kinds_.try_emplace({scenario, model}, static_cast<int32_t>(kinds_.size())).first;
  rows_.push_back({cell, epoch, kind->second});
}

void EpisodeSet::seal() {
  std::ranges::sort(rows_);
  rows_.erase(std::ranges::unique(rows_).begin(), rows_.end());
  rows_.shrink_to_fit();
}

bool EpisodeSet::has(const EpisodeKey& key) const {
  const auto& [scenario, cell, epoch, model] = key;
  auto kind = kinds_.find({scenario, model});
  return kind != kinds_.end() && std::ranges::binary_search(rows_, Row{cell, epoch, kind->second});
}

}  // namespace assay
