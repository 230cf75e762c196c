// The first bytes of an .olean file, in every version that Lean 4 has released.
//
//   version  Lean             marker                base@  root@  objects from
//   v0       to 4.3           "oleanfile!!!!!!!"      16     24        32
//   v1       4.4 to 4.13      "olean" 1               48     56        64   git hash @6 (42 bytes)
//   v2       since 4.14       "olean" 2               80     88        96   flags @6, Lean's version @7 (33), git hash
//   @40 (40) v3       since about 4.32 "olean" 3               80     96       104   as v2; size of the data @88, a
//   trailer behind the data
//
// All numbers are little-endian, all offsets bytes from the file's first. A pointer P, the root too, means the offset
// P - base, in every version. Sources: src/library/module.cpp and src/runtime/compact.cpp of leanprover/lean4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay::olean {

inline constexpr std::string_view every_header_begins = "olean";

struct Header {
  int version = 0;           // 0 to 3
  std::string lean_version;  // "4.16.0-rc2"; "" before v2
  std::string git_hash;      // of Lean's sources, 40 digits; "" in v0 and in some local builds
  uint8_t flags = 0;         // bit 0: big natural numbers are GMP's; before v2 the file does not say
  uint64_t base = 0;         // the address of the file's first byte
  uint64_t root = 0;         // the address of the root object, as it stands in the file
  uint64_t first = 0;        // offset of the first object
  uint64_t end = 0;          // offset behind the last object; what follows in v3 is its trailer
  uint64_t closures = 0;     // v3: how many closures the trailer lists
  uint64_t libraries = 0;    // v3: and how many libraries
};

// Offsets of a version's fields.
struct HeaderLayout {
  uint64_t base, root, first;
};
HeaderLayout header_layout(int version);

// Reads and checks the header of a file's `bytes`: the file is long enough, its length a multiple of 8 (v3: its
// sections end where the file does), the base a multiple of 64 KiB that the file does not wrap around, the root where
// an object can be, or below the file where a module's earlier part may lie. The errors are predicates without the
// file's name, which is named by whoever knows it, and say what a file that is no .olean probably is instead.
Result<Header> read_header(std::string_view bytes);

// What bytes that are no .olean seem to be: "is an ELF program or library". Never empty.
std::string what_it_seems(std::string_view bytes);

// The address of a module's file, from the hash of the module's name (hash.h). A module's further parts follow each
// other: base_after(base, size) is where the next one lies.
uint64_t base_of_module(uint64_t name_hash);
uint64_t base_after(uint64_t base, uint64_t size);

}  // namespace assay::olean
