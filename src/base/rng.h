// Seeds and random numbers that are the same on every machine, compiler and thread.
//
// A seed is derived by hashing the things it depends on, never from timing:
//   uint64_t s = derive_seed(run_seed, {"world", scenario, std::to_string(epoch)});
// The generator is xoshiro256** (Blackman & Vigna 2018), seeded through splitmix64; the conversions to numbers are
// ours, because the standard library's distributions differ between implementations.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace assay {

// Each part is hashed with its length, so {"ab","c"} and {"a","bc"} differ.
uint64_t derive_seed(uint64_t seed, std::initializer_list<std::string_view> parts);

class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t next();
  // Uniform in [0, 1), 53 bits.
  double uniform();
  // Uniform in 0 .. n-1 without bias (rejection); n > 0.
  uint64_t below(uint64_t n);

 private:
  uint64_t state_[4];
};

}  // namespace assay
