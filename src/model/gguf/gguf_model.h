// A GGUF file as a Model, through llama.cpp in this process: one request at a time, computing only what follows the
// longest common prefix with the request before.
#pragma once

#include <memory>

#include "base/result.h"
#include "model/gguf/gguf_options.h"
#include "model/model.h"

namespace assay {

// Loads and checks everything that can be known before the first request. Errors are bad_input, one sentence.
Result<std::unique_ptr<Model>> open_gguf(const GgufOptions& options);

}  // namespace assay
