#include "organism/lora_matrix.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <utility>

#include "organism/lora_vector.h"

namespace assay::lora {
namespace {

using Four = float __attribute__((vector_size(16)));

constexpr int64_t at_once =
    1024;  // inputs of a panel that are multiplied before the next tokens come: they stay cached

// `rows` by some vectors of c, held in registers while the depth is gone through.
template <class Vector, int rows, int vectors>
inline void tile(int64_t depth, Strided a, const float* b, int64_t b_row, float* c, int64_t c_row, float scale,
                 bool add) {
  constexpr int64_t n = sizeof(Vector) / sizeof(float);
  Vector sum[rows][vectors] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vector column[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) column[v] = load<Vector>(b + k * b_row + v * n);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const Vector factor = Vector{} + a.at[r * a.row + k * a.column];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sum[r][v] += factor * column[v];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      float* to = c + r * c_row + v * n;
      Vector x = sum[r][v] * scale;
      if (add) x += load<Vector>(to);
      store(to, x);
    }
}

// Calls f.template operator()<n>(i) for all rows: the most that fit into the registers at a time, and what is left.
template <int most, class F>
inline void in_tiles(int64_t rows, F f) {
  int64_t i = 0;
  for (; i + most <= rows; i += most) f.template operator()<most>(i);
  const int64_t left = rows - i;
  [&]<int... n>(std::integer_sequence<int, n...>) {
    ((left == n + 1 ? f.template operator()<n + 1>(i) : void()), ...);
  }(std::make_integer_sequence<int, most - 1>{});
}

template <class Vector, int vectors>
void columns_of(int64_t rows, int64_t depth, Strided a, const float* b, int64_t b_row, float* c, int64_t c_row,
                float scale, bool add) {
  in_tiles<tile_rows>(rows, [&]<int n>(int64_t i) {
    tile<Vector, n, vectors>(depth, {a.at + i * a.row, a.row, a.column}, b, b_row, c + i * c_row, c_row, scale, add);
  });
}

uint16_t bf16_of(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>(bits >> 16 | 0x40);  // stays not a number
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

#ifdef __AVX512BF16__
constexpr int64_t vectors_wide = 3;  // with 8 tokens: 24 sums in the 32 registers

template <int rows>
inline void tile_of_bf16(int64_t pairs, const uint16_t* x, int64_t x_row, const uint16_t* w, float* y, int64_t y_row,
                         int64_t columns, bool add) {
  __mmask16 there[vectors_wide];
  for (int64_t v = 0; v < vectors_wide; ++v)
    there[v] = static_cast<__mmask16>((1u << std::clamp<int64_t>(columns - 16 * v, 0, 16)) - 1);
  __m512 sum[rows][vectors_wide];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int64_t v = 0; v < vectors_wide; ++v)
      sum[r][v] = add ? _mm512_maskz_loadu_ps(there[v], y + r * y_row + 16 * v) : _mm512_setzero_ps();
  for (int64_t p = 0; p < pairs; ++p) {
    __m512bh weights[vectors_wide];
#pragma GCC unroll 8
    for (int v = 0; v < vectors_wide; ++v) weights[v] = (__m512bh)_mm512_loadu_si512(w + (p * vectors_wide + v) * 32);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      int32_t pair;
      std::memcpy(&pair, x + r * x_row + 2 * p, sizeof pair);
      const __m512bh both = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 8
      for (int v = 0; v < vectors_wide; ++v) sum[r][v] = _mm512_dpbf16_ps(sum[r][v], weights[v], both);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int64_t v = 0; v < vectors_wide; ++v) _mm512_mask_storeu_ps(y + r * y_row + 16 * v, there[v], sum[r][v]);
}
#endif

}  // namespace

std::pair<int64_t, int64_t> Share::of(int64_t n, int64_t unit) const {
  const int64_t units = (n + unit - 1) / unit;
  return {std::min(n, units * thread / threads * unit), std::min(n, units * (thread + 1) / threads * unit)};
}

void multiply(int64_t rows, int64_t columns, int64_t depth, Strided a, const float* b, int64_t b_row, float* c,
              int64_t c_row, float scale, bool add) {
  int64_t j = 0;
  for (; j + strip <= columns; j += strip)
    columns_of<Lanes, strip / lanes>(rows, depth, a, b + j, b_row, c + j, c_row, scale, add);
  for (; j + lanes <= columns; j += lanes) columns_of<Lanes, 1>(rows, depth, a, b + j, b_row, c + j, c_row, scale, add);
  for (; j + 4 <= columns; j += 4) columns_of<Four, 1>(rows, depth, a, b + j, b_row, c + j, c_row, scale, add);
  for (; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) {
      float sum = 0;
      for (int64_t k = 0; k < depth; ++k) sum += a.at[i * a.row + k * a.column] * b[k * b_row + j];
      float& to = c[i * c_row + j];
      to = scale * sum + (add ? to : 0);
    }
}

bool Panels::cpu_multiplies_bf16() {
#ifdef __AVX512BF16__
  return true;
#else
  return false;
#endif
}

int64_t Panels::wide() const { return kind_ == Kind::bf16 ? 48 : strip; }

Panels::Panels(Kind kind, int64_t outputs, int64_t inputs, const float* weights, bool transposed)
    : kind_(kind), outputs_(outputs), inputs_(inputs) {
  const int64_t panels = (outputs + wide() - 1) / wide(), size = panels * wide() * row();
  const int64_t of_output = transposed ? 1 : inputs, of_input = transposed ? outputs : 1;
  if (kind == Kind::bf16)
    bf16_.assign(static_cast<size_t>(size), 0);
  else
    f32_.assign(static_cast<size_t>(size), 0);
  for (int64_t p = 0; p < panels; ++p)
    for (int64_t k = 0; k < inputs; ++k)
      for (int64_t j = 0; j < std::min(wide(), outputs - p * wide()); ++j) {
        const float weight = weights[(p * wide() + j) * of_output + k * of_input];
        const int64_t before = p * wide() * row();
        if (kind == Kind::bf16)
          bf16_[static_cast<size_t>(before + k / 2 * 2 * wide() + 2 * j + k % 2)] = bf16_of(weight);
        else
          f32_[static_cast<size_t>(before + k * wide() + j)] = weight;
      }
}

std::pair<int64_t, int64_t> Panels::apply(const void* x, int64_t tokens, float* y, Share share) const {
  const auto [first, last] = share.of(outputs_, wide());
  for (int64_t j = first; j < last; j += wide()) {
    const int64_t columns = std::min(wide(), outputs_ - j);
    for (int64_t k = 0; k < inputs_; k += at_once) {
      const int64_t depth = std::min(at_once, row() - k);
      const int64_t at = j * row() + k * wide();
      if (kind_ == Kind::f32) {
        multiply(tokens, columns, depth, {static_cast<const float*>(x) + k, inputs_, 1}, f32_.data() + at, wide(),
                 y + j, outputs_, 1, k > 0);
        continue;
      }
#ifdef __AVX512BF16__
      in_tiles<8>(tokens, [&]<int n>(int64_t i) {
        tile_of_bf16<n>(depth / 2, static_cast<const uint16_t*>(x) + i * row() + k, row(), bf16_.data() + at,
                        y + i * outputs_ + j, outputs_, columns, k > 0);
      });
#endif
    }
  }
  return {first, last};
}

void Panels::round(const float* x, int64_t tokens, uint16_t* rounded, Share share) const {
  const auto [first, last] = share.of(tokens);
  for (int64_t t = first; t < last; ++t) {
    const float* from = x + t * inputs_;
    uint16_t* to = rounded + t * row();
    int64_t i = 0;
#ifdef __AVX512BF16__
    for (; i + 16 <= inputs_; i += 16) {
      const __m256bh sixteen = _mm512_cvtneps_pbh(_mm512_loadu_ps(from + i));
      std::memcpy(to + i, &sixteen, sizeof sixteen);
    }
#endif
    for (; i < inputs_; ++i) to[i] = bf16_of(from[i]);
    for (; i < row(); ++i) to[i] = 0;
  }
}

}  // namespace assay::lora
