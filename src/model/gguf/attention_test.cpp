// Attention by the mask, against the sum written down as it stands in a textbook.
#include "model/gguf/attention.h"

#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"

namespace assay {
namespace {

struct Shape {
  const char* name;
  int64_t rows, cells, heads, key_heads, key_size, value_size, streams;
};
void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

using Attends = std::function<bool(int64_t row, int64_t cell)>;

// A node with random queries, keys and values, and a mask that is told as a function.
class Attention {
 public:
  Attention(const Shape& shape, const Attends& attends) : s(shape), attends_(attends) {
    context_.reset(ggml_init({size_t{32} << 20, nullptr, false}));
    ggml_context* c = context_.get();
    // As llama.cpp lays them out: heads inside a row, seen through a permutation.
    q = ggml_permute(c, random(GGML_TYPE_F32, s.key_size, s.heads, s.rows), 0, 2, 1, 3);
    k = ggml_permute(c, random(GGML_TYPE_F16, s.key_size, s.key_heads, s.cells), 0, 2, 1, 3);
    v = ggml_permute(c, random(GGML_TYPE_F16, s.value_size, s.key_heads, s.cells), 0, 2, 1, 3);
    mask = ggml_new_tensor_4d(c, GGML_TYPE_F16, s.cells, s.rows, 1, s.streams);
    for (int64_t stream = 0; stream < s.streams; ++stream)
      for (int64_t row = 0; row < s.rows; ++row)
        for (int64_t cell = 0; cell < s.cells; ++cell)
          static_cast<ggml_fp16_t*>(mask->data)[(stream * s.rows + row) * s.cells + cell] =
              ggml_fp32_to_fp16(attends(row, cell) ? 0.0f : -INFINITY);
    node = ggml_flash_attn_ext(c, q, k, v, mask, 0.125f, 0, 0);
  }

  // The largest difference from what it should be, in any number of the result.
  double error() const {
    double worst = 0;
    for (int64_t stream = 0; stream < s.streams; ++stream)
      for (int64_t row = 0; row < s.rows; ++row)
        for (int64_t head = 0; head < s.heads; ++head) worst = std::max(worst, error(row, head, stream));
    return worst;
  }
  float result(int64_t row, int64_t head, int64_t d, int64_t stream = 0) const {
    return static_cast<const float*>(node->data)[((stream * s.rows + row) * s.heads + head) * s.value_size + d];
  }
  std::vector<float> bits() const {
    const auto* data = static_cast<const float*>(node->data);
    return {data, data + ggml_nelements(node)};
  }
  // As a model's graph is computed.
  void compute_by_ggml() {
    ggml_cgraph* graph = ggml_new_graph(context_.get());
    ggml_build_forward_expand(graph, node);
    ASSERT_EQ(ggml_graph_compute_with_ctx(context_.get(), graph, 2), GGML_STATUS_SUCCESS);
  }

  const Shape s;
  ggml_tensor *q, *k, *v, *mask, *node;

 private:
  ggml_tensor* random(ggml_type type, int64_t size, int64_t heads, int64_t n) {
    ggml_tensor* t = ggml_new_tensor_4d(context_.get(), type, size, heads, n, s.streams);
    for (int64_t i = 0; i < ggml_nelements(t); ++i) {
      const float x = static_cast<float>(4 * rng_.uniform() - 2);
      if (type == GGML_TYPE_F32)
        static_cast<float*>(t->data)[i] = x;
      else
        static_cast<ggml_fp16_t*>(t->data)[i] = ggml_fp32_to_fp16(x);
    }
    return t;
  }
  static const char* at(const ggml_tensor* t, int64_t i1, int64_t i2, int64_t i3) {
    return static_cast<const char*>(t->data) + i1 * t->nb[1] + i2 * t->nb[2] + i3 * t->nb[3];
  }
  static double number(const ggml_tensor* t, int64_t i0, int64_t i1, int64_t i2, int64_t i3) {
    return ggml_fp16_to_fp32(reinterpret_cast<const ggml_fp16_t*>(at(t, i1, i2, i3))[i0]);
  }
  double error(int64_t row, int64_t head, int64_t stream) const {
    const int64_t key_head = head / (s.heads / s.key_heads);
    const auto* query = reinterpret_cast<const float*>(at(q, row, head, stream));
    std::vector<double> out(static_cast<size_t>(s.value_size)), weights;
    double sum = 0;
    for (int64_t cell = 0; cell < s.cells; ++cell) {
      double dot = 0;
      for (int64_t d = 0; d < s.key_size; ++d) dot += query[d] * number(k, d, cell, key_head, stream);
      weights.push_back(attends_(row, cell) ? std::exp(dot * 0.125) : 0);
      sum += weights.back();
    }
    double worst = 0;
    for (int64_t d = 0; d < s.value_size; ++d) {
      double expected = 0;
      for (int64_t cell = 0; cell < s.cells && sum > 0; ++cell)
        expected += weights[static_cast<size_t>(cell)] / sum * number(v, d, cell, key_head, stream);
      worst = std::max(worst, std::abs(expected - result(row, head, d, stream)));
    }
    return worst;
  }

  struct Free {
    void operator()(ggml_context* c) const { ggml_free(c); }
  };
  std::unique_ptr<ggml_context, Free> context_;
  Rng rng_{42};
  Attends attends_;
};

// Sequences behind a prefix: row r attends to the first cells, and to every n-th cell behind them.
Attends behind_a_prefix(int64_t prefix, int64_t sequences) {
  return [=](int64_t row, int64_t cell) { return cell < prefix || (cell - prefix) % sequences == row % sequences; };
}

class AttentionByMask : public testing::TestWithParam<Shape> {};

TEST_P(AttentionByMask, IsTheTextbooksSumOverWhatIsShared) {
  Attention a(GetParam(), behind_a_prefix(GetParam().cells * 2 / 3, 7));
  ASSERT_TRUE(attends_by_mask(a.node));
  attend_by_mask(a.node, 0, 1);
  EXPECT_LT(a.error(), 2e-6);
}

TEST_P(AttentionByMask, IsTheTextbooksSumOverAnyMask) {
  Rng rng(3);
  std::vector<bool> drawn;
  for (int64_t i = 0; i < GetParam().rows * GetParam().cells; ++i) drawn.push_back(rng.uniform() < 0.2);
  Attention a(GetParam(),
              [&](int64_t row, int64_t cell) { return drawn[static_cast<size_t>(row * GetParam().cells + cell)]; });
  attend_by_mask(a.node, 0, 1);
  EXPECT_LT(a.error(), 2e-6);
}

// A chunk of a prompt: each row attends to one cell more.
TEST_P(AttentionByMask, IsTheTextbooksSumWhileAPromptIsRead) {
  Attention a(GetParam(), [](int64_t row, int64_t cell) { return cell <= row; });
  attend_by_mask(a.node, 0, 1);
  EXPECT_LT(a.error(), 2e-6);
}

TEST_P(AttentionByMask, IsTheSameToTheBitHoweverManyThreadsShareTheWork) {
  Attention one(GetParam(), behind_a_prefix(40, 5)), three(GetParam(), behind_a_prefix(40, 5));
  attend_by_mask(one.node, 0, 1);
  for (int thread : {2, 0, 1}) attend_by_mask(three.node, thread, 3);
  EXPECT_EQ(one.bits(), three.bits());
}

// What ggml computes is this: the linker has put it into its place.
TEST_P(AttentionByMask, TakesThePlaceOfGgmlsOwn) {
  Attention direct(GetParam(), behind_a_prefix(40, 5)), graph(GetParam(), behind_a_prefix(40, 5));
  attend_by_mask(direct.node, 0, 1);
  graph.compute_by_ggml();
  EXPECT_EQ(direct.bits(), graph.bits());
}

INSTANTIATE_TEST_SUITE_P(
    Of, AttentionByMask,
    testing::Values(Shape{"OneBlock", 16, 200, 4, 2, 64, 64, 1}, Shape{"AFewRows", 3, 130, 9, 3, 64, 64, 1},
                    Shape{"ManyRows", 70, 300, 3, 3, 32, 32, 1}, Shape{"WideHeads", 20, 90, 6, 2, 128, 96, 1},
                    Shape{"SixHeadsOnOneKey", 18, 90, 6, 1, 16, 16, 1},
                    Shape{"SevenHeadsOnOneKey", 18, 90, 7, 1, 48, 80, 1}, Shape{"Streams", 1, 150, 6, 2, 64, 64, 5},
                    Shape{"StreamsOfSomeRows", 9, 77, 4, 4, 64, 32, 3}),
    testing::PrintToStringParamName());

TEST(Attention, ARowThatAttendsToNothingIsNothing) {
  Attention a({"", 20, 100, 2, 1, 16, 16, 1}, [](int64_t row, int64_t cell) { return row != 4 && cell < 60; });
  attend_by_mask(a.node, 0, 1);
  EXPECT_EQ(a.result(4, 1, 7), 0);
  EXPECT_LT(a.error(), 2e-6);
}

// One cell far above all others, and logits far below them: no overflow, nothing is not a number.
TEST(Attention, ExtremeLogitsStayNumbers) {
  Attention a({"", 20, 100, 2, 1, 16, 16, 1}, behind_a_prefix(70, 4));
  for (int64_t i = 0; i < ggml_nelements(a.q); ++i) static_cast<float*>(a.q->data)[i] *= 2000;
  attend_by_mask(a.node, 0, 1);
  for (float x : a.bits()) ASSERT_TRUE(std::isfinite(x));
  EXPECT_LT(a.error(), 1e-3);
}

TEST(Attention, WhatItWasNotMadeForIsGgmls) {
  const Shape shape{"", 4, 50, 2, 1, 32, 32, 1};
  const Attends everything = [](int64_t, int64_t) { return true; };
  Attention fits(shape, everything);
  EXPECT_TRUE(attends_by_mask(fits.node));
  reinterpret_cast<float*>(fits.node->op_params)[1] = 8;
  EXPECT_FALSE(attends_by_mask(fits.node)) << "slopes on the mask";
  EXPECT_FALSE(attends_by_mask(Attention({"", 1, 50, 2, 1, 32, 32, 1}, everything).node)) << "a single row";
  EXPECT_FALSE(attends_by_mask(Attention({"", 4, 50, 2, 1, 40, 40, 1}, everything).node)) << "an odd size";
}

// A broken model must not look like one that works.
TEST(Attention, WhatIsNoNumberInAKeyOrAValueComesOutAsNone) {
  auto numbers = [](bool in_key, int64_t rows, int64_t broken, const Attends& attends) {
    Attention a({"", rows, 8, 2, 1, 64, 64, 1}, attends);
    ggml_tensor* t = in_key ? a.k : a.v;
    static_cast<ggml_fp16_t*>(t->data)[64 * broken + 5] = ggml_fp32_to_fp16(NAN);
    attend_by_mask(a.node, 0, 1);
    int64_t n = 0;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t head = 0; head < 2; ++head) n += std::isfinite(a.result(row, head, 5));
    return n;
  };
  auto everything = [](int64_t, int64_t) { return true; };
  for (bool in_key : {true, false})
    for (int64_t rows : {1, 2, 16})  // each row by itself, and together
      for (int64_t broken : {0, 3, 7}) {
        EXPECT_EQ(numbers(in_key, rows, broken, everything), 0) << rows << " rows, cell " << broken;
        EXPECT_EQ(numbers(in_key, rows, broken, [=](int64_t, int64_t cell) { return cell != broken; }), 2 * rows)
            << "nobody attends to it";
      }
}

}  // namespace
}  // namespace assay
