// That products of blocks are the sums they should be, and that ggml's graphs are computed with them.
#include "model/gguf/block_product.h"

#include <ggml-cpu.h>
#include <ggml.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <tuple>
#include <vector>

#include "base/rng.h"

namespace assay {
namespace {

constexpr int64_t length = 288;  // numbers in a row: nine blocks

class BlockProducts : public testing::TestWithParam<std::tuple<ggml_type, ggml_type>> {
 protected:
  void SetUp() override {
    if (!multiplies_blocks(type(), input_type())) GTEST_SKIP() << "there is no kernel for this CPU";
  }
  static ggml_type type() { return std::get<0>(GetParam()); }
  static ggml_type input_type() { return std::get<1>(GetParam()); }

  static std::vector<float> numbers(int64_t n, uint64_t seed) {
    Rng rng(seed);
    std::vector<float> made;
    for (int64_t i = 0; i < n; ++i) made.push_back(static_cast<float>(2 * rng.uniform() - 0.7));
    return made;
  }
  // Rows of blocks, each with a block of nonsense behind it.
  static std::vector<char> blocks(ggml_type of, const std::vector<float>& numbers) {
    const size_t row = ggml_row_size(of, length), stride = row + ggml_type_size(of);
    std::vector<char> bytes(numbers.size() / length * stride, '\x7f');
    for (size_t i = 0; i * length < numbers.size(); ++i)
      ggml_get_type_traits_cpu(of)->from_float(&numbers[i * length], &bytes[i * stride], length);
    return bytes;
  }
  // What a row of blocks stands for.
  static std::vector<float> meant(ggml_type of, const char* row) {
    std::vector<float> made(length);
    if (of != GGML_TYPE_Q8_1) {
      ggml_get_type_traits(of)->to_float(row, made.data(), length);
      return made;
    }
    for (int64_t i = 0; i < length; ++i) {  // ggml has no use for that direction
      const char* block = row + i / 32 * static_cast<int64_t>(ggml_type_size(of));
      ggml_fp16_t scale;
      std::memcpy(&scale, block, sizeof scale);
      made[static_cast<size_t>(i)] =
          ggml_fp16_to_fp32(scale) * static_cast<float>(static_cast<int8_t>(block[4 + i % 32]));
    }
    return made;
  }
};

TEST_P(BlockProducts, AreTheSumsTheyShouldBe) {
  for (int64_t rows : {1, 16, 37})
    for (int64_t columns : {1, 3, 8, 15})
      for (int threads : {1, 3}) {
        const std::vector<char> weights = blocks(type(), numbers(rows * length, 1));
        const std::vector<char> inputs = blocks(input_type(), numbers(columns * length, 2));
        const int64_t stride = rows + 5, in_row = length / 32;
        std::vector<float> products(static_cast<size_t>(columns * stride), -1e30f);
        for (int thread = 0; thread < threads; ++thread)
          multiply_blocks({rows, columns, in_row, weights.data(), in_row + 1, inputs.data(), in_row + 1,
                           products.data(), stride, type(), input_type()},
                          thread, threads);
        for (int64_t c = 0; c < columns; ++c) {
          const std::vector<float> x =
              meant(input_type(), &inputs[static_cast<size_t>(c) * (in_row + 1) * ggml_type_size(input_type())]);
          for (int64_t r = 0; r < rows; ++r) {
            const std::vector<float> w =
                meant(type(), &weights[static_cast<size_t>(r) * (in_row + 1) * ggml_type_size(type())]);
            double sum = 0, size = 0;
            for (size_t i = 0; i < w.size(); ++i) {
              const double part = static_cast<double>(w[i]) * static_cast<double>(x[i]);
              sum += part, size += std::abs(part);
            }
            const double bound = (type() == GGML_TYPE_Q4_1 ? 1e-3 : 1e-6) * size;  // Q8_1 keeps its sums in 16 bits
            ASSERT_NEAR(static_cast<double>(products[static_cast<size_t>(c * stride + r)]), sum, bound)
                << rows << " x " << columns << ", " << threads << " threads, row " << r << ", column " << c;
          }
          for (int64_t behind = rows; behind < stride; ++behind)
            ASSERT_EQ(products[static_cast<size_t>(c * stride + behind)], -1e30f)
                << "nothing is written behind the rows";
        }
      }
}

TEST_P(BlockProducts, ComputeGraphs) {
  constexpr int64_t rows = 40, columns = 11;
  const std::vector<float> w = numbers(rows * length, 1), x = numbers(columns * length, 2);
  struct Free {
    void operator()(ggml_context* context) const { ggml_free(context); }
  };
  const std::unique_ptr<ggml_context, Free> context(ggml_init({size_t{4} << 20, nullptr, false}));
  ggml_tensor* weights = ggml_new_tensor_2d(context.get(), type(), length, rows);
  ggml_tensor* inputs = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, length, columns);
  ggml_quantize_chunk(type(), w.data(), weights->data, 0, rows, length, nullptr);
  std::copy(x.begin(), x.end(), static_cast<float*>(inputs->data));
  ggml_tensor* y = ggml_mul_mat(context.get(), weights, inputs);
  ggml_cgraph* graph = ggml_new_graph(context.get());
  ggml_build_forward_expand(graph, y);
  ASSERT_EQ(ggml_graph_compute_with_ctx(context.get(), graph, 2), GGML_STATUS_SUCCESS);

  std::vector<char> quantized(ggml_row_size(input_type(), length) * columns);
  for (int64_t c = 0; c < columns; ++c)
    ggml_get_type_traits_cpu(input_type())
        ->from_float(&x[static_cast<size_t>(c * length)],
                     &quantized[static_cast<size_t>(c) * ggml_row_size(input_type(), length)], length);
  std::vector<float> expected(rows * columns);
  multiply_blocks({rows, columns, length / 32, weights->data, length / 32, quantized.data(), length / 32,
                   expected.data(), rows, type(), input_type()},
                  0, 1);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), static_cast<const float*>(y->data)));
}

INSTANTIATE_TEST_SUITE_P(Of, BlockProducts,
                         testing::Values(std::tuple(GGML_TYPE_Q4_0, GGML_TYPE_Q8_0),
                                         std::tuple(GGML_TYPE_Q4_1, GGML_TYPE_Q8_1),
                                         std::tuple(GGML_TYPE_Q8_0, GGML_TYPE_Q8_0)),
                         [](const auto& type) { return ggml_type_name(std::get<0>(type.param)); });

}  // namespace
}  // namespace assay
