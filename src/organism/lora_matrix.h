// Products of matrices for the trainer. All are of rows of 32-bit floats, one row a token; sums are made in an order
// that depends on the shapes alone, so the same input gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace assay::lora {

// Which part of some work is a thread's.
struct Share {
  int thread = 0, threads = 1;
  // Its part [first, second) of 0 .. n-1, in whole units but for the end.
  std::pair<int64_t, int64_t> of(int64_t n, int64_t unit = 1) const;
};

// A matrix by its strides: element (i, k) is at[i * row + k * column].
struct Strided {
  const float* at;
  int64_t row, column;
};

// c = scale * a b, or c += scale * a b. `b` has `depth` rows of `columns` numbers, b_row apart; `c` has `rows`, c_row
// apart.
void multiply(int64_t rows, int64_t columns, int64_t depth, Strided a, const float* b, int64_t b_row, float* c,
              int64_t c_row, float scale, bool add);

// A frozen matrix, laid out once for products with many tokens: in panels of some outputs each, in which the weights of
// all these outputs for one input lie beside each other. As BF16 where the CPU multiplies such numbers (Intel from
// Cooper Lake, AMD from Zen 4; weights and inputs are rounded to it, sums are of 32-bit floats), else as 32-bit floats.
class Panels {
 public:
  enum class Kind { f32, bf16 };
  static bool cpu_multiplies_bf16();

  Panels() = default;
  // `weights`: [outputs][inputs], or [inputs][outputs] if `transposed`.
  Panels(Kind kind, int64_t outputs, int64_t inputs, const float* weights, bool transposed);

  Kind kind() const { return kind_; }
  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_; }
  // Numbers in a row of the x that apply() takes: BF16 goes in pairs.
  int64_t row() const { return kind_ == Kind::bf16 ? inputs_ + inputs_ % 2 : inputs_; }

  // y[token][output] = sum over inputs of weight * x[token][input], for a share of the outputs: returns [first, last)
  // of them. `x`: floats, or what round() made of them.
  std::pair<int64_t, int64_t> apply(const void* x, int64_t tokens, float* y, Share share) const;
  // The share's rows of x as BF16, rounded to nearest even.
  void round(const float* x, int64_t tokens, uint16_t* rounded, Share share) const;

 private:
  int64_t wide() const;  // outputs of a panel

  Kind kind_ = Kind::f32;
  int64_t outputs_ = 0, inputs_ = 0;
  std::vector<float> f32_;      // [panel][input][output of the panel]
  std::vector<uint16_t> bf16_;  // [panel][pair of inputs][output of the panel][of the pair]
};

}  // namespace assay::lora
