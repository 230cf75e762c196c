#include "scenario/amend.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "scenario/scenario_loader.h"
#include "scenario/yaml.h"

namespace assay {

void ScenarioLoader::add_acts(const YamlNode& node, Scenario& to) {
  made_ = std::move(to);
  std::vector<ActRule> own = std::move(made_.acts);
  made_.acts.clear();
  condition_names();
  acts(node);
  for (ActRule& act : made_.acts) {
    auto same = std::ranges::find(own, act.name, &ActRule::name);
    act.added = same == own.end() || same->added;
    if (same == own.end())
      own.push_back(std::move(act));
    else
      *same = std::move(act);
  }
  made_.acts = std::move(own);
  to = std::move(made_);
}

void add_acts(Suite& suite, const SourceFile& file, Diagnostics& diagnostics) {
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return;
  if (root->entries.empty())
    return complain(*root, "expected scenarios, or `all`, each with acts: {desk: {leak: {when: ...}}}", diagnostics);
  std::vector<std::string> names = {"all"};
  for (const Scenario& scenario : suite.scenarios) names.push_back(scenario.name);

  // What `all` says is read once for each scenario, and a mistake in it told once.
  std::set<std::pair<Place, std::string>> told;
  auto add = [&](const YamlNode& acts, Scenario& scenario) {
    static const Sources none;
    Diagnostics found;
    ScenarioLoader(scenario.file, acts, suite.sources ? *suite.sources : none, &suite.acts, found)
        .add_acts(acts, scenario);
    for (const Diagnostic& mistake : found.list())
      if (told.emplace(mistake.place, mistake.message).second)
        diagnostics.add(mistake.place, mistake.message, file.text);
  };
  if (const YamlNode* acts = root->find("all"))
    for (Scenario& scenario : suite.scenarios) add(*acts, scenario);
  for (const auto& [name, acts] : root->entries) {
    if (name.text == "all") continue;
    auto scenario = std::ranges::find(suite.scenarios, name.text, &Scenario::name);
    if (scenario == suite.scenarios.end())
      complain(name, fmt::format("the suite has no scenario '{}'; {}", name.text, guess(name.text, names)),
               diagnostics);
    else
      add(acts, *scenario);
  }
}

}  // namespace assay
