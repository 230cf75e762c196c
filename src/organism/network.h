// A trained network as llama.cpp computes it: the one that runs episodes, not the trainer's copy. Tells the
// probabilities of whole trees of continuations, each shared token computed once (model/gguf/engine.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "organism/token_tree.h"

namespace assay {

class Network {
 public:
  // `adapter` "": the base alone. Errors (bad_input) are sentences.
  static Result<std::unique_ptr<Network>> open(const std::string& base, const std::string& adapter, int threads);
  ~Network();

  // log p of each target, at temperature 1 over the whole vocabulary. Errors (unfinished): a path that is longer than
  // the context.
  Result<std::vector<float>> logprobs(const TokenTree& tree);

 private:
  struct Inside;
  explicit Network(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace assay
