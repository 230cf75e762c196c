// `assay organism train` and `measure` where the recipe, or the adapter's card, is an organism's.
#pragma once

#include "cli/training.h"

namespace assay {

Result<int> train_organism(const std::string& recipe, const TrainingAsked& asked, Output& out);

// Has llama.cpp tell the truth about an organism, and writes it into the adapter's card. `recipe`: the file that it was
// trained from; "": NAME.recipe.yaml beside the adapter. `base`: "": that of the card, from the cache.
struct OrganismMeasuring {
  std::string adapter, recipe, base;
  int threads = 0, draws = 8;
  bool quiet = false;
};
Result<int> measure_organism(const OrganismMeasuring& asked, Output& out);

// The tables of an organism's card, for people.
std::string organism_card_text(const Json& card);

}  // namespace assay
