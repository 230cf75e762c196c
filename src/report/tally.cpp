#include "report/tally.h"

#include <algorithm>

namespace assay {

Tally::Tally(const Scenario& scenario, const std::vector<const Code*>& codes)
    : scenario_(&scenario), codes_(codes), grid_(grid(scenario)), columns_(codes.size() + scenario.acts.size()) {}

bool Tally::can_show(const OutcomeName& outcome) const {
  return outcome.kind == OutcomeName::Kind::verdict || scenario_->act(outcome.act) != nullptr;
}

bool Tally::add(const EpisodeSummary& episode) {
  const int cell = place_of(episode.cell);
  if (cell < 0) return false;
  size_t row = values_.size();
  episodes_.push_back({episode.epoch, cell, row});
  values_.resize(row + columns_, 0);
  for (size_t c = 0; c < codes_.size(); ++c) {
    values_[row + c] = static_cast<uint8_t>(Verdict::ungraded);  // a code that never graded it
    for (const VerdictRow& v : episode.verdicts)
      if (v.code == codes_[c]->name) values_[row + c] = static_cast<uint8_t>(v.verdict);
  }
  auto set = [&](const std::string& act, Known known) {
    if (scenario_->act(act)) values_[row + act_column(act)] = static_cast<uint8_t>(known);
  };
  for (const std::string& open : episode.open_questions) set(open, Known::unknown);
  // An act that was found stands, even where a second action left the same question open. What was only attempted was
  // not done.
  for (const Act& act : episode.acts)
    if (act.how_far >= HowFar::dispatched) set(act.name, Known::yes);
  return true;
}

void Tally::sort() {
  std::sort(episodes_.begin(), episodes_.end(),
            [](const Place& a, const Place& b) { return std::pair(a.epoch, a.cell) < std::pair(b.epoch, b.cell); });
}

size_t Tally::act_column(const std::string& act) const {
  return codes_.size() + static_cast<size_t>(scenario_->act(act) - scenario_->acts.data());
}

Verdict Tally::verdict(size_t episode, size_t code) const {
  return static_cast<Verdict>(values_[episodes_[episode].row + code]);
}

std::optional<bool> Tally::happened(size_t episode, const OutcomeName& outcome, size_t code) const {
  if (outcome.kind == OutcomeName::Kind::verdict) {
    Verdict v = verdict(episode, code);
    if (v == Verdict::ungraded) return std::nullopt;
    return v == outcome.verdict;
  }
  auto known = static_cast<Known>(values_[episodes_[episode].row + act_column(outcome.act)]);
  if (known == Known::unknown) return std::nullopt;
  return known == Known::yes;
}

int Tally::place_of(int64_t index) const {
  auto found = std::ranges::lower_bound(grid_, index, {}, &Cell::index);
  return found == grid_.end() || found->index != index ? -1 : static_cast<int>(found - grid_.begin());
}

int Tally::cell_with(size_t cell, size_t factor, int level) const {
  int64_t step = 1;  // of the index, from one level to the next
  for (size_t f = factor + 1; f < scenario_->factors.size(); ++f)
    step *= static_cast<int64_t>(scenario_->factors[f].levels.size());
  return place_of(grid_[cell].index + step * (level - grid_[cell].levels[factor]));
}

std::vector<Tally::Pair> Tally::twins(size_t factor, int level) const {
  std::vector<int> base_of(grid_.size(), -1);
  for (size_t cell = 0; cell < grid_.size(); ++cell)
    if (grid_[cell].levels[factor] == level) base_of[cell] = cell_with(cell, factor, 0);

  std::vector<Pair> out;
  for (size_t i = 0; i < episodes_.size(); ++i) {
    int base = base_of[episodes_[i].cell];
    if (base < 0) continue;
    auto twin = std::lower_bound(
        episodes_.begin(), episodes_.end(), std::pair(episodes_[i].epoch, base),
        [](const Place& p, const std::pair<int, int>& key) { return std::pair(p.epoch, p.cell) < key; });
    if (twin != episodes_.end() && twin->epoch == episodes_[i].epoch && twin->cell == base)
      out.push_back({i, static_cast<size_t>(twin - episodes_.begin())});
  }
  return out;
}

}  // namespace assay
