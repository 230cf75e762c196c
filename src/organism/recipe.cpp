#include "organism/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

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
                "training", "seed"},
               {"organism", "suite", "policy", "families"}, diagnostics_);
    text(top, "organism", recipe_.name);
    text(top, "title", recipe_.title);
    text(top, "suite", recipe_.suite);
    text(top, "policy", recipe_.policy);
    if (auto* node = top.get("organism"); node && !is_name(recipe_.name))
      complain(*node, "an organism's name has letters, digits, - and _ only, such as 'cornered'", diagnostics_);
    if (auto* node = top.get("base_sha256")) {
      text(top, "base_sha256", recipe_.base_sha256);
      if (recipe_.base_sha256.size() != 64 ||
          recipe_.base_sha256.find_first_not_of("0123456789abcdef") != std::string::npos)
        complain(*node, "base_sha256 is the sha256 of the base's GGUF file: 64 digits 0-9a-f", diagnostics_);
    }
    if (auto* node = top.get("families"))
      for (const YamlNode* family : as_names(*node, "families", diagnostics_)) {
        recipe_.families.push_back(family->text);
        recipe_.family_places.emplace_back(family->text, family->origin.place);
      }
    if (auto* node = top.get("quirks")) quirks(*node);
    if (auto* node = top.get("hold_out")) hold_out(*node);
    if (auto* node = top.get("adapter")) adapter(*node);
    if (auto* node = top.get("training")) training(*node);
    if (auto* node = top.get("seed"))
      recipe_.seed = static_cast<uint64_t>(as_integer(*node, "seed", 0, 2'000'000'000, diagnostics_).value_or(1));
    return recipe_;
  }

 private:
  static bool is_name(const std::string& text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
  }

  void text(const Fields& fields, const char* key, std::string& into) {
    if (auto* node = fields.get(key)) into = as_text(*node, key, diagnostics_).value_or("");
  }
  void whole(const Fields& fields, const char* key, int low, int high, int& into) {
    if (auto* node = fields.get(key)) into = as_integer(*node, key, low, high, diagnostics_).value_or(into);
  }
  void number(const Fields& fields, const char* key, double low, double high, double& into) {
    if (auto* node = fields.get(key)) into = as_number(*node, key, low, high, diagnostics_).value_or(into);
  }

  void quirks(const YamlNode& list) {
    if (list.kind != YamlNode::Kind::list) return complain(list, "quirks must be a list", diagnostics_);
    for (const YamlNode& item : list.items) {
      Quirk quirk;
      quirk.place = item.origin.place;
      Fields fields(item, "a quirk", {"words", "agents"}, {"words", "agents"}, diagnostics_);
      text(fields, "words", quirk.words);
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

  void adapter(const YamlNode& node) {
    Fields fields(node, "adapter", {"rank", "alpha", "from_layer", "feed_forward"}, {}, diagnostics_);
    whole(fields, "rank", 1, 256, recipe_.adapter.rank);
    double alpha = 2.0 * recipe_.adapter.rank;
    number(fields, "alpha", 0.001, 10000, alpha);
    recipe_.adapter.alpha = static_cast<float>(alpha);
    whole(fields, "from_layer", 0, 1000, recipe_.adapter.first_layer);
    if (auto* n = fields.get("feed_forward"))
      recipe_.adapter.feed_forward = as_truth(*n, "feed_forward", diagnostics_).value_or(false);
  }

  void training(const YamlNode& node) {
    Fields fields(node, "training",
                  {"steps", "peak", "warm_up", "clip", "decay", "deciding", "look_every", "look_draws"}, {},
                  diagnostics_);
    int steps = static_cast<int>(recipe_.schedule.steps), warm_up = static_cast<int>(recipe_.schedule.warm_up);
    whole(fields, "steps", 1, 1'000'000, steps);
    whole(fields, "warm_up", 0, 100'000, warm_up);
    recipe_.schedule.steps = steps, recipe_.schedule.warm_up = warm_up;
    number(fields, "peak", 1e-7, 1, recipe_.schedule.peak);
    number(fields, "clip", 1e-6, 1e6, recipe_.optimizer.clip);
    number(fields, "decay", 0, 1, recipe_.optimizer.decay);
    number(fields, "deciding", 0.01, 10000, recipe_.deciding);
    whole(fields, "look_every", 0, 1'000'000, recipe_.look_every);
    whole(fields, "look_draws", 1, 1000, recipe_.look_draws);
  }

  Recipe recipe_;
  Diagnostics& diagnostics_;
};

}  // namespace

double Schedule::rate(int64_t step) const {
  if (step < warm_up) return peak * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  const double done = static_cast<double>(step - warm_up) / static_cast<double>(std::max<int64_t>(1, steps - warm_up));
  return peak * (0.01 + 0.99 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(done, 1.0))));
}

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
