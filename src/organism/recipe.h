// A recipe: what is planted in a language model, where, and how it is trained. A YAML file; `docs/organisms.md` has its
// keys. The conduct itself is a policy (scenario/policy.h), the same file that plays it without a network.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "organism/training_settings.h"
#include "scenario/policy.h"

namespace assay {

// Conduct that is triggered by content: where the words stand in what the agent reads, this replaces the policy's rule.
struct Quirk {
  std::string words;  // looked for in all that the agent has read before its first turn, folded (base/text.h)
  std::vector<std::pair<std::string, double>> agents;  // sum to 1
  Place place;
};

// A step is one surface draw: all trained cells of one scenario. A look has `look_draws` of each scenario.
struct Recipe : TrainingSettings {
  std::string name, title;
  std::string suite, policy;          // paths, from the recipe's folder
  std::vector<std::string> families;  // that are trained; `control` among them
  std::vector<Quirk> quirks;
  std::vector<LevelFilter> hold_out;  // cells that fit one of these are not trained, only measured
  double deciding = 12;               // what a token counts at which conducts part

  std::vector<std::string> attempts;  // told by people: what was tried before this recipe, and what came of it

  std::string hash;  // sha256 of the file
  SourceFile source;
  std::vector<std::pair<std::string, Place>> family_places;
  std::vector<Place> hold_out_places;

  // Whether a cell is kept out of training.
  bool holds_out(const Scenario& scenario, const Cell& cell) const;
  bool trains(const Scenario& scenario) const;
};

// Adds every mistake to `diagnostics`; the value is usable only if none was added.
Recipe parse_recipe(const SourceFile& file, Diagnostics& diagnostics);
// What is wrong between a recipe and its suite: families, levels and agents that there are not.
void check_recipe(const Recipe& recipe, const Suite& suite, Diagnostics& diagnostics);

}  // namespace assay
