// Vocabulary and chat template of a GGUF file, without its weights: what turns conversations into the tokens that a
// model would be given.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "model/gguf/chat_format.h"

namespace assay {

struct Vocabulary {
  llama_model_ptr model;
  std::unique_ptr<ChatFormat> format;  // of `model`

  const llama_vocab* tokens() const { return llama_model_get_vocab(model.get()); }
};

// Errors (bad_input) are sentences.
Result<Vocabulary> read_vocabulary(const std::string& gguf);

}  // namespace assay
