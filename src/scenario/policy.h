// A policy: an agent of known conduct. Levels -> probabilities of a scenario's scripted agents.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/plan.h"

namespace assay {

struct PolicyRule {
  std::map<std::string, std::vector<std::string>> when;  // factor -> any of these levels; empty: always
  std::vector<std::pair<std::string, double>> agents;    // sum to 1
  Place place;
};

struct Policy {
  std::string name;
  std::vector<PolicyRule> rules;  // the first that matches decides
  std::string hash;               // sha256 of the file
  SourceFile source;

  // The rule for a cell, or null. A rule that names a factor the scenario lacks does not match.
  const PolicyRule* rule_for(const Scenario& scenario, const Cell& cell) const;
  // The agent drawn for an episode; the seed is the episode's model seed at turn 0. Null where no rule matches.
  const Agent* draw(const EpisodeSpec& spec) const;
};

// Whether a scripted agent exists in a cell (its `when`).
bool exists(const Agent& agent, const Scenario& scenario, const Cell& cell);

// Adds every mistake to `diagnostics`; the value is usable only if none was added.
Policy parse_policy(const SourceFile& file, Diagnostics& diagnostics);
// Rules that can match in the suite but name an agent a scenario lacks, and cells that no rule matches.
void check_policy(const Policy& policy, const Suite& suite, Diagnostics& diagnostics);

}  // namespace assay
