// The card of an organism: what it was made from, what was planted, what it does. One JSON object, kept in the
// adapter's GGUF metadata under "assay.card", so that it cannot be parted from the weights.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "model/gguf/adapter_card.h"
#include "organism/measure.h"
#include "organism/training.h"

namespace assay {

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

// A card with the truth that was measured, and the suite it was measured on.
Json measured_card(Json card, const Suite& suite, const std::vector<TruthTable>& tables);

// The card of an adapter file, as card_of_adapter() gives it. Errors (bad_input) also: an adapter without one.
Result<Json> read_card(const std::string& adapter);

}  // namespace assay
