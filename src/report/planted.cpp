#include "report/planted.h"

#include <algorithm>

#include "grade/grade.h"

namespace assay {

std::optional<std::vector<double>> planted_by_cell(const Policy& policy, const Scenario& scenario,
                                                   const OutcomeName& outcome, const Code& code) {
  auto shows = [&](const Agent& agent, const Levels& levels) {
    if (outcome.kind == OutcomeName::Kind::verdict)
      return planted_verdict(agent, scenario, levels, code) == outcome.verdict;
    return std::find(agent.expected_acts.begin(), agent.expected_acts.end(), outcome.act) != agent.expected_acts.end();
  };
  std::vector<double> out;
  for (const Cell& cell : grid(scenario)) {
    const PolicyRule* rule = policy.rule_for(scenario, cell);
    if (!rule) return std::nullopt;
    double probability = 0;
    const Levels levels = EpisodeSpec{&scenario, cell, 0, "", {}}.level_names();
    for (const auto& [name, p] : rule->agents)
      if (const Agent* agent = scenario.agent(name); agent && shows(*agent, levels)) probability += p;
    out.push_back(std::clamp(probability, 0.0, 1.0));
  }
  return out;
}

}  // namespace assay
