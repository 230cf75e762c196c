// Trains an adapter (LoRA; Hu et al. 2021) on a frozen language model, on the CPU.
//
//   auto trainer = LoraTrainer::make("base.gguf", {.rank = 16}, 2, seed);
//   while (trainer->steps() < 100) {
//     for (const TokenTree& tree : next_trees()) trainer->learn(tree);
//     trainer->step(rate, 1 / weight_of_the_trees);
//   }
//   trainer->save_adapter("mine.gguf", {{"assay.card", card}});
//
// The base may be any GGUF of the llama architecture (organism/lora_base.h says what is refused, and in which type its
// weights are kept). The same calls give the same numbers on one machine with the same number of threads, to the bit.
// Memory: a model of 135 M parameters and trees of 400 tokens take about 1.2 GB. Not for several threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "organism/lora_adapter.h"
#include "organism/token_tree.h"

namespace assay {

// What a tree cost: sums over its targets, and over its deciding ones.
struct TreeLoss {
  double weight = 0, loss = 0;  // of weights; of weight * -log p
  double deciding_weight = 0, deciding_loss = 0;
};

// AdamW (Loshchilov & Hutter 2019), the gradient's norm clipped before it.
struct AdamW {
  double b1 = 0.9, b2 = 0.99, epsilon = 1e-8;
  double decay = 0;  // of the weights, times the rate
  double clip = 1;   // the largest norm of a gradient; 0: any
};

class LoraTrainer {
 public:
  // Loads the base and draws the adapter's A from the seed; B is zero, so that the adapter changes nothing yet.
  // Errors (bad_input): what LoraBase::load refuses, and a shape that does not fit the base.
  static Result<std::unique_ptr<LoraTrainer>> make(const std::string& base_gguf, const LoraShape& shape, int threads,
                                                   uint64_t seed, const AdamW& settings = {});
  virtual ~LoraTrainer() = default;

  // Forward and backward: adds to the gradient. Errors, after which nothing has changed: a tree that is no tree, is
  // longer than the base's context or has tokens outside its vocabulary; a loss or gradient that is no number
  // (unfinished).
  virtual Result<TreeLoss> learn(const TokenTree& tree) = 0;
  // Forward alone: log p of each target, whatever its weight. Errors as of learn().
  virtual Result<std::vector<float>> logprobs(const TokenTree& tree) = 0;
  // A step with the gradient gathered since the last, times `scale`; clears it. Returns its norm, scaled, before
  // clipping.
  virtual double step(double rate, double scale = 1) = 0;
  virtual int steps() const = 0;       // made so far; checkpoints keep both
  virtual int64_t tokens() const = 0;  // learned from so far, with those of trees not yet stepped on

  // An adapter for llama.cpp, of 16-bit floats, written beside its place and renamed into it; `metadata`: more keys of
  // the file, with their texts. Errors (unfinished) name the file.
  virtual Status save_adapter(const std::string& path,
                              const std::vector<std::pair<std::string, std::string>>& metadata) = 0;
  // All that going on depends on: after load_checkpoint the same calls give the same bits. Written as save_adapter
  // does. Loading refuses (bad_input), changing nothing: what is no checkpoint, is damaged or cut off, or belongs to
  // another base, shape or settings.
  virtual Status save_checkpoint(const std::string& path) = 0;
  virtual Status load_checkpoint(const std::string& path) = 0;

  // The adapter's numbers, and the gradient gathered so far, number by number: for tests, and for who looks on.
  // What is written to them counts from the next call on.
  virtual std::span<float> parameters() = 0;
  virtual std::span<const float> gradient() const = 0;
};

}  // namespace assay
