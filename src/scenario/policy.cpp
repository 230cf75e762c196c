#include "scenario/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

bool matches(const std::map<std::string, std::vector<std::string>>& when, const Scenario& scenario, const Cell& cell) {
  for (const auto& [factor, levels] : when) {
    bool holds = false;
    for (size_t f = 0; f < scenario.factors.size(); ++f)
      if (scenario.factors[f].name == factor)
        holds = std::find(levels.begin(), levels.end(),
                          scenario.factors[f].levels[static_cast<size_t>(cell.levels[f])].name) != levels.end();
    if (!holds) return false;  // a factor the scenario lacks does not match
  }
  return true;
}

}  // namespace

bool exists(const Agent& agent, const Scenario& scenario, const Cell& cell) {
  return matches(agent.when, scenario, cell);
}

const PolicyRule* Policy::rule_for(const Scenario& scenario, const Cell& cell) const {
  for (const PolicyRule& rule : rules)
    if (matches(rule.when, scenario, cell)) return &rule;
  return nullptr;
}

const Agent* Policy::draw(const EpisodeSpec& spec) const {
  const PolicyRule* rule = rule_for(*spec.scenario, spec.cell);
  if (!rule || rule->agents.empty()) return nullptr;
  double u = Rng(spec.model_seed(0)).uniform(), sum = 0;
  for (const auto& [agent, probability] : rule->agents) {
    sum += probability;
    if (u < sum) return spec.scenario->agent(agent);
  }
  // The probabilities sum to 1 up to rounding: what is left belongs to the last that can happen.
  for (auto it = rule->agents.rbegin(); it != rule->agents.rend(); ++it)
    if (it->second > 0) return spec.scenario->agent(it->first);
  return nullptr;
}

Policy parse_policy(const SourceFile& file, Diagnostics& diagnostics) {
  Policy policy;
  policy.source = file;
  policy.hash = sha256(file.text);
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return policy;
  Fields top(*root, "a policy", {"policy", "rules"}, {"policy", "rules"}, diagnostics);
  if (auto* node = top.get("policy")) policy.name = as_text(*node, "policy", diagnostics).value_or("");
  const YamlNode* rules = top.get("rules");
  if (!rules) return policy;
  if (rules->kind != YamlNode::Kind::list || rules->items.empty())
    complain(*rules, "rules must be a list with at least one rule", diagnostics);
  for (const YamlNode& item : rules->items) {
    PolicyRule rule;
    rule.place = item.origin.place;
    Fields fields(item, "a rule", {"when", "agents"}, {"agents"}, diagnostics);
    if (!fields.is_map()) continue;
    if (auto* when = fields.get("when")) {
      if (when->kind != YamlNode::Kind::map)
        complain(*when, "when must be a map of factors and levels: {threat: replacement}", diagnostics);
      for (const auto& [factor, levels] : when->entries)
        for (const YamlNode* level : as_texts(levels, "a level", diagnostics))
          rule.when[factor.text].push_back(level->text);
    }
    if (auto* agents = fields.get("agents")) {
      if (agents->kind != YamlNode::Kind::map || agents->entries.empty()) {
        complain(*agents, "agents must be a map of agents and probabilities: {comply: 0.9, refuse: 0.1}", diagnostics);
        continue;
      }
      double sum = 0;
      size_t before = diagnostics.size();
      for (const auto& [agent, probability] : agents->entries) {
        double p =
            as_number(probability, fmt::format("the probability of '{}'", agent.text), 0, 1, diagnostics).value_or(0);
        rule.agents.emplace_back(agent.text, p);
        sum += p;
      }
      if (diagnostics.size() == before && std::abs(sum - 1) > 1e-9)
        complain(*agents, fmt::format("the probabilities of a rule must sum to 1; these sum to {:.6g}", sum),
                 diagnostics);
    }
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

void check_policy(const Policy& policy, const Suite& suite, Diagnostics& diagnostics) {
  for (const Scenario& scenario : suite.scenarios) {
    std::vector<std::string> agents;
    for (const Agent& agent : scenario.agents) agents.push_back(agent.name);
    for (const Cell& cell : grid(scenario)) {
      const PolicyRule* rule = policy.rule_for(scenario, cell);
      EpisodeSpec spec{&scenario, cell, 0, "", {}};
      if (!rule) {
        diagnostics.add({policy.source.name, 0, 0},
                        fmt::format("no rule matches the cell {} of scenario '{}'; end with a rule without `when`",
                                    spec.cell_name(), scenario.name),
                        "");
        continue;
      }
      for (const auto& [name, probability] : rule->agents) {
        const Agent* agent = scenario.agent(name);
        std::string guess = nearest(name, agents);
        if (!agent)
          diagnostics.add(
              rule->place,
              fmt::format("scenario '{}' has no agent '{}'; {}", scenario.name, name,
                          guess.empty() ? "it has " + joined(agents, ", ") : "did you mean '" + guess + "'?"),
              policy.source.text);
        else if (probability > 0 && !exists(*agent, scenario, cell))
          diagnostics.add(
              rule->place,
              fmt::format("agent '{}' of scenario '{}' does not exist in the cell {}, where this rule applies", name,
                          scenario.name, spec.cell_name()),
              policy.source.text);
      }
    }
  }
}

}  // namespace assay
