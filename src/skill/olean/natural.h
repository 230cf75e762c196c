// Natural numbers of 2^63 or more, which are objects (mpz). A file holds them as GMP does or as Lean's own library;
// which of the two an object is, its own pointer to its digits tells:
//   GMP     int32 alloc @8, int32 size @12 (negative: a negative number), uint64 pointer @16 to @24, uint64 limbs @24
//   native  uint8 sign @8, uint64 size @16, uint64 pointer @24 to @32, uint32 digits @32
// The lowest digits come first. Source: lean.h and mpz.h of leanprover/lean4.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "skill/olean/objects.h"

namespace assay::olean {

struct Natural {
  bool gmp = true, negative = false;
  std::vector<uint64_t> limbs;  // lowest first
};

// The extent of an mpz in the file, without padding; 0, with a fault in `space`: its size or pointer is not right.
uint64_t mpz_extent(const Space& space, const Object& object);

// False, with a fault in `space`, where it is no mpz or has more than `most_limbs` of 64 bits.
bool read_natural(const Space& space, uint64_t word, uint64_t before, uint64_t most_limbs, Natural& out);

// Takes time quadratic in the number of limbs.
std::string decimal(std::vector<uint64_t> limbs);

}  // namespace assay::olean
