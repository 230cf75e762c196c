#include "base/hash.h"

#include <hash/hash.h>
#include <xxhash.h>

namespace assay {

std::string sha256(std::string_view bytes) { return hash_sha256_hex(bytes.data(), bytes.size()); }

Hash128 hash128(std::string_view bytes) {
  XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

}  // namespace assay
