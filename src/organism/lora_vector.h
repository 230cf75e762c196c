// A register's worth of floats, for the files of the trainer that compute (compiled for this machine's CPU). GCC and
// Clang make of it what the CPU has. Everything here is internal to the file that includes it.
#pragma once

#include <cstdint>
#include <cstring>

namespace assay::lora {
namespace {

#if defined(__AVX512F__)
constexpr int width_in_bytes = 64, tile_rows = 8;  // rows times 32 columns fit into the registers
#elif defined(__AVX__)
constexpr int width_in_bytes = 32, tile_rows = 3;
#else
constexpr int width_in_bytes = 16, tile_rows = 3;
#endif
using Lanes = float __attribute__((vector_size(width_in_bytes)));
using Bits = int32_t __attribute__((vector_size(width_in_bytes)));
constexpr int lanes = width_in_bytes / 4;
constexpr int64_t strip = 32;  // columns that are computed together

template <class Vector = Lanes>
[[maybe_unused]] inline Vector load(const float* from) {
  Vector x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class Vector>
[[maybe_unused]] inline void store(float* to, Vector x) {
  std::memcpy(to, &x, sizeof x);
}

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

// e^x to about two units in the last place, for x below 88; 0 below -87. 2^n e^r, with e^r by its Taylor series.
[[maybe_unused]] inline Lanes exp_of(Lanes x) {
  const Lanes least = Lanes{} - 87.0f, most = Lanes{} + 88.0f;
  Lanes safe = x > least ? x : least;
  safe = safe < most ? safe : most;
  const Lanes shifted = safe * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to a whole number
  const Lanes n = shifted - 12582912.0f;
  const Lanes r = (safe - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes p = Lanes{} + 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Bits power = (__builtin_convertvector(n, Bits) + 127) << 23;
  const Lanes result = p * (Lanes)power;  // the bits as they are
  return x < least ? Lanes{} : result;
}

}  // namespace
}  // namespace assay::lora
