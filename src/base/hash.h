// Two hashes: SHA-256 where a person may compare (suites, codes, models), XXH3-128 for looking things up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

// 64 lower-case hex digits.
std::string sha256(std::string_view bytes);

// Content address inside one run file; not safe against someone who wants a collision.
struct Hash128 {
  uint64_t high = 0, low = 0;
  bool operator==(const Hash128&) const = default;
};
Hash128 hash128(std::string_view bytes);

struct Hash128Hasher {
  size_t operator()(const Hash128& h) const { return h.low; }
};

}  // namespace assay
