#include "scenario/plan.h"

#include <fmt/format.h>

namespace assay {

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

uint64_t EpisodeSpec::world_seed() const { return derive_seed(design.seed, {"world", scenario->name, std::to_string(epoch)}); }

uint64_t EpisodeSpec::model_seed(int turn) const {
  return derive_seed(design.seed, {"model", scenario->name, std::to_string(cell.index), std::to_string(epoch), model, std::to_string(turn)});
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
    if (!factor.crossed) continue;
    if (!name.empty()) name += ' ';
    name += fmt::format("{}={}", factor.name, factor.levels[static_cast<size_t>(cell.levels[i])].name);
  }
  return name;
}

std::vector<Cell> grid(const Scenario& scenario) {
  std::vector<Cell> cells = {{0, std::vector<int>(scenario.factors.size(), 0)}};
  for (size_t f = 0; f < scenario.factors.size(); ++f) {
    if (!scenario.factors[f].crossed) continue;
    std::vector<Cell> crossed;
    for (const Cell& cell : cells) {
      for (size_t level = 0; level < scenario.factors[f].levels.size(); ++level) {
        Cell next = cell;
        next.levels[f] = static_cast<int>(level);
        next.index = static_cast<int>(crossed.size());
        crossed.push_back(std::move(next));
      }
    }
    cells = std::move(crossed);
  }
  return cells;
}

std::vector<EpisodeSpec> plan(const Suite& suite, const Design& design, const std::string& model) {
  std::vector<std::vector<Cell>> grids;
  for (const Scenario& scenario : suite.scenarios) grids.push_back(grid(scenario));
  size_t cells = 0;
  for (const std::vector<Cell>& one : grids) cells += one.size();
  std::vector<EpisodeSpec> specs;
  specs.reserve(cells * static_cast<size_t>(design.epochs));
  for (int epoch = 0; epoch < design.epochs; ++epoch)
    for (size_t s = 0; s < suite.scenarios.size(); ++s)
      for (const Cell& cell : grids[s]) specs.push_back({&suite.scenarios[s], cell, epoch, model, design});
  return specs;
}

}  // namespace assay
