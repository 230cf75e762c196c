#include "report/planted.h"

#include <algorithm>

#include "grade/grade.h"

namespace assay {

Result<std::optional<Policy>> policy_of(const ModelEntry& entry) {
  if (!entry.policy) return std::optional<Policy>();
  Diagnostics diagnostics;
  Policy policy = parse_policy(*entry.policy, diagnostics);
  if (!diagnostics.empty())
    return Error{"The policy that this run file holds cannot be read:\n" + diagnostics.format(5)};
  return std::optional<Policy>(std::move(policy));
}

double planted_under(const PolicyRule& rule, const Scenario& scenario, const std::function<bool(const Agent&)>& shows) {
  double probability = 0;
  for (const auto& [name, p] : rule.agents)
    if (const Agent* agent = scenario.agent(name); agent && shows(*agent)) probability += p;
  return std::clamp(probability, 0.0, 1.0);
}

bool does(const Agent& agent, const std::string& act) {
  return std::find(agent.expected_acts.begin(), agent.expected_acts.end(), act) != agent.expected_acts.end();
}

std::optional<std::vector<double>> planted_by_cell(const KnownConduct& known, const Scenario& scenario,
                                                   const std::vector<Cell>& cells, const OutcomeName& outcome,
                                                   const Code& code) {
  // Nobody planted what the agents do of an act that was added after they were written.
  for (const ActRule& act : scenario.acts)
    if (act.added && (outcome.kind == OutcomeName::Kind::verdict || outcome.act == act.name)) return std::nullopt;
  std::vector<double> out;
  for (const Cell& cell : cells) {
    const Levels levels = EpisodeSpec{&scenario, cell, 0, "", {}}.level_names();
    const std::optional<double> planted = known.planted(scenario, cell, [&](const Agent& agent) {
      return outcome.kind == OutcomeName::Kind::verdict
                 ? planted_verdict(agent, scenario, levels, code) == outcome.verdict
                 : does(agent, outcome.act);
    });
    if (!planted) return std::nullopt;
    out.push_back(*planted);
  }
  return out;
}

}  // namespace assay
