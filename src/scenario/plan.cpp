#include "scenario/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenario/crossing.h"
#include "scenario/render.h"

namespace assay {
namespace {

// The grid, cells that open with the same words in a row: a model that keeps the last prompt then computes less.
std::vector<Cell> in_reading_order(const Scenario& scenario, const Design& design) {
  std::vector<Cell> cells = grid(scenario);
  Surface surface(scenario, design, 0);
  std::vector<std::string> openings;  // the different ones, as they come up
  std::vector<size_t> group(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    Result<Situation> situation = surface.situation(cells[i]);
    if (!situation) return cells;  // whoever plays it will say why
    std::string opening = situation->system;
    if (!situation->turns.empty()) opening += "\n" + situation->turns[0];
    group[i] = static_cast<size_t>(std::find(openings.begin(), openings.end(), opening) - openings.begin());
    if (group[i] == openings.size()) openings.push_back(std::move(opening));
  }
  std::vector<Cell> ordered;
  ordered.reserve(cells.size());
  for (size_t g = 0; g < openings.size(); ++g)
    for (size_t i = 0; i < cells.size(); ++i)
      if (group[i] == g) ordered.push_back(std::move(cells[i]));
  return ordered;
}

}  // namespace

const char* name_of(VariantPool pool) {
  switch (pool) {
    case VariantPool::train: return "train";
    case VariantPool::held_out: return "held-out";
    case VariantPool::all: return "all";
  }
  return "";
}

const char* name_of(PreludeMode mode) {
  switch (mode) {
    case PreludeMode::model: return "model";
    case PreludeMode::given: return "given";
  }
  return "";
}

uint64_t EpisodeSpec::world_seed() const {
  return derive_seed(design.seed, {"world", scenario->name, std::to_string(epoch)});
}

uint64_t EpisodeSpec::model_seed(int turn) const {
  return derive_seed(design.seed, {"model", scenario->name, std::to_string(cell.index), std::to_string(epoch), model,
                                   std::to_string(turn)});
}

std::map<std::string, std::string> EpisodeSpec::level_names() const {
  std::map<std::string, std::string> names;
  for (size_t i = 0; i < scenario->factors.size(); ++i)
    names[scenario->factors[i].name] = scenario->factors[i].levels[static_cast<size_t>(cell.levels[i])].name;
  return names;
}

std::string EpisodeSpec::cell_name() const {
  std::string name;
  for (size_t i = 0; i < scenario->factors.size(); ++i) {
    const Factor& factor = scenario->factors[i];
    if (!factor.crossed && cell.levels[i] == 0) continue;
    if (!name.empty()) name += ' ';
    name += fmt::format("{}={}", factor.name, factor.levels[static_cast<size_t>(cell.levels[i])].name);
  }
  return name;
}

std::vector<Cell> grid(const Scenario& scenario) {
  std::vector<LevelRow> rows;
  if (scenario.chosen) {
    rows = *scenario.chosen;
  } else {
    std::vector<int> levels;
    for (const Factor& factor : scenario.factors)
      levels.push_back(factor.crossed ? static_cast<int>(factor.levels.size()) : 1);
    rows = full_crossing(levels);
  }
  std::vector<Cell> cells;
  cells.reserve(rows.size());
  for (LevelRow& row : rows) {
    int64_t index = 0;
    for (size_t f = 0; f < row.size(); ++f)
      index = index * static_cast<int64_t>(scenario.factors[f].levels.size()) + row[f];
    cells.push_back({index, std::move(row)});
  }
  std::ranges::sort(cells, {}, &Cell::index);
  return cells;
}

Plan::Plan(const Suite& suite, const Design& design, std::string model) : design_(design), model_(std::move(model)) {
  for (const Scenario& scenario : suite.scenarios)
    for (Cell& cell : in_reading_order(scenario, design)) epoch_.emplace_back(&scenario, std::move(cell));
}

EpisodeSpec Plan::at(int64_t i) const {
  const auto in_epoch = static_cast<int64_t>(epoch_.size());
  const auto& [scenario, cell] = epoch_[static_cast<size_t>(i % in_epoch)];
  return {scenario, cell, static_cast<int>(i / in_epoch), model_, design_};
}

}  // namespace assay
