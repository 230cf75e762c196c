// That a column of a product, and a row of an attention, have the same bits whatever stands beside them.
#include "model/gguf/exact.h"

#include <ggml-cpu.h>
#include <ggml.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "model/gguf/attention.h"

namespace assay {
namespace {

struct Free {
  void operator()(ggml_context* c) const { ggml_free(c); }
};

std::vector<float> random_numbers(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> numbers;
  for (int64_t i = 0; i < n; ++i) numbers.push_back(static_cast<float>(2 * rng.uniform() - 1));
  return numbers;
}

// Random weights of a type, `rows` of 512, made once.
constexpr int64_t length = 512;
const std::vector<char>& weights_of(ggml_type type, int64_t rows) {
  static std::map<std::pair<ggml_type, int64_t>, std::vector<char>> made;
  auto [known, fresh] = made.try_emplace({type, rows});
  std::vector<char>& bytes = known->second;
  if (!fresh) return bytes;
  bytes.resize(ggml_row_size(type, length) * static_cast<size_t>(rows));
  const std::vector<float> numbers = random_numbers(length * rows, 1);
  if (!ggml_quantize_requires_imatrix(type) && !std::string_view(ggml_type_name(type)).starts_with("iq1") &&
      type != GGML_TYPE_IQ2_S && type != GGML_TYPE_IQ3_XXS && type != GGML_TYPE_IQ3_S) {
    ggml_quantize_chunk(type, numbers.data(), bytes.data(), 0, rows, length, nullptr);
    return bytes;
  }
  // To find the nearest numbers on these types' grids takes seconds; all bytes are some, behind a sane scale.
  const ggml_fp16_t scale = ggml_fp32_to_fp16(0.01f);
  const size_t block = ggml_type_size(type);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(numbers[i] * 127);
  for (size_t at = 0; at < bytes.size(); at += block)
    if (type == GGML_TYPE_IQ1_M)  // whose scale's four highest bits stand in its last byte
      bytes[at + block - 1] = static_cast<char>((bytes[at + block - 1] & 0x0F) | 0x20);
    else
      std::memcpy(&bytes[at], &scale, sizeof scale);
  return bytes;
}

class ExactProducts : public testing::TestWithParam<ggml_type> {
 protected:
  // Weights of `rows` x 512, times `columns` columns: those from `first` on of 64 that are always the same.
  std::vector<float> product(int64_t rows, int64_t first, int64_t columns) {
    begin();
    ggml_tensor* weights = ggml_new_tensor_2d(context_.get(), GetParam(), length, rows);
    std::ranges::copy(weights_of(GetParam(), rows), static_cast<char*>(weights->data));
    return compute(ggml_mul_mat(context_.get(), weights, columns_from(first, columns)));
  }
  // The same by experts, as a mixture of them does: of three, each column takes two.
  std::vector<float> by_experts(int64_t rows, int64_t first, int64_t columns) {
    begin();
    ggml_tensor* weights = ggml_new_tensor_3d(context_.get(), GetParam(), length, rows, 3);
    std::ranges::copy(weights_of(GetParam(), 3 * rows), static_cast<char*>(weights->data));
    ggml_tensor* chosen = ggml_new_tensor_2d(context_.get(), GGML_TYPE_I32, 2, columns);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t j : {0, 1})
        static_cast<int32_t*>(chosen->data)[2 * i + j] = static_cast<int32_t>((first + i + (first + i) / 3 + j) % 3);
    ggml_tensor* x = ggml_reshape_3d(context_.get(), columns_from(first, columns), length, 1, columns);
    return compute(ggml_mul_mat_id(context_.get(), weights, x, chosen));
  }

 private:
  void begin() { context_.reset(ggml_init({size_t{16} << 20, nullptr, false})); }
  ggml_tensor* columns_from(int64_t first, int64_t columns) {
    static const std::vector<float> all = random_numbers(length * 64, 2);
    ggml_tensor* x = ggml_new_tensor_2d(context_.get(), GGML_TYPE_F32, length, columns);
    std::copy_n(all.begin() + first * length, length * columns, static_cast<float*>(x->data));
    return x;
  }
  std::vector<float> compute(ggml_tensor* y) {
    ggml_cgraph* graph = ggml_new_graph(context_.get());
    ggml_build_forward_expand(graph, y);
    EXPECT_EQ(ggml_graph_compute_with_ctx(context_.get(), graph, 2), GGML_STATUS_SUCCESS);
    const auto* from = static_cast<const float*>(y->data);
    return {from, from + ggml_nelements(y)};
  }
  std::unique_ptr<ggml_context, Free> context_;
};

TEST_P(ExactProducts, AreTheSameForAColumnAloneAndAmongOthers) {
  const ExactArithmetic exact;
  for (int64_t rows : {48, 50, 21}) {  // whole tiles, and what is left of them
    const std::vector<float> all = product(rows, 0, 64);
    for (int64_t columns : {1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 24, 37})
      for (int64_t first : {int64_t{0}, 64 - columns}) {
        const std::vector<float> some = product(rows, first, columns);
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin() + first * rows))
            << rows << " rows, " << columns << " columns from " << first << " on";
      }
  }
}

TEST_P(ExactProducts, AreTheSameByExperts) {
  const ExactArithmetic exact;
  for (int64_t rows : {48, 21}) {
    const std::vector<float> all = by_experts(rows, 0, 64);
    for (int64_t columns : {1, 2, 5, 13, 37})
      for (int64_t first : {int64_t{0}, 64 - columns}) {
        const std::vector<float> some = by_experts(rows, first, columns);
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 2 * first * rows))
            << rows << " rows, " << columns << " columns from " << first << " on";
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, ExactProducts,
                         testing::Values(GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0,
                                         GGML_TYPE_Q4_1, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1, GGML_TYPE_IQ4_NL,
                                         GGML_TYPE_MXFP4, GGML_TYPE_Q2_K, GGML_TYPE_Q3_K, GGML_TYPE_Q4_K,
                                         GGML_TYPE_Q5_K, GGML_TYPE_Q6_K, GGML_TYPE_TQ1_0, GGML_TYPE_TQ2_0,
                                         GGML_TYPE_IQ1_S, GGML_TYPE_IQ1_M, GGML_TYPE_IQ2_XXS, GGML_TYPE_IQ2_XS,
                                         GGML_TYPE_IQ2_S, GGML_TYPE_IQ3_XXS, GGML_TYPE_IQ3_S, GGML_TYPE_IQ4_XS),
                         [](const auto& type) { return ggml_type_name(type.param); });

// A query, its keys and values, alone or as the last of a chunk whose rows all attend to the same cells.
TEST(ExactAttention, IsTheSameForARowAloneAndAmongOthers) {
  constexpr int64_t size = 64, heads = 6, key_heads = 2, cells = 203;
  auto last_row = [&](int64_t rows) {
    const std::unique_ptr<ggml_context, Free> context(ggml_init({size_t{16} << 20, nullptr, false}));
    auto fill = [&](ggml_type type, int64_t n_heads, int64_t n, uint64_t seed, int64_t skip) {
      ggml_tensor* t = ggml_new_tensor_3d(context.get(), type, size, n_heads, n);
      const std::vector<float> numbers = random_numbers(size * n_heads * (n + skip), seed);
      ggml_quantize_chunk(type, numbers.data() + size * n_heads * skip, t->data, 0, n_heads * n, size, nullptr);
      return ggml_permute(context.get(), t, 0, 2, 1, 3);
    };
    ggml_tensor* q = fill(GGML_TYPE_F32, heads, rows, 1, 20 - rows);
    ggml_tensor *k = fill(GGML_TYPE_F16, key_heads, cells, 2, 0), *v = fill(GGML_TYPE_F16, key_heads, cells, 3, 0);
    ggml_tensor* mask = ggml_new_tensor_2d(context.get(), GGML_TYPE_F16, cells, rows);
    for (int64_t i = 0; i < rows * cells; ++i)
      static_cast<ggml_fp16_t*>(mask->data)[i] =
          ggml_fp32_to_fp16(i % cells < 160 || i % cells % rows == rows - 1 ? 0.0f : -INFINITY);
    // What the last row attends to must not depend on `rows`: all of the first cells, none of the others.
    for (int64_t cell = 160; cell < cells; ++cell)
      static_cast<ggml_fp16_t*>(mask->data)[(rows - 1) * cells + cell] = ggml_fp32_to_fp16(-INFINITY);
    ggml_tensor* node = ggml_flash_attn_ext(context.get(), q, k, v, mask, 0.125f, 0, 0);
    EXPECT_TRUE(attends_by_mask(node));
    attend_by_mask(node, 0, 1);
    const auto* from = static_cast<const float*>(node->data) + (rows - 1) * heads * size;
    return std::vector<float>(from, from + heads * size);
  };
  const ExactArithmetic exact;
  const std::vector<float> alone = last_row(1);
  for (int64_t rows : {2, 5, 16, 20}) EXPECT_EQ(last_row(rows), alone) << rows;
}

// That these tests can fail: without it, the bits do depend on what stands beside.
class ProductsThatDependOnTheBatch : public ExactProducts {};
TEST_P(ProductsThatDependOnTheBatch, DifferWithoutIt) {
  const std::vector<float> all = product(48, 0, 64), one = product(48, 0, 1);
  EXPECT_NE(std::vector<float>(all.begin(), all.begin() + 48), one);
}
INSTANTIATE_TEST_SUITE_P(Of, ProductsThatDependOnTheBatch, testing::Values(GGML_TYPE_F16, GGML_TYPE_IQ4_XS),
                         [](const auto& type) { return ggml_type_name(type.param); });

}  // namespace
}  // namespace assay
