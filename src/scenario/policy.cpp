#include "scenario/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "scenario/crossing.h"
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

std::vector<std::pair<std::string, double>> parse_shares(const YamlNode& map, const std::string& of,
                                                         Diagnostics& diagnostics) {
  std::vector<std::pair<std::string, double>> shares;
  if (map.kind != YamlNode::Kind::map || map.entries.empty()) {
    complain(map, "agents must be a map of agents and probabilities: {comply: 0.9, refuse: 0.1}", diagnostics);
    return shares;
  }
  double sum = 0;
  const size_t before = diagnostics.size();
  for (const auto& [agent, probability] : map.entries) {
    const double p =
        as_number(probability, fmt::format("the probability of '{}'", agent.text), 0, 1, diagnostics).value_or(0);
    shares.emplace_back(agent.text, p);
    sum += p;
  }
  if (diagnostics.size() == before && std::abs(sum - 1) > 1e-9)
    complain(map, fmt::format("the probabilities of {} must sum to 1; these sum to {:.6g}", of, sum), diagnostics);
  return shares;
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
  policy.rules_place = rules->origin.place;
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
      for (const auto& [factor, levels] : when->entries) {
        rule.factor_places[factor.text] = factor.origin.place;
        for (const YamlNode* level : as_names(levels, "the levels", diagnostics)) {
          rule.when[factor.text].push_back(level->text);
          rule.level_places[factor.text + "/" + level->text] = level->origin.place;
        }
      }
    }
    if (auto* agents = fields.get("agents")) {
      rule.agents = parse_shares(*agents, "a rule", diagnostics);
      if (rule.agents.empty()) continue;
      for (const auto& [agent, probability] : agents->entries) rule.agent_places[agent.text] = agent.origin.place;
    }
    policy.rules.push_back(std::move(rule));
  }
  return policy;
}

namespace {

constexpr int64_t most_combinations = 100'000;

// The cells of a scenario in which one rule is the first that matches.
struct Reach {
  const Scenario* scenario;
  std::vector<Cell> all, cells;
};

class PolicyChecker {
 public:
  PolicyChecker(const Policy& policy, const Suite& suite, Diagnostics& diagnostics)
      : policy_(policy), suite_(suite), diagnostics_(diagnostics) {}

  void check() {
    if (suite_.scenarios.empty()) return;  // nothing to check it against
    bool known = true;
    for (const PolicyRule& rule : policy_.rules) known &= names(rule);
    if (!known) return;  // what a rule with an unknown name matches means nothing
    unmatched();
    if (shadowed()) return;
    for (size_t r = 0; r < policy_.rules.size(); ++r) {
      std::vector<Reach> reaches = reached_by(policy_.rules[r]);
      if (reaches.empty() && !is_for_other_suites(policy_.rules[r]) && !reachable(policy_.rules[r])) unreached(r);
      for (const auto& [agent, probability] : policy_.rules[r].agents)
        agents(policy_.rules[r], reaches, agent, probability);
    }
  }

 private:
  void mistake(const Place& place, std::string message) {
    diagnostics_.add(place, std::move(message), policy_.source.text);
  }

  static std::string cell_name(const Reach& reach) {
    std::string name = EpisodeSpec{reach.scenario, reach.cells.front(), 0, "", {}}.cell_name();
    return name.empty() ? "the only cell" : name;
  }

  // A policy may serve several suites: a factor that this one lacks makes a rule of another's, and is a mistake only
  // where it is nearly one that there is; of a rule's levels one must be known.
  bool names(const PolicyRule& rule) {
    size_t before = diagnostics_.size();
    for (const auto& [factor, wanted] : rule.when) {
      const std::vector<std::string> factors = suite_.factor_names(), levels = suite_.level_names(factor);
      if (levels.empty() && !nearest(factor, factors).empty())
        mistake(rule.factor_places.at(factor),
                fmt::format("no scenario has a factor '{}'; {}", factor, guess(factor, factors)));
      auto known = [&](const std::string& level) {
        return std::find(levels.begin(), levels.end(), level) != levels.end();
      };
      const bool some = std::any_of(wanted.begin(), wanted.end(), known);
      for (const std::string& level : wanted)
        if (!levels.empty() && !known(level) && (!some || !nearest(level, levels).empty()))
          mistake(rule.level_places.at(factor + "/" + level),
                  fmt::format("factor '{}' has no level '{}'; {}", factor, level, guess(level, levels)));
    }
    return diagnostics_.size() == before;
  }

  bool is_for_other_suites(const PolicyRule& rule) const {
    return std::any_of(rule.when.begin(), rule.when.end(),
                       [&](const auto& condition) { return suite_.level_names(condition.first).empty(); });
  }

  static std::vector<std::string> distinct(const std::vector<std::string>& names) {
    std::vector<std::string> once;
    for (const std::string& name : names)
      if (std::find(once.begin(), once.end(), name) == once.end()) once.push_back(name);
    return once;
  }

  std::vector<Reach> reached_by(const PolicyRule& rule) {
    std::vector<Reach> reaches;
    for (const Scenario& scenario : suite_.scenarios) {
      Reach reach{&scenario, grid(scenario), {}};
      for (const Cell& cell : reach.all)
        if (policy_.rule_for(scenario, cell) == &rule) reach.cells.push_back(cell);
      if (!reach.cells.empty()) reaches.push_back(std::move(reach));
    }
    return reaches;
  }

  // Whether some combination of levels, in the grid or outside it, has this rule as its first: a policy may say what is
  // done where a factor is crossed that is not crossed today. Only the factors that rules speak of make a difference.
  bool reachable(const PolicyRule& rule) {
    for (const Scenario& scenario : suite_.scenarios) {
      std::vector<int> spoken_of;
      for (const Factor& factor : scenario.factors) {
        const bool named = std::any_of(policy_.rules.begin(), policy_.rules.end(),
                                       [&](const PolicyRule& r) { return r.when.count(factor.name) > 0; });
        spoken_of.push_back(named ? static_cast<int>(factor.levels.size()) : 1);
      }
      if (combinations(spoken_of, most_combinations) > most_combinations) return true;  // nobody can tell
      for (LevelRow& levels : full_crossing(spoken_of))
        if (policy_.rule_for(scenario, {0, std::move(levels)}) == &rule) return true;
    }
    return false;
  }

  void unmatched() {
    for (const Scenario& scenario : suite_.scenarios) {
      Reach reach{&scenario, grid(scenario), {}};
      for (const Cell& cell : reach.all)
        if (!policy_.rule_for(scenario, cell)) reach.cells.push_back(cell);
      if (!reach.cells.empty())
        mistake(
            policy_.rules_place,
            fmt::format("no rule matches {} of {} cells of scenario '{}', first: {}; end with a rule without `when`",
                        reach.cells.size(), reach.all.size(), scenario.name, cell_name(reach)));
    }
  }

  // A rule without `when` ends the list: told once for all that follow it.
  bool shadowed() {
    for (size_t r = 0; r + 1 < policy_.rules.size(); ++r) {
      if (!policy_.rules[r].when.empty()) continue;
      size_t others = policy_.rules.size() - r - 2;
      mistake(
          policy_.rules[r + 1].place,
          fmt::format("this rule is never reached{}: the rule in line {} has no `when` and matches every cell; put it "
                      "last",
                      others == 0   ? ""
                      : others == 1 ? ", nor is the one after it"
                                    : fmt::format(", nor are the {} after it", others),
                      policy_.rules[r].place.line));
      return true;
    }
    return false;
  }

  void unreached(size_t index) {
    const PolicyRule& rule = policy_.rules[index];
    for (size_t earlier = 0; earlier < index; ++earlier)
      if (covers(policy_.rules[earlier], rule))
        return mistake(
            rule.place,
            fmt::format("this rule is never reached: the rule in line {} comes first and matches all that it "
                        "matches",
                        policy_.rules[earlier].place.line));
    const bool together = std::any_of(suite_.scenarios.begin(), suite_.scenarios.end(), [&](const Scenario& scenario) {
      return std::all_of(rule.when.begin(), rule.when.end(), [&](const auto& wanted) {
        const Factor* factor = scenario.factor(wanted.first);
        return factor && std::any_of(factor->levels.begin(), factor->levels.end(), [&](const Level& level) {
                 return std::find(wanted.second.begin(), wanted.second.end(), level.name) != wanted.second.end();
               });
      });
    });
    mistake(rule.place, together ? "this rule is never reached: earlier rules match all that it matches"
                                 : "this rule matches no cell of any scenario: none has all of its factors and levels");
  }

  // Whether whatever `b` matches is matched by `a`, as their words say.
  static bool covers(const PolicyRule& a, const PolicyRule& b) {
    return std::all_of(a.when.begin(), a.when.end(), [&](const auto& condition) {
      auto other = b.when.find(condition.first);
      const std::vector<std::string>& levels = condition.second;
      return other != b.when.end() && std::all_of(other->second.begin(), other->second.end(), [&](const auto& level) {
               return std::find(levels.begin(), levels.end(), level) != levels.end();
             });
    });
  }

  void agents(const PolicyRule& rule, const std::vector<Reach>& reaches, const std::string& name, double probability) {
    std::vector<std::string> lacking, known;
    for (const Reach& reach : reaches) {
      const Scenario& scenario = *reach.scenario;
      const Agent* agent = scenario.agent(name);
      if (!agent) {
        lacking.push_back(fmt::format("'{}'", scenario.name));
        for (const Agent& other : scenario.agents) known.push_back(other.name);
        continue;
      }
      if (probability <= 0) continue;
      Reach missing{&scenario, {}, {}};
      for (const Cell& cell : reach.cells)
        if (!exists(*agent, scenario, cell)) missing.cells.push_back(cell);
      if (missing.cells.empty()) continue;
      std::string where = missing.cells.size() == reach.cells.size()
                              ? fmt::format("any cell where this rule applies ({})", reach.cells.size())
                              : fmt::format("{} of the {} cells where this rule applies, first: {}",
                                            missing.cells.size(), reach.cells.size(), cell_name(missing));
      mistake(rule.agent_places.at(name),
              fmt::format("agent '{}' of scenario '{}' does not exist in {}", name, scenario.name, where));
    }
    if (lacking.empty()) return;
    mistake(rule.agent_places.at(name), fmt::format("{} {} no agent '{}', and this rule applies there; {}",
                                                    lacking.size() == 1 ? "scenario" : "the scenarios",
                                                    joined(lacking, ", ") + (lacking.size() == 1 ? " has" : " have"),
                                                    name, guess(name, distinct(known))));
  }

  const Policy& policy_;
  const Suite& suite_;
  Diagnostics& diagnostics_;
};

}  // namespace

void check_policy(const Policy& policy, const Suite& suite, Diagnostics& diagnostics) {
  PolicyChecker(policy, suite, diagnostics).check();
}

}  // namespace assay
