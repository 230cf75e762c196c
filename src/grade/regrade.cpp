#include "grade/regrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "grade/grade.h"

namespace assay {
namespace {

std::string text_of(const Levels& levels) {
  std::vector<std::string> parts;
  for (const auto& [factor, level] : levels) parts.push_back(factor + "=" + level);
  return joined(parts, " ");
}

int level_index(const Factor& factor, const std::string& name) {
  auto level = std::ranges::find(factor.levels, name, &Level::name);
  return level == factor.levels.end() ? -1 : static_cast<int>(level - factor.levels.begin());
}

// The cell that has these levels; none where the scenario has other factors or levels. Its index need not be the one
// that is stored.
std::optional<Cell> cell_of(const Scenario& scenario, const Levels& levels) {
  if (levels.size() != scenario.factors.size()) return std::nullopt;
  Cell cell;
  for (const Factor& factor : scenario.factors) {
    auto named = levels.find(factor.name);
    const int level = named == levels.end() ? -1 : level_index(factor, named->second);
    if (level < 0) return std::nullopt;
    cell.index = cell.index * static_cast<int64_t>(factor.levels.size()) + level;
    cell.levels.push_back(level);
  }
  return cell;
}

// Why a stored cell is none of the scenario's; the same words for all cells of which the same is wrong.
std::string misfit(const Scenario& scenario, const std::set<int64_t>& grid, int64_t index, const Levels& levels) {
  for (const auto& [name, level] : levels) {
    const Factor* factor = scenario.factor(name);
    if (!factor) return fmt::format("{}: the factor {} is missing", scenario.name, name);
    if (level_index(*factor, level) < 0) return fmt::format("{}: {} has no level {}", scenario.name, name, level);
  }
  for (const Factor& factor : scenario.factors)
    if (!levels.contains(factor.name))
      return fmt::format("{}: the run did not have the factor {}", scenario.name, factor.name);
  if (cell_of(scenario, levels)->index != index)
    return fmt::format("{}: it has other levels, or has them in another order", scenario.name);
  if (!grid.contains(index)) return fmt::format("{}: its grid lacks the cell {}", scenario.name, text_of(levels));
  return "";
}

}  // namespace

Result<std::vector<std::string>> misfits(const RunReader& run, const Suite& suite) {
  std::map<std::string, std::map<int64_t, Levels>> cells;  // that were played
  Status read = run.each_summary([&](const EpisodeSummary& e) { cells[e.scenario].try_emplace(e.cell, e.levels); });
  if (!read) return read.error();

  std::vector<std::string> lines;
  for (const auto& [name, played] : cells) {
    const Scenario* scenario = suite.scenario(name);
    if (!scenario) {
      lines.push_back(fmt::format("{}: there is no such scenario", name));
      continue;
    }
    std::set<int64_t> grid_cells;
    for (const Cell& cell : grid(*scenario)) grid_cells.insert(cell.index);
    for (const auto& [index, levels] : played) {
      std::string line = misfit(*scenario, grid_cells, index, levels);
      if (!line.empty() && std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
    }
  }
  return lines;
}

Result<Regrader::Placed> Regrader::place(const EpisodeRecord& episode) {
  auto error = [&](const std::string& why) {
    return Error{fmt::format("{}, epoch {}, {}: {}", episode.scenario, episode.epoch, text_of(episode.levels), why)};
  };
  const Scenario* scenario = suite_.scenario(episode.scenario);
  const std::optional<Cell> cell = scenario ? cell_of(*scenario, episode.levels) : std::nullopt;
  if (!cell) return error("the suite has no such cell");

  if (surfaces_.size() > most_surfaces) surfaces_.clear();
  auto surface = surfaces_.find({episode.scenario, episode.epoch});
  if (surface == surfaces_.end())
    surface =
        surfaces_.emplace(std::pair(episode.scenario, episode.epoch), Surface(*scenario, design_, episode.epoch)).first;
  if (surface->second.drawn() != episode.drawn)
    return error(fmt::format("the suite draws other names and wordings than it was played with ({} instead of {})",
                             clipped(to_line(surface->second.drawn()), 100), clipped(to_line(episode.drawn), 100)));
  Result<Situation> situation = surface->second.situation(*cell);
  if (!situation) return situation.error();
  return Placed{scenario, *std::move(situation)};
}

Result<Grades> Regrader::grade(const EpisodeRecord& episode) {
  Result<Placed> placed = place(episode);
  if (!placed) return placed.error();
  return assay::grade(episode.transcript, placed->situation, *placed->scenario, suite_.codes, episode.judgements);
}

Result<std::vector<Question>> Regrader::questions(const EpisodeRecord& episode) {
  Result<Placed> placed = place(episode);
  if (!placed) return placed.error();
  return find(episode.transcript, placed->situation, *placed->scenario).questions;
}

}  // namespace assay
