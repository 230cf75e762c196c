#include "report/tally.h"

#include <algorithm>
#include <set>

#include "grade/dilemma.h"

namespace assay {

Tally::Tally(const Scenario& scenario, const std::vector<const Code*>& codes)
    : scenario_(&scenario), codes_(codes), grid_(grid(scenario)), columns_(codes.size() + scenario.acts.size()) {
  for (size_t f = 0; f < scenario.factors.size(); ++f) {
    std::set<int> seen;
    for (const Cell& cell : grid_) seen.insert(cell.levels[f]);
    if (seen.empty()) seen.insert(0);
    levels_.emplace_back(seen.begin(), seen.end());
  }
  for (const Code* code : codes)
    for (const Cell& cell : grid_)
      sorts_.push_back(is_dilemma(scenario, cell, *code) ? CellSort::dilemma : CellSort::ordinary);
}

int64_t Tally::cells_of(CellSort sort, size_t code) const {
  const auto first = sorts_.begin() + static_cast<long>(code * grid_.size());
  return std::count(first, first + static_cast<long>(grid_.size()), sort);
}

int64_t Tally::combinations() const {
  int64_t out = 1;
  for (const std::vector<int>& levels : levels_) out *= static_cast<int64_t>(levels.size());
  return out;
}

bool Tally::same_cells(size_t code, size_t other) const {
  const auto at = [&](size_t c) { return sorts_.begin() + static_cast<long>(c * grid_.size()); };
  return std::equal(at(code), at(code + 1), at(other));
}

bool Tally::same_verdicts(size_t code, size_t other) const {
  for (size_t row = 0; row < values_.size(); row += columns_)
    if (values_[row + code] != values_[row + other]) return false;
  return true;
}

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
  first_.clear();
  for (size_t i = 0; i < episodes_.size(); ++i)
    if (i == 0 || episodes_[i].epoch != episodes_[i - 1].epoch) first_.push_back(i);
  first_.push_back(episodes_.size());
}

size_t Tally::act_column(const std::string& act) const {
  return codes_.size() + static_cast<size_t>(scenario_->act(act) - scenario_->acts.data());
}

Verdict Tally::verdict(size_t episode, size_t code) const {
  return static_cast<Verdict>(values_[episodes_[episode].row + code]);
}

Tally::Happened Tally::happened(const OutcomeName& outcome, size_t code) const {
  Happened out;
  out.tally_ = this;
  const bool act = outcome.kind == OutcomeName::Kind::act;
  out.column_ = act ? act_column(outcome.act) : code;
  out.yes_ = static_cast<uint8_t>(act ? static_cast<int>(Known::yes) : static_cast<int>(outcome.verdict));
  out.unknown_ = static_cast<uint8_t>(act ? static_cast<int>(Known::unknown) : static_cast<int>(Verdict::ungraded));
  return out;
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

bool Tally::visits(size_t factor, int level) const {
  return !grid_.empty() && std::ranges::binary_search(levels_[factor], level);
}

bool Tally::has_twin_cells(size_t factor, int level) const {
  for (size_t cell = 0; cell < grid_.size(); ++cell)
    if (grid_[cell].levels[factor] == level && cell_with(cell, factor, base(factor)) >= 0) return true;
  return false;
}

std::vector<std::pair<size_t, int>> Tally::twin_cells(size_t factor, int level, CellSort sort, size_t code) const {
  std::vector<std::pair<size_t, int>> out;
  for (size_t cell = 0; cell < grid_.size(); ++cell) {
    if (grid_[cell].levels[factor] != level || sort_of(cell, code) != sort) continue;
    const int twin = cell_with(cell, factor, base(factor));
    out.emplace_back(cell, twin >= 0 && sort_of(static_cast<size_t>(twin), code) == sort ? twin : -1);
  }
  return out;
}

std::vector<Tally::Pair> Tally::twins(size_t factor, int level, CellSort sort, size_t code) const {
  std::vector<int> base_of(grid_.size(), -1);
  for (auto [cell, twin] : twin_cells(factor, level, sort, code)) base_of[cell] = twin;

  std::vector<Pair> out;
  std::vector<size_t> episode_of(grid_.size());  // in the epoch at hand
  constexpr size_t none = SIZE_MAX;
  for (size_t e = 0; e + 1 < first_.size(); ++e) {
    std::fill(episode_of.begin(), episode_of.end(), none);
    for (size_t i = first_[e]; i < first_[e + 1]; ++i) episode_of[cell(i)] = i;
    for (size_t i = first_[e]; i < first_[e + 1]; ++i) {
      const int base = base_of[cell(i)];
      if (base >= 0 && episode_of[static_cast<size_t>(base)] != none)
        out.push_back({i, episode_of[static_cast<size_t>(base)]});
    }
  }
  return out;
}

}  // namespace assay
