// What was planted in a model of known conduct, spread over a scenario's grid.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "report/known_conduct.h"
#include "report/summary.h"
#include "scenario/policy.h"

namespace assay {

// The policy that a run file holds for a model; none for a model whose conduct is not known. An error where this
// version cannot read what another one stored.
Result<std::optional<Policy>> policy_of(const ModelEntry& entry);

// The probability that an agent drawn by the rule is one that `shows` holds for.
double planted_under(const PolicyRule& rule, const Scenario& scenario, const std::function<bool(const Agent&)>& shows);

// Whether the agent does the act, as its `expect` says and lint has proved.
bool does(const Agent& agent, const std::string& act);

// The probability of an outcome in each of these cells of a scenario: the sum over the agents that may be drawn there
// of their probability, where the agent's conduct (as its `expect` says and lint has proved) shows the outcome. Absent
// where nothing was planted in some cell.
std::optional<std::vector<double>> planted_by_cell(const KnownConduct& known, const Scenario& scenario,
                                                   const std::vector<Cell>& cells, const OutcomeName& outcome,
                                                   const Code& code);

}  // namespace assay
