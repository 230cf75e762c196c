// What the trainer's files that compute add to base/lanes.h: parts of a register, rows of any length.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/lanes.h"

namespace assay::lora {
namespace {

#if defined(__AVX512F__)
constexpr int tile_rows = 8;  // rows times 32 columns fit into the registers
#else
constexpr int tile_rows = 3;
#endif
constexpr int64_t strip = 32;  // columns that are computed together

using assay::load;
using assay::store;

// The first n <= lanes of them; the others are zero, or left alone.
[[maybe_unused]] inline Lanes load(const float* from, int64_t n) {
  if (n == lanes) return load(from);
  Lanes x{};
  std::memcpy(&x, from, static_cast<size_t>(n) * sizeof(float));
  return x;
}
[[maybe_unused]] inline void store(float* to, Lanes x, int64_t n) {
  if (n == lanes) return store(to, x);
  std::memcpy(to, &x, static_cast<size_t>(n) * sizeof(float));
}

// Calls f(i, n) for i = 0, lanes, 2 lanes... below `count`, with as many numbers as there still are.
template <class F>
[[maybe_unused]] inline void each(int64_t count, F f) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) f(i, int64_t{lanes});
  if (i < count) f(i, count - i);
}

[[maybe_unused]] inline float sum_of(Lanes x) {
  float sum = 0;
  for (int i = 0; i < lanes; ++i) sum += x[i];
  return sum;
}

}  // namespace
}  // namespace assay::lora
