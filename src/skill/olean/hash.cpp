#include "skill/olean/hash.h"

#include <algorithm>
#include <cstring>

namespace assay::olean {

uint64_t hash_of_string(std::string_view bytes) {
  constexpr uint64_t m = 0xc6a4a7935bd1e995;
  constexpr int r = 47;
  uint64_t hash = 11 ^ (bytes.size() * m);
  const char* at = bytes.data();
  for (size_t whole = bytes.size() / 8; whole > 0; --whole, at += 8) {
    uint64_t k;
    std::memcpy(&k, at, 8);
    k *= m;
    k ^= k >> r;
    k *= m;
    hash ^= k;
    hash *= m;
  }
  if (const size_t rest = bytes.size() % 8; rest > 0) {
    uint64_t tail = 0;
    std::memcpy(&tail, at, rest);
    hash ^= tail;
    hash *= m;
  }
  hash ^= hash >> r;
  hash *= m;
  return hash ^ (hash >> r);
}

uint64_t module_name_hash(std::string_view dotted) {
  uint64_t hash = anonymous_hash;
  for (size_t begin = 0; begin <= dotted.size();) {
    const size_t end = std::min(dotted.find('.', begin), dotted.size());
    hash = name_hash(hash, dotted.substr(begin, end - begin));
    begin = end + 1;
  }
  return hash;
}

}  // namespace assay::olean
