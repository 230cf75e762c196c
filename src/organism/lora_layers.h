// What a block of a llama model has beside its matrices and its attention, and the loss: functions of rows, one a
// token, and their gradients. Each call does a share of the rows.
#pragma once

#include <cstdint>
#include <vector>

#include "organism/lora_matrix.h"

namespace assay::lora {

// y = weight * x / sqrt(mean(x^2) + epsilon)   (Zhang & Sennrich 2019)
struct RmsNorm {
  const float* weight;
  int64_t width;
  float epsilon;
  void forward(const float* x, int64_t rows, float* y, Share share) const;
  // dx = plus + the gradient through the norm; `plus`, of x's shape, is what reaches x around it, or null.
  void backward(const float* x, const float* dy, const float* plus, int64_t rows, float* dx, Share share) const;
};

// in: [row][gate | up], out: [row] silu(gate) * up, each `width` wide   (Shazeer 2020)
void swiglu(const float* in, int64_t width, int64_t rows, float* out, Share share);
void swiglu_back(const float* in, const float* d_out, int64_t width, int64_t rows, float* d_in, Share share);

// What the loss asks of one row of logits.
struct RowTargets {
  struct Target {
    int32_t token;
    float weight;
    float* log_prob;  // where its log probability goes
  };
  std::vector<Target> targets;
};

// For each row the targets' log probabilities; with `gradient` the logits become the gradient of
// sum(weight * -log p): softmax * sum(weight) - weight.
void cross_entropy(float* logits, int64_t vocabulary, const std::vector<RowTargets>& rows, bool gradient, Share share);

}  // namespace assay::lora
