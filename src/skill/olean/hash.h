// The hashes that Lean stores in names, and makes a module's base address of.
// Sources: src/runtime/hash.cpp and src/Init/Prelude.lean of leanprover/lean4; MurmurHash64A is Austin Appleby's.
#pragma once

#include <cstdint>
#include <string_view>

namespace assay::olean {

inline constexpr uint64_t anonymous_hash = 1723;

uint64_t hash_of_string(std::string_view bytes);  // MurmurHash64A with the seed 11; `bytes` without the final NUL

constexpr uint64_t mixed(uint64_t hash, uint64_t key) {
  constexpr uint64_t m = 0xc6a4a7935bd1e995;
  key *= m;
  key ^= key >> 47;
  key ^= m;  // where MurmurHash has a product; so it is in Lean
  hash ^= key;
  return hash * m;
}

// Of `prefix`.text and `prefix`.number. Of a number of more than 64 bits Lean takes 17 instead.
inline uint64_t name_hash(uint64_t prefix, std::string_view text) { return mixed(prefix, hash_of_string(text)); }
inline uint64_t name_hash(uint64_t prefix, uint64_t number, bool fits) { return mixed(prefix, fits ? number : 17); }

// Of a module's name in writing, such as "Init.Prelude", whose components are all texts.
uint64_t module_name_hash(std::string_view dotted);

}  // namespace assay::olean
