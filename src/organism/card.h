// The card of an organism: what it was made from, what was planted, what it does. One JSON object, kept in the
// adapter's GGUF metadata under "assay.card", so that it cannot be parted from the weights.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "organism/training.h"

namespace assay {

inline constexpr const char* card_key = "assay.card";

struct CardParts {
  const Recipe& recipe;
  const Policy& policy;
  const Suite& suite;
  std::string base_name, base_sha256;
  int threads = 1;
  TrainingEnd training;
  TrainingLook look;  // the last; with no cells where none was taken
};
Json make_card(const CardParts& parts);

// A table of planted and true probabilities, as it stands in a card under "truth".
Json truth_json(const std::vector<CellTruth>& cells);

// The card of an adapter file. Errors (bad_input): no GGUF, no organism. What it says is believed as little as any
// file: it is an object, and no larger than 4 MB; nothing else is promised.
Result<Json> read_card(const std::string& adapter);

}  // namespace assay
