// What it costs a context to remember: memory for each token, and for each sequence where the model has a running
// state.
#pragma once

#include <cstdint>

struct llama_model;

namespace assay {

struct HeldBytes {
  int64_t token = 0;     // keys and values of 16 bits, in all layers; 0: the model has no attention
  int64_t sequence = 0;  // its state, whatever its length; 0: the model has none
};

// By the model's sizes where it has attention alone. Models with a running state differ too much in what they keep, and
// in which layers: there two tokens are read, and their sequence is weighed (to a few bytes more than it takes).
HeldBytes held_bytes(llama_model* model);

}  // namespace assay
