// Attention along the paths of a tree, and its gradient.
//
// A token attends to its ancestors and itself. What a whole block of tokens does not attend to (the later tokens, other
// branches) is not computed. The gradient computes the weights anew from the logarithms of their sums instead of
// keeping them (Dao et al. 2022, "FlashAttention"). Rotary positions (Su et al. 2021) are applied here, to pairs of
// neighbouring numbers as files of the llama architecture have them: keys and queries come and go unrotated.
#pragma once

#include <cstdint>
#include <vector>

#include "organism/lora_matrix.h"

namespace assay::lora {

// Who attends to whom, and where each token stands.
class TreeMask {
 public:
  static constexpr int64_t block = 32;
  // `parent` as in TokenTree: of each token an earlier one, or -1.
  explicit TreeMask(const std::vector<int32_t>& parent);

  int64_t tokens() const { return tokens_; }
  int64_t padded() const { return blocks_ * block; }  // to whole blocks
  int64_t blocks() const { return blocks_; }
  int32_t depth(int64_t token) const { return depth_[static_cast<size_t>(token)]; }
  // For the cells of a block, a bit each: whether the token attends to it. Tokens of the padding attend to none.
  uint32_t attends(int64_t token, int64_t cells) const { return bits_[static_cast<size_t>(token * blocks_ + cells)]; }
  // Runs [first, last) of blocks of cells to which some token of a block attends.
  const std::vector<std::pair<int64_t, int64_t>>& runs(int64_t tokens) const {
    return runs_[static_cast<size_t>(tokens)];
  }

 private:
  int64_t tokens_, blocks_;
  std::vector<int32_t> depth_;
  std::vector<uint32_t> bits_;
  std::vector<std::vector<std::pair<int64_t, int64_t>>> runs_;
};

struct Attention {
  int64_t heads, key_heads;  // each key head belongs to heads / key_heads heads
  int64_t size;              // of a head; even
  const TreeMask* mask;
  std::vector<float> cosine, sine;  // [token][pair]: of the angles by which pairs are turned

  // `frequencies`: of each pair of a head, radians per position.
  Attention(int64_t of_heads, int64_t of_key_heads, const std::vector<float>& frequencies, const TreeMask& of_mask);

  int64_t out_row() const { return heads * size; }
  int64_t in_row() const { return (heads + 2 * key_heads) * size; }  // queries | keys | values
  // Numbers that backward() needs beside the queries' gradient, for each thread.
  int64_t partial() const;

  // in: [token][in_row]; out: [token][out_row]; log_sums: [head][token].
  void forward(const float* in, float* out, float* log_sums, Share share) const;
  // First half, a share of heads and tokens: d_queries [token][out_row]; each thread's part of the gradients of keys
  // and values goes into its own place in partials [threads][partial()].
  void backward(const float* in, const float* out, const float* log_sums, const float* d_out, float* d_queries,
                float* partials, Share share) const;
  // Second half, when all threads have done the first: d_in [token][in_row].
  void join(const float* d_queries, const float* partials, float* d_in, Share share) const;
};

}  // namespace assay::lora
