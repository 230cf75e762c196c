// One tree's forward pass and its gradient, as a graph that ggml plans the memory of and computes on its threads. The
// nodes are our own functions (lora_matrix.h, lora_attention.h, lora_layers.h); the gradient is written out by hand,
// layer by layer, since ggml's automatic one has none for products with BF16 and is slow for the others.
#pragma once

#include <ggml-cpp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "organism/lora_adapter.h"
#include "organism/lora_attention.h"
#include "organism/lora_base.h"
#include "organism/lora_layers.h"
#include "organism/token_tree.h"

namespace assay::lora {

class LoraGraph {
 public:
  // A graph for one tree, which has targets and is sound (LoraTrainer checks). All arguments outlive it.
  LoraGraph(const LoraBase& base, const Adapter& adapter, const TokenTree& tree, bool backward, int threads);
  LoraGraph(const LoraGraph&) = delete;

  // `memory` is what graphs live in by turns, `cpu` what computes. False: ggml could not (no memory).
  bool compute(ggml_gallocr_t memory, ggml_backend_t cpu);

  // After compute(): of each target, in the tree's order.
  const std::vector<float>& log_probs() const { return log_probs_; }
  // After compute(), until the memory is used again: of each group of the adapter, laid out as it.
  struct Gradient {
    const AdapterGroup* group;
    const float* values;
  };
  std::vector<Gradient> gradients() const;

 private:
  using Work = std::function<void(float* out, Share share)>;
  // What the gradient of a layer needs of its forward pass. Null where there is none.
  struct Kept {
    ggml_tensor *in, *normed, *qkv, *attended, *attention_in, *middle, *normed_middle, *gate_up, *active;
    ggml_tensor *h_qkv, *h_out, *h_gate_up, *h_down;  // A x
  };

  ggml_tensor* node(int64_t width, int64_t rows, const std::vector<ggml_tensor*>& from, Work work,
                    ggml_type type = GGML_TYPE_F32);
  ggml_tensor* input(ggml_type type, int64_t width, int64_t rows);
  static void run(ggml_tensor* out, int thread, int threads, void* work);

  // What a product adds to a part of its outputs: scale * h[.., column ..] * matrix.
  struct Addition {
    int64_t first, outputs, h_column, depth;
    const float* matrix;  // [depth][outputs]
    float scale;
  };
  ggml_tensor* product(const Panels& matrix, ggml_tensor* x, ggml_tensor* h, const std::vector<Addition>& additions);
  ggml_tensor* forth(const Frozen& matrix, const AdapterGroup* group, ggml_tensor* x, ggml_tensor*& h);
  // The gradient of x; keeps the adapter's own. `wanted`: whether x has one at all.
  ggml_tensor* back(const Frozen& matrix, const AdapterGroup* group, ggml_tensor* x, ggml_tensor* h, ggml_tensor* dy,
                    bool wanted = true);
  ggml_tensor* norm(const std::vector<float>& weight, ggml_tensor* x);
  ggml_tensor* norm_back(const std::vector<float>& weight, ggml_tensor* x, ggml_tensor* dy, ggml_tensor* plus);

  // The rows with targets, each in its token's place; zeros elsewhere.
  ggml_tensor* spread(ggml_tensor* rows);

  Kept layer(int64_t i, ggml_tensor*& x);
  ggml_tensor* layer_back(int64_t i, const Kept& kept, ggml_tensor* dx);

  const LoraBase& base_;
  const Adapter& adapter_;
  const TokenTree& tree_;
  const int threads_;
  const TreeMask mask_;
  const Attention attention_;
  std::vector<int32_t> rows_;  // nodes with targets
  std::vector<RowTargets> targets_;
  std::vector<float> log_probs_;
  std::deque<Work> works_;
  ggml_context_ptr context_;
  ggml_cgraph* graph_ = nullptr;
  ggml_tensor *embedded_ = nullptr, *row_numbers_ = nullptr;
  std::vector<std::pair<const AdapterGroup*, ggml_tensor*>> gradients_;
};

}  // namespace assay::lora
