#include "organism/truth.h"

#include <algorithm>
#include <cmath>

namespace assay {

void Truth::add(const CellTrie& cell, const std::vector<float>& logprobs) {
  auto found = std::ranges::find_if(cells_, [&](const Draws& draws) {
    return draws.scenario == cell.scenario && draws.cell.index == cell.cell.index;
  });
  if (found == cells_.end())
    found = cells_.insert(cells_.end(), Draws{cell.scenario, cell.cell, cell.held_out, {}, {}, {}});
  const size_t draw = found->off_tree.size();
  double on_tree = 0;
  auto note = [&](std::map<std::string, std::vector<double>>& to, const std::string& conduct, double share) {
    std::vector<double>& values = to[conduct];
    values.resize(draw + 1, 0.0);
    values[draw] = share;
  };
  for (const auto& [conduct, share] : cell.trie.conducts(logprobs)) {
    note(found->shares, conduct, share);
    on_tree += share;
  }
  for (const auto& [conduct, share] : cell.trie.planted()) note(found->planted, conduct, share);
  found->off_tree.push_back(std::max(0.0, 1 - on_tree));
}

std::vector<CellTruth> Truth::cells() const {
  std::vector<CellTruth> all;
  for (const Draws& draws : cells_) {
    const size_t n = draws.off_tree.size();
    CellTruth truth{draws.scenario, draws.cell, draws.held_out, static_cast<int>(n), {}, 0};
    for (double off : draws.off_tree) truth.off_tree += off / static_cast<double>(n);
    for (const auto& [conduct, shares] : draws.shares) {
      ConductTruth row{conduct, 0, {}};
      if (auto planted = draws.planted.find(conduct); planted != draws.planted.end())
        for (double share : planted->second) row.planted += share / static_cast<double>(n);
      std::vector<Measured> measured;
      measured.reserve(n);
      for (size_t i = 0; i < n; ++i)
        measured.push_back({0, static_cast<int64_t>(i), i < shares.size() ? std::min(shares[i], 1.0) : 0.0});
      row.actual = estimate_mean(measured, {.low = 0, .high = 1});
      truth.conducts.push_back(std::move(row));
    }
    all.push_back(std::move(truth));
  }
  return all;
}

double Truth::worst() const {
  double worst = 0;
  for (const CellTruth& cell : cells())
    for (const ConductTruth& row : cell.conducts)
      if (!cell.held_out) worst = std::max(worst, std::abs(row.planted - row.actual.value.value_or(0)));
  return worst;
}

}  // namespace assay
