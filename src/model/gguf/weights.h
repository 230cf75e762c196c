// The weights of a GGUF file, loaded once in this process: models that differ only in their adapter, their sampling or
// their context share one copy of the base.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace assay {

using SharedWeights = std::shared_ptr<llama_model>;

// The file, from memory if some model still uses it. `gpu_layers`: so many layers lie on an accelerator, where
// llama.cpp was built with one; -1: all. `exact` (exact.h): on the CPU, as the file has them, not repacked for kernels
// whose sums depend on the batch. Errors (bad_input) complete the sentence "gguf:FILE ...".
Result<SharedWeights> load_weights(const std::string& path, int gpu_layers, bool exact = false);

// Whether llama.cpp was built for an accelerator, and there is one.
bool has_accelerator();

// An adapter (check_adapter) for these weights; it lives as long as they do. Errors (bad_input) are whole sentences.
Result<llama_adapter_lora*> load_adapter(const SharedWeights& weights, const std::string& path);

// A control vector for these weights: for the layers from 1 on, one after another, as many numbers as the residual
// stream is wide; zeros where the file has no direction. Errors (bad_input) are whole sentences.
Result<std::vector<float>> load_control(const SharedWeights& weights, const std::string& path, double scale);

}  // namespace assay
