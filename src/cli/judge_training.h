// `assay organism train` and `measure` where the recipe, or the adapter's card, is a judge's.
#pragma once

#include "base/diagnostic.h"
#include "cli/training.h"

namespace assay {

Result<int> train_judge(const SourceFile& recipe, const TrainingAsked& asked, Output& out);

// Measures with llama.cpp, as a run asks, and writes the numbers into the adapter's card. `recipe`: the file that the
// card's recipe was read from; "": NAME.recipe.yaml beside the adapter. `base`: "": that of the card, from the cache.
struct JudgeMeasuring {
  std::string adapter, recipe, base;
  int threads = 0;
  bool quiet = false;
};
Result<int> measure_judge(const JudgeMeasuring& asked, Output& out);

// The table of a judge's card, for people.
std::string judge_card_text(const Json& card);

}  // namespace assay
