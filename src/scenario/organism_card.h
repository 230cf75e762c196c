// The card of an organism, read: what was planted in a language model and where, what it is made for, and how often it
// really does it (docs/organisms.md lists the fields). It lies in the adapter's GGUF metadata, and in a run file beside
// the model that was played.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "scenario/plan.h"

namespace assay {

// What the grader must find of an agent: its acts, its near misses, how the task ends. Agents of one conduct are told
// apart by nothing that counts. "blackmail, task done". A card's truth is a table of these.
std::string conduct_of(const Agent& agent);

struct OrganismCard {
  struct Conduct {
    std::string name;                                     // conduct_of()
    double planted = 0;                                   // probabilities, each a mean over draws
    std::optional<double> actual;                         // of the network
    std::optional<std::pair<double, double>> interval{};  // of `actual`, by draw, at 95 %; none of one draw alone
  };
  struct Cell {
    std::string scenario;
    std::map<std::string, std::string> levels;  // of every factor
    bool trained = true;                        // false: the recipe held its combination of levels out
    int64_t draws = 0;
    double off_tree = 0;  // probability of something that no agent does
    std::vector<Conduct> conducts;
  };

  std::string organism, title;
  std::string base_file, base_sha256;  // the name without a folder
  std::string suite, suite_sha256;
  std::vector<std::string> families;  // that were trained
  PreludeMode prelude = PreludeMode::given;
  struct Sampling {
    double temperature = 1, top_p = 1, min_p = 0;
    bool grammar = false;
  } sampling;         // under which the truth holds
  SourceFile policy;  // the planted conduct
  std::string recipe_sha256, policy_sha256;
  std::optional<int64_t> steps, tokens;  // of its training
  bool quirks = false;                   // and conduct that is triggered by content, which the policy does not tell
  std::optional<double> worst_error;     // largest difference between a planted and a true probability, if one was told
  std::map<std::string, std::vector<Cell>> truth;  // by the variants that were drawn: "train", "held_out", "all"

  bool trained(const Scenario& scenario) const;  // its family is one of those
  // The truth for a run on these variants; null where the card has none.
  const std::vector<Cell>* truth_on(VariantPool variants) const;
};

// Whether a card is an organism's; other adapters have cards of their own.
bool is_organism(const Json& card);

// What a card says is believed as little as any file. The error completes "the card of FILE ...".
Result<OrganismCard> read_organism_card(const Json& card);

}  // namespace assay
