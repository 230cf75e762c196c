// The base of an adapter: a GGUF of the llama architecture, frozen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "organism/lora_matrix.h"

namespace assay::lora {

// A frozen matrix y = W x, and the product of its gradient, dx = W^T dy. `back` is empty where no gradient goes.
struct Frozen {
  Panels forth, back;
};

struct FrozenLayer {
  std::vector<float> attention_norm, feed_forward_norm;
  Frozen qkv;  // queries | keys | values
  Frozen attention_out;
  Frozen gate_up;  // gate | up
  Frozen down;
};

struct LoraBase {
  std::string sha256;  // of the file
  Panels::Kind kind = Panels::Kind::f32;
  int64_t width = 0, inner = 0;  // of the residual stream, of the feed-forward
  int64_t heads = 0, key_heads = 0, head_size = 0;
  int64_t vocabulary = 0, context = 0;  // tokens; `context`: the longest text it was made for
  float epsilon = 0;
  std::vector<float> frequencies;  // of each pair of a head's numbers: radians per position
  std::vector<FrozenLayer> layers;
  std::vector<float> output_norm;
  Frozen head;  // to the logits

  // The file, made ready for gradients down to `first_layer`. Weights are dequantised, and kept as BF16 where the CPU
  // multiplies such numbers - the fastest that was measured (bench/lora_speed.cpp) - but for a file whose matrices are
  // all of 32-bit floats: it stays as exact as it came.
  // Errors (bad_input), one sentence: what check_gguf refuses; another architecture, experts, position scaling other
  // than linear, a tensor that is missing, of another shape, or not known here (biases).
  static Result<std::unique_ptr<LoraBase>> load(const std::string& path, int first_layer);

  // A token's row of the embedding: `width` numbers.
  void embed(int32_t token, float* to) const;

 private:
  friend class BaseLoader;
  std::vector<unsigned char> embedding_;  // as it stands in the file
  int embedding_type_ = 0;                // a ggml_type
};

}  // namespace assay::lora
