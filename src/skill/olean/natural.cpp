#include "skill/olean/natural.h"

#include <cstdlib>

#include "skill/olean/words.h"

namespace assay::olean {
namespace {

constexpr uint64_t gmp_header = 24, native_header = 32;  // bytes before the digits

// Where the digits of a number lie. Read once: the file may be mapped, and change.
struct Digits {
  bool gmp = true, negative = false;
  uint64_t before = 0, bytes = 0;  // the object's bytes up to its digits, and the digits'
};

bool digits_of(const Space& space, const Object& object, Digits& out) {
  auto at = [&](uint64_t word) { return object.room >= (word + 1) * 8 ? object.word(word) : 0; };
  uint64_t digits = 0;
  if (at(2) == object.address + gmp_header) {
    const auto size = static_cast<int32_t>(at(1) >> 32);
    out = {true, size < 0, gmp_header, 0};
    digits = static_cast<uint64_t>(std::llabs(size));
  } else if (at(3) == object.address + native_header) {
    out = {false, (at(1) & 0xff) != 0, native_header, 0};
    digits = at(2);
  } else {
    return space.fail(words(space.where(object.address),
                            ": a big number whose pointer to its digits is neither GMP's nor Lean's own"));
  }
  const uint64_t size = out.gmp ? 8 : 4, room = object.room - out.before;
  if (digits > room / size)
    return space.fail(words(space.where(object.address), ": a big number of ", digits, " digits of ", size,
                            " bytes; there is room for ", room, " bytes up to the end"));
  out.bytes = digits * size;
  return true;
}

}  // namespace

uint64_t mpz_extent(const Space& space, const Object& object) {
  Digits digits;
  return digits_of(space, object, digits) ? digits.before + digits.bytes : 0;
}

bool read_natural(const Space& space, uint64_t word, uint64_t before, uint64_t most_limbs, Natural& out) {
  Object object;
  if (!space.object(word, before, object)) return false;
  const uint64_t header = object.header();
  if (tag_of(header) != Tag::mpz || count_of(header) != 0) return space.unexpected(object, "a natural number");
  Digits digits;
  if (!digits_of(space, object, digits)) return false;
  const uint64_t first = digits.before / 8, limbs = (digits.bytes + 7) / 8;
  if (limbs > most_limbs)
    return space.fail(words(space.where(object.address), ": a number of ", limbs,
                            " limbs of 64 bits; the limit 'limbs' is ", most_limbs));
  out.gmp = digits.gmp;
  out.negative = digits.negative;
  out.limbs.clear();
  for (uint64_t i = 0; i < limbs; ++i) out.limbs.push_back(object.word(first + i));
  if (digits.bytes % 8 != 0) out.limbs.back() &= 0xffffffff;  // half a limb, and padding
  while (!out.limbs.empty() && out.limbs.back() == 0) out.limbs.pop_back();
  return true;
}

std::string decimal(std::vector<uint64_t> limbs) {
  constexpr uint64_t ten_to_19 = 10'000'000'000'000'000'000u;
  std::vector<uint64_t> groups;  // of 19 digits, lowest first
  while (!limbs.empty()) {
    unsigned __int128 rest = 0;
    for (size_t i = limbs.size(); i-- > 0;) {
      rest = rest << 64 | limbs[i];
      limbs[i] = static_cast<uint64_t>(rest / ten_to_19);
      rest %= ten_to_19;
    }
    groups.push_back(static_cast<uint64_t>(rest));
    while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
  }
  if (groups.empty()) return "0";
  std::string out = words(groups.back());
  for (size_t i = groups.size() - 1; i-- > 0;) {
    const std::string digits = words(groups[i]);
    out.append(19 - digits.size(), '0');
    out += digits;
  }
  return out;
}

}  // namespace assay::olean
