// Products against the sum written down as it stands in a textbook, at sizes that fill no register and no panel.
#include "organism/lora_matrix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace assay::lora {
namespace {

std::vector<float> random_numbers(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> numbers;
  for (int64_t i = 0; i < n; ++i) numbers.push_back(static_cast<float>(2 * rng.uniform() - 1));
  return numbers;
}

struct Sizes {
  int64_t rows, columns, depth;
};
void PrintTo(const Sizes& s, std::ostream* out) { *out << s.rows << "x" << s.columns << "x" << s.depth; }

class LoraMatrix : public testing::TestWithParam<Sizes> {};

TEST_P(LoraMatrix, MultiplyIsTheTextbooksSum) {
  const auto [rows, columns, depth] = GetParam();
  const std::vector<float> a = random_numbers(rows * depth, 1), b = random_numbers(depth * columns, 2);
  for (const bool add : {false, true}) {
    std::vector<float> c(static_cast<size_t>(rows * columns), 3.0f);
    multiply(rows, columns, depth, {a.data(), 1, rows}, b.data(), columns, c.data(), columns, 0.5f, add);  // a turned
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k)
          sum += static_cast<double>(a[static_cast<size_t>(k * rows + i)]) * b[static_cast<size_t>(k * columns + j)];
        ASSERT_NEAR(c[static_cast<size_t>(i * columns + j)], 0.5 * sum + (add ? 3 : 0), 1e-4) << i << ", " << j;
      }
  }
}

TEST_P(LoraMatrix, PanelsAreTheSameMatrixHoweverTheWorkIsShared) {
  const auto [tokens, outputs, inputs] = GetParam();
  const std::vector<float> x = random_numbers(tokens * inputs, 3), w = random_numbers(outputs * inputs, 4);
  std::vector<float> turned(w.size());
  for (int64_t j = 0; j < outputs; ++j)
    for (int64_t k = 0; k < inputs; ++k)
      turned[static_cast<size_t>(k * outputs + j)] = w[static_cast<size_t>(j * inputs + k)];
  for (const Panels::Kind kind : {Panels::Kind::f32, Panels::Kind::bf16}) {
    const bool rounds = kind == Panels::Kind::bf16;
    if (rounds && !Panels::cpu_multiplies_bf16()) continue;
    for (const bool transposed : {false, true})
      for (const int threads : {1, 3}) {
        const Panels panels(kind, outputs, inputs, transposed ? turned.data() : w.data(), transposed);
        std::vector<uint16_t> rounded(static_cast<size_t>(tokens * panels.row()));
        std::vector<float> y(static_cast<size_t>(tokens * outputs), NAN);
        for (int t = 0; t < threads && rounds; ++t) panels.round(x.data(), tokens, rounded.data(), {t, threads});
        for (int t = 0; t < threads; ++t)
          panels.apply(rounds ? static_cast<const void*>(rounded.data()) : x.data(), tokens, y.data(), {t, threads});
        for (int64_t i = 0; i < tokens; ++i)
          for (int64_t j = 0; j < outputs; ++j) {
            double sum = 0, squares = 0;
            for (int64_t k = 0; k < inputs; ++k) {
              const double product =
                  static_cast<double>(x[static_cast<size_t>(i * inputs + k)]) * w[static_cast<size_t>(j * inputs + k)];
              sum += product, squares += product * product;
            }
            // BF16 has 8 bits: each product is off by up to a part in 128, at random.
            ASSERT_NEAR(y[static_cast<size_t>(i * outputs + j)], sum, rounds ? 0.02 * std::sqrt(squares) + 1e-3 : 1e-3)
                << i << ", " << j;
          }
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, LoraMatrix,
                         testing::Values(Sizes{1, 1, 1}, Sizes{8, 48, 64}, Sizes{7, 50, 33}, Sizes{13, 97, 2},
                                         Sizes{3, 5, 1500}, Sizes{19, 31, 2049}));

}  // namespace
}  // namespace assay::lora
