// A policy: an agent of known conduct. Levels -> probabilities of a scenario's scripted agents.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/plan.h"

namespace assay {

struct YamlNode;

struct PolicyRule {
  std::map<std::string, std::vector<std::string>> when;  // factor -> any of these levels; empty: always
  std::vector<std::pair<std::string, double>> agents;    // sum to 1
  Place place;
  // Where its words stand, by the word; a level's word is "factor/level".
  std::map<std::string, Place> factor_places, level_places, agent_places;
};

struct Policy {
  std::string name;
  std::vector<PolicyRule> rules;  // the first that matches decides
  std::string hash;               // sha256 of the file
  SourceFile source;
  Place rules_place;

  // The rule for a cell, or null. A rule that names a factor the scenario lacks does not match.
  const PolicyRule* rule_for(const Scenario& scenario, const Cell& cell) const;
  // The agent drawn for an episode; the seed is the episode's model seed at turn 0. Null where no rule matches.
  const Agent* draw(const EpisodeSpec& spec) const;
};

// Whether a scripted agent exists in a cell (its `when`).
bool exists(const Agent& agent, const Scenario& scenario, const Cell& cell);

// A map of agents and probabilities that sum to 1; `of`: whose they are, such as "a rule".
std::vector<std::pair<std::string, double>> parse_shares(const YamlNode& map, const std::string& of,
                                                         Diagnostics& diagnostics);

// Adds every mistake to `diagnostics`; the value is usable only if none was added.
Policy parse_policy(const SourceFile& file, Diagnostics& diagnostics);
// What is wrong between a policy and a suite, each told once: factors and levels that are misspelt (a
// factor that the suite lacks makes a rule for other suites, as one that only some scenarios have makes one for these),
// rules that no combination of levels reaches, cells of the grid that no rule matches, and agents that a scenario lacks
// or that do not exist in a cell where their rule applies.
void check_policy(const Policy& policy, const Suite& suite, Diagnostics& diagnostics);

}  // namespace assay
