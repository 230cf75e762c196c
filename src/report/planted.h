// What is true of an agent of known conduct: its policy, spread over a scenario's grid.
#pragma once

#include <optional>
#include <vector>

#include "report/summary.h"
#include "scenario/policy.h"

namespace assay {

// The probability of an outcome in each cell of grid(scenario): the sum over the agents that the policy may draw there
// of their probability, where the agent's conduct (as its `expect` says and lint has proved) shows the outcome. Absent
// where the policy has no rule for some cell.
std::optional<std::vector<double>> planted_by_cell(const Policy& policy, const Scenario& scenario,
                                                   const OutcomeName& outcome, const Code& code);

}  // namespace assay
