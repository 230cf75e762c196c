// Teaches an adapter, step by step: an organism its recipe's conduct, where a step is one surface draw of one scenario,
// all twins of it; or whatever else can be said in trees of tokens. Everything it does is a function of the recipe, the
// base and the number of threads; a training that was stopped goes on from its checkpoint to the same bits.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "base/json.h"
#include "organism/corpus.h"
#include "organism/lora_trainer.h"
#include "organism/truth.h"

namespace assay {

// After a step. Losses are means by weight, in nats a token.
struct TrainingStep {
  int64_t step = 0, of = 0;  // steps that are done, and all of them
  double rate = 0;           // the learning rate it was made with
  double loss = 0;           // of all tokens that are taught
  double deciding = 0;       // of those at which conduct parts
  double floor = 0;          // of the same, what no network gets below: the planted policy's own entropy
  double norm = 0;           // of the gradient, before it was clipped
  int64_t tokens = 0;        // read in this sitting
  double seconds = 0;        // of this sitting
};

// A look at draws that nobody trains: what the network does by now.
struct TrainingLook {
  int64_t step = 0;
  double worst = 0;     // largest difference of a planted and a true probability
  double off_tree = 0;  // mean probability of what no agent does
  std::vector<CellTruth> cells;
};

struct TrainingOptions {
  std::string checkpoint;           // where; "": none are made
  double checkpoint_seconds = 120;  // between two
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const TrainingStep&)> on_step = [](const TrainingStep&) {};
  // Of organisms.
  std::function<void(const TrainingLook&)> on_look = [](const TrainingLook&) {};
};

struct TrainingEnd {
  bool whole = false;             // false: it was stopped; the checkpoint holds where it stands
  int64_t steps = 0, tokens = 0;  // in all sittings
};

// The entropy of a lesson's deciding targets, in nats, times their weight: the least that their loss can be.
double floor_of(const TokenTree& lesson);

// What is taught.
struct Lessons {
  const TrainingSettings& settings;
  // Of step 0, 1, ...; the same whenever asked. Asked from another thread than `look`, and never while it looks.
  std::function<Result<std::vector<TokenTree>>(int64_t step)> trees;
  std::function<Status(int64_t step)> look;  // after so many steps; tells what it sees itself
};

// How an adapter was trained, as every card has it: "adapter" (its shape) and "training".
void put_training(Json& card, const TrainingSettings& settings, const TrainingEnd& end, int threads);

// Goes on from where the trainer stands. Errors (unfinished): a loss that is no number (the checkpoint is as it was
// before), no room for a checkpoint, and those of the lessons: a cell that cannot be rendered.
Result<TrainingEnd> train(const Lessons& lessons, LoraTrainer& trainer, const TrainingOptions& options);
// An organism.
Result<TrainingEnd> train(const Recipe& recipe, const Corpus& corpus, LoraTrainer& trainer,
                          const TrainingOptions& options);

}  // namespace assay
