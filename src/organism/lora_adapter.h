// The trained part: beside each matrix W of the base that takes part, A (rank x inputs) and B (outputs x rank), so that
// y = W x + alpha / rank * B A x   (Hu et al. 2021).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "organism/lora_base.h"

namespace assay {

struct LoraShape {
  int rank = 16;
  float alpha = 32;
  int first_layer = 0;        // layers below it have no adapter, and no gradient goes there
  bool feed_forward = false;  // gate, up and down too, beside attention's q, k, v and output
  bool operator==(const LoraShape&) const = default;
};

namespace lora {

// The adapter of one matrix of the base. Its numbers are a part of Adapter::values.
struct AdapterPart {
  std::string tensor;  // of the base, as blk.0.attn_q.weight
  int64_t inputs, outputs;
  int64_t column;  // its first output in the frozen matrix that it is a part of
  size_t a, b;     // where [rank][inputs] and [rank][outputs] begin
};

// Those of the matrices that share an input; their A's lie one below the other.
struct AdapterGroup {
  std::vector<AdapterPart> parts;
  int64_t inputs = 0, outputs = 0, rows = 0;  // `rows`: of all A's together
  size_t begin = 0, size = 0;                 // in Adapter::values
};

class Adapter {
 public:
  enum class Place { qkv, attention_out, gate_up, down };

  // A: normal with variance 1 / inputs, from the seed and the tensor's name; B: zero.
  Adapter(const LoraBase& base, const LoraShape& shape, uint64_t seed);

  const LoraShape& shape() const { return shape_; }
  float scale() const { return shape_.alpha / static_cast<float>(shape_.rank); }
  // Null where the shape has none.
  const AdapterGroup* group(int64_t layer, Place place) const;
  const std::vector<AdapterGroup>& groups() const { return groups_; }

  std::vector<float> values;
  // The transposed of each: a group's A's as [inputs][rows] and each B as [outputs][rank], where `values` has them the
  // other way. Made anew by turn().
  const std::vector<float>& turned() const { return turned_; }
  void turn();

  // As a GGUF file of 16-bit floats, as llama.cpp reads adapters; `metadata`: more keys, with their texts.
  std::string file(const std::vector<std::pair<std::string, std::string>>& metadata) const;

 private:
  LoraShape shape_;
  std::vector<AdapterGroup> groups_;  // four places a layer, from first_layer on; empty ones have no parts
  std::vector<float> turned_;
};

}  // namespace lora
}  // namespace assay
