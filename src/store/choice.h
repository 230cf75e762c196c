// A forced choice, as it is stored: how likely a model's first turn is to be that of each scripted agent. Nothing was
// drawn from the model, so nothing of it is chance.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/record.h"

namespace assay {

// One of the turns that were weighed against each other.
struct Alternative {
  std::vector<std::string> agents;      // that begin with this turn, in the scenario's order; one or more
  std::string turn;                     // as the model would have written it, with the mark that ends it
  int64_t tokens = 0;                   // of that; above 0
  double logprob = 0;                   // of all of them: natural logarithm, at temperature 1; never above 0
  std::vector<WrittenToken> each = {};  // every token's, where the run asked for them
};

// The alternatives' shares of the probability that they have together: in 0 .. 1, with the sum 1. Per token: as if each
// turn's probability were its geometric mean over tokens, so that a long turn is not unlikely for its length alone.
enum class Weighing { whole, per_token };
std::vector<double> shares_of(const std::vector<Alternative>& alternatives, Weighing weighing);

struct ChoiceRecord {
  std::string scenario, model;
  int64_t cell = 0;  // Cell::index
  int epoch = 0;
  std::map<std::string, std::string> levels;  // factor -> level
  Json drawn;                                 // surface values
  std::vector<Alternative> alternatives;      // none where it failed; in the order of the scenario's agents
  Outcome outcome;     // completed; or limit (context), error or cancelled: then nothing is known
  double seconds = 0;  // wall time
};

// The line of `show --choices --json`, documented in docs/formats.md.
Json to_json(const ChoiceRecord& record);

}  // namespace assay
