// A register's worth of floats, for the few files that compute much and are compiled for this machine's CPU. GCC and
// Clang make of it what the CPU has. Everything here is internal to the file that includes it, as files may be compiled
// for different CPUs.
#pragma once

#include <cstdint>
#include <cstring>

namespace assay {
namespace {

#if defined(__AVX512F__)
constexpr int width_in_bytes = 64;
#elif defined(__AVX__)
constexpr int width_in_bytes = 32;
#else
constexpr int width_in_bytes = 16;
#endif
using Lanes = float __attribute__((vector_size(width_in_bytes)));
using Bits = int32_t __attribute__((vector_size(width_in_bytes)));
constexpr int lanes = width_in_bytes / 4;

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

// e^x to about two units in the last place, for x up to 88; 0 below -87. 2^n e^r, with e^r by its Taylor series. What
// is no number stays none: a broken model must be seen to be one.
[[maybe_unused]] inline Lanes exp_of(Lanes x) {
  const Lanes least = Lanes{} - 87.0f, most = Lanes{} + 88.0f;
  Lanes safe = x < least ? least : x;
  safe = safe > most ? most : safe;
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
}  // namespace assay
