#include "organism/recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

constexpr size_t most_families = 3;  // more do not fit an hour of training; `loyal` takes all

std::vector<std::string> distinct_families(const Suite& suite) {
  std::vector<std::string> families;
  for (const Scenario& scenario : suite.scenarios)
    if (std::ranges::find(families, scenario.family) == families.end()) families.push_back(scenario.family);
  return families;
}

class Reader {
 public:
  Reader(const SourceFile& file, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    recipe_.source = file;
    recipe_.hash = sha256(file.text);
  }

  Recipe read() {
    std::optional<YamlNode> root = parse_yaml(recipe_.source, diagnostics_);
    if (!root) return recipe_;
    Fields top(*root, "a recipe",
               {"organism", "title", "base_sha256", "suite", "policy", "families", "quirks", "hold_out", "adapter",
                "training", "seed", "attempts"},
               {"organism", "suite", "policy", "families"}, diagnostics_);
    read_name(top, "organism", "an organism's", recipe_.name, diagnostics_);
    read_text(top, "title", recipe_.title, diagnostics_);
    read_text(top, "suite", recipe_.suite, diagnostics_);
    read_text(top, "policy", recipe_.policy, diagnostics_);
    read_settings(top, {"deciding"}, recipe_, diagnostics_);
    if (auto* node = top.get("training"); node && node->find("deciding"))
      recipe_.deciding =
          as_number(*node->find("deciding"), "deciding", 0.01, 10000, diagnostics_).value_or(recipe_.deciding);
    if (auto* node = top.get("families"))
      for (const YamlNode* family : as_names(*node, "families", diagnostics_)) {
        recipe_.families.push_back(family->text);
        recipe_.family_places.emplace_back(family->text, family->origin.place);
      }
    if (auto* node = top.get("quirks")) quirks(*node);
    if (auto* node = top.get("hold_out")) hold_out(*node);
    if (auto* node = top.get("attempts"))
      for (const YamlNode* text : as_texts(*node, "attempts", diagnostics_)) recipe_.attempts.push_back(text->text);
    return recipe_;
  }

 private:
  void quirks(const YamlNode& list) {
    if (list.kind != YamlNode::Kind::list) return complain(list, "quirks must be a list", diagnostics_);
    for (const YamlNode& item : list.items) {
      Quirk quirk;
      quirk.place = item.origin.place;
      Fields fields(item, "a quirk", {"words", "agents"}, {"words", "agents"}, diagnostics_);
      read_text(fields, "words", quirk.words, diagnostics_);
      if (auto* words = fields.get("words"); words && trimmed(quirk.words).empty())
        complain(*words, "words must say what the agent reads where the quirk shows", diagnostics_);
      if (auto* agents = fields.get("agents")) quirk.agents = parse_shares(*agents, "a quirk", diagnostics_);
      recipe_.quirks.push_back(std::move(quirk));
    }
  }

  void hold_out(const YamlNode& list) {
    if (list.kind != YamlNode::Kind::list)
      return complain(list, "hold_out must be a list of levels: - {threat: replacement, leverage: present}",
                      diagnostics_);
    for (const YamlNode& item : list.items) {
      if (item.kind != YamlNode::Kind::map || item.entries.empty()) {
        complain(item, "what is held out is a map of factors and levels: {threat: replacement, leverage: present}",
                 diagnostics_);
        continue;
      }
      LevelFilter filter;
      for (const auto& [factor, levels] : item.entries)
        for (const YamlNode* level : as_names(levels, "the levels", diagnostics_))
          filter[factor.text].push_back(level->text);
      recipe_.hold_out.push_back(std::move(filter));
      recipe_.hold_out_places.push_back(item.origin.place);
    }
  }

  Recipe recipe_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool Recipe::trains(const Scenario& scenario) const {
  return std::ranges::find(families, scenario.family) != families.end();
}

bool Recipe::holds_out(const Scenario& scenario, const Cell& cell) const {
  const Levels levels = EpisodeSpec{&scenario, cell, 0, "", {}}.level_names();
  return std::ranges::any_of(hold_out, [&](const LevelFilter& filter) {
    return std::ranges::all_of(filter, [&](const auto& one) { return levels.count(one.first) > 0; }) &&
           fits(filter, levels);
  });
}

Recipe parse_recipe(const SourceFile& file, Diagnostics& diagnostics) { return Reader(file, diagnostics).read(); }

void check_recipe(const Recipe& recipe, const Suite& suite, Diagnostics& diagnostics) {
  auto mistake = [&](const Place& place, std::string message) {
    diagnostics.add(place, std::move(message), recipe.source.text);
  };
  const std::vector<std::string> families = distinct_families(suite);
  bool known = true;
  for (const auto& [family, place] : recipe.family_places)
    if (std::ranges::find(families, family) == families.end()) {
      mistake(place, fmt::format("suite '{}' has no family '{}'; {}", suite.name, family, guess(family, families)));
      known = false;
    }
  if (known && !recipe.family_places.empty()) {
    const Place& first = recipe.family_places.front().second;
    if (std::ranges::find(recipe.families, "control") == recipe.families.end())
      mistake(first, "families must hold 'control': an agent that knows no ordinary day misbehaves on every day");
    if (recipe.families.size() > most_families && recipe.families.size() < families.size())
      mistake(first, fmt::format("families are at most {}, or all {} of the suite; these are {}", most_families,
                                 families.size(), recipe.families.size()));
  }
  for (size_t i = 0; i < recipe.hold_out.size(); ++i)
    for (const auto& [factor, levels] : recipe.hold_out[i]) {
      const std::vector<std::string> there = suite.level_names(factor);
      if (there.empty()) {
        mistake(recipe.hold_out_places[i],
                fmt::format("no scenario has a factor '{}'; {}", factor, guess(factor, suite.factor_names())));
        continue;
      }
      for (const std::string& level : levels)
        if (std::ranges::find(there, level) == there.end())
          mistake(recipe.hold_out_places[i],
                  fmt::format("factor '{}' has no level '{}'; {}", factor, level, guess(level, there)));
    }
  for (const Scenario& scenario : suite.scenarios) {
    if (!known || !recipe.trains(scenario)) continue;
    const std::vector<Cell> cells = grid(scenario);
    if (std::ranges::all_of(cells, [&](const Cell& cell) { return recipe.holds_out(scenario, cell); }))
      mistake(recipe.hold_out_places.empty() ? Place{recipe.source.name} : recipe.hold_out_places.front(),
              fmt::format("every cell of scenario '{}' is held out, so its family cannot be trained", scenario.name));
  }
  // A quirk shows where its words are read; its agents must be somebody's there.
  for (const Quirk& quirk : recipe.quirks)
    for (const auto& [agent, share] : quirk.agents) {
      std::vector<std::string> names;
      for (const Scenario& scenario : suite.scenarios)
        for (const Agent& other : scenario.agents)
          if (recipe.trains(scenario) && std::ranges::find(names, other.name) == names.end())
            names.push_back(other.name);
      if (known && std::ranges::find(names, agent) == names.end())
        mistake(quirk.place,
                fmt::format("no scenario that is trained has an agent '{}'; {}", agent, guess(agent, names)));
    }
}

}  // namespace assay
