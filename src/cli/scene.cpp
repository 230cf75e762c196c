#include "cli/scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "cli/suite.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

// Where a scenario's file lies, and its name there; a suite's folder has no name in it.
struct Where {
  std::string folder, file;
};

Result<Where> where(const std::string& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return Where{path, ""};
  if (!fs::exists(path, failed)) return Error{fmt::format("{}: there is no such file or folder", path)};
  const fs::path file(path);
  return Where{file.has_parent_path() ? file.parent_path().string() : ".", file.filename().string()};
}

Result<const Scenario*> scenario_of(const Suite& suite, const Where& where) {
  std::vector<std::string> files;
  for (const Scenario& scenario : suite.scenarios) {
    if (scenario.file == where.file) return &scenario;
    files.push_back(scenario.file);
  }
  if (where.file.empty() && suite.scenarios.size() == 1) return &suite.scenarios.front();
  if (where.file.empty())
    return Error{fmt::format("{} has {} scenarios; name one: {}", where.folder, files.size(), joined(files, ", "))};
  return Error{fmt::format("{} is no scenario of its folder; there are {}", where.file, joined(files, ", "))};
}

// A level of each factor: those that were named ("threat=replacement,leverage=present"), else the first. All mistakes
// are told.
Result<LevelFilter> levels_of(const Scenario& scenario, const std::vector<std::string>& lists) {
  LevelFilter levels;
  std::vector<std::string> factors, wrong;
  for (const Factor& factor : scenario.factors) {
    factors.push_back(factor.name);
    levels[factor.name] = {factor.levels.front().name};
  }
  std::map<std::string, std::string> named;
  for (const std::string& list : lists)
    for (const std::string& part : split(list, ',')) {
      const size_t equals = part.find('=');
      const std::string name(trimmed(part.substr(0, equals)));
      const std::string level(equals == part.npos ? "" : trimmed(std::string_view(part).substr(equals + 1)));
      if (name.empty() || level.empty()) {
        wrong.push_back(fmt::format("--cell: '{}' is no FACTOR=LEVEL", one_line(part)));
        continue;
      }
      const Factor* factor = scenario.factor(name);
      if (!factor) {
        wrong.push_back(
            fmt::format("scenario {} has no factor '{}'; {}", scenario.name, one_line(name), guess(name, factors)));
        continue;
      }
      std::vector<std::string> there;
      for (const Level& one : factor->levels) there.push_back(one.name);
      if (std::find(there.begin(), there.end(), level) == there.end())
        wrong.push_back(fmt::format("factor '{}' has no level '{}'; {}", name, one_line(level), guess(level, there)));
      else if (!named.emplace(name, level).second)
        wrong.push_back(fmt::format("--cell: '{}' is given twice", name));
      levels[name] = {level};
    }
  if (!wrong.empty()) return Error{joined(wrong, "\n")};
  return levels;
}

}  // namespace

Status set_scene(const SceneChoice& choice, Scene& scene) {
  Result<Where> place = where(choice.scenario);
  if (!place) return place.error();
  Result<ProvenSuite> proven = prove_folder(place->folder, {}, choice.programs);
  if (!proven) return proven.error();
  scene.suite = std::move(proven->suite);
  Result<const Scenario*> found = scenario_of(scene.suite, *place);
  if (!found) return found.error();
  const Scenario& scenario = **found;
  Result<LevelFilter> levels = levels_of(scenario, choice.cell);
  if (!levels) return levels.error();

  EpisodeSpec& spec = scene.spec;
  spec.scenario = &scenario;
  spec.epoch = choice.epoch;
  spec.design = choice.design;
  spec.design.epochs = choice.epoch + 1;
  const std::vector<Cell> proved = grid(scenario);
  spec.design.cells.only = *levels;
  if (Status chosen = select(scene.suite, spec.design.cells, spec.design.seed); !chosen) return chosen;
  spec.cell = grid(scenario).front();
  // A cell outside the default grid has not been proved yet.
  if (std::ranges::find(proved, spec.cell.index, &Cell::index) == proved.end()) {
    Diagnostics diagnostics;
    prove(scene.suite, diagnostics);
    if (!diagnostics.empty()) return Error{diagnostics.format()};
  }

  scene.surface.emplace(scenario, spec.design, spec.epoch);
  Result<Situation> situation = scene.surface->situation(spec.cell);
  if (!situation) return situation.error();
  scene.situation = *std::move(situation);
  return Done{};
}

Status cast(Model& model, Scene& scene) {
  scene.spec.model = model.id();
  scene.start.open_ended = true;
  scene.start.given_prelude = scene.spec.design.prelude == PreludeMode::given;
  if (const Agent* agent = model.plays(scene.spec)) {
    Result<std::vector<RenderedStep>> steps = scene.surface->steps(*agent, scene.spec.cell);
    if (!steps) return steps.error();
    scene.script = scene.situation.prelude;
    scene.script.insert(scene.script.end(), steps->begin(), steps->end());
    scene.start.given_prelude = false;
    scene.start.own_prelude = static_cast<int>(scene.situation.prelude.size());
    return Done{};
  }
  Start usual = scene.start;
  usual.open_ended = false;
  const Episode opening(scene.spec, scene.situation, usual);
  if (!opening.next()) return Done{};  // a program of the world failed; that is told when it is played
  Result<std::optional<int64_t>> answerable = model.check(*opening.next());
  return answerable ? Status(Done{}) : answerable.error();
}

}  // namespace assay
