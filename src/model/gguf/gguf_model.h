// A GGUF file as a Model, through llama.cpp in this process: many requests beside each other, what they have in common
// computed once (engine.h).
#pragma once

#include <memory>

#include "base/result.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_options.h"
#include "model/model.h"

namespace assay {

// Loads and checks everything that can be known before the first request. Errors are bad_input, one sentence.
Result<std::unique_ptr<Model>> open_gguf(const GgufOptions& options);
// The same where check_gguf(options.path) has been asked already.
Result<std::unique_ptr<Model>> open_gguf(const GgufOptions& options, const GgufFile& file);

}  // namespace assay
