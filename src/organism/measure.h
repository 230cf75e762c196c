// The truth about an organism, as a card keeps it: by llama.cpp (network.h), on every kind of draw.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "organism/corpus.h"
#include "organism/network.h"
#include "organism/truth.h"

namespace assay {

// A kind of draw, by the name that a card has for it.
//   train      what it was trained on
//   new_names  names it has not seen, levels in the words it was trained on
//   held_out   neither seen
//   all        whatever a run with --variants all draws
struct TruthTable {
  std::string pool;
  std::vector<CellTruth> cells;
  double worst = 0;  // largest difference of a planted and a true probability in cells that were trained
};

struct Measuring {
  int draws = 8;  // of each scenario and pool
  const std::atomic<bool>* stop = nullptr;
  std::function<void(int64_t done, int64_t of)> on_draw = [](int64_t, int64_t) {};
};

// Errors (unfinished): it was stopped; a cell that cannot be rendered, or is longer than the context.
Result<std::vector<TruthTable>> measure(const Corpus& corpus, Network& network, const Measuring& how);

}  // namespace assay
