// Objects of Lean's heap as they lie in a file, 8-aligned and back to back. Nothing is copied, and no length or pointer
// is believed: what this file hands out was found to lie inside its part.
//
// An object begins with 8 bytes {int32 rc = 0, uint16 size, uint8 other, uint8 tag}:
//   constructor  tag 0..243  other = number of fields; words of 8 bytes, then scalars; `size` bytes in all
//   closure      tag 245     function, uint16 arity, uint16 fixed @18, words (v3 only)
//   array        tag 246     size @8, capacity @16, words @24
//   scalar array tag 248     size @8, capacity @16, bytes @24; other = bytes an element
//   string       tag 249     size @8 (with its NUL), capacity @16, code points @24, UTF-8 @32
//   mpz          tag 250     a natural number of 2^63 or more (natural.h)
//   thunk, task, ref, promise  tag 251, 252, 253, 244: a word, and room for another in the first two
// A word is either a scalar (odd; its value is word >> 1) or the address of an object. Objects are written children
// first, so every pointer points strictly backwards: following them cannot go round in circles, and whoever follows one
// passes its own address as `before`. Source: src/include/lean/lean.h and src/runtime/compact.cpp of leanprover/lean4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "skill/olean/header.h"

namespace assay::olean {

struct Tag {
  enum : uint8_t {
    last_constructor = 243,
    promise = 244,
    closure = 245,
    array = 246,
    struct_array = 247,
    scalar_array = 248,
    string = 249,
    mpz = 250,
    thunk = 251,
    task = 252,
    ref = 253,
    external = 254,
    reserved = 255,
  };
};

// A word of a file that may be mapped, and so may change: read once, whatever the compiler thinks of it.
inline uint64_t load(const uint64_t* word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

constexpr bool is_scalar(uint64_t word) { return word & 1; }

// The first 8 bytes of an object.
constexpr uint64_t object_header(uint8_t tag, uint8_t other, uint16_t size) {
  return uint64_t{tag} << 56 | uint64_t{other} << 48 | uint64_t{size} << 32;
}
constexpr uint64_t constructor_header(uint8_t tag, uint8_t fields, uint16_t size) {
  return object_header(tag, fields, size);
}
inline constexpr uint64_t array_header = object_header(Tag::array, 0, 1);
inline constexpr uint64_t string_header = object_header(Tag::string, 0, 1);
constexpr uint8_t tag_of(uint64_t header) { return header >> 56; }
constexpr uint8_t other_of(uint64_t header) { return header >> 48 & 0xff; }
constexpr uint16_t size_of(uint64_t header) { return header >> 32 & 0xffff; }
constexpr uint32_t count_of(uint64_t header) { return header & 0xffffffff; }

// "an array", "constructor 1 with 2 fields in 32 bytes", "a string".
std::string described(uint64_t header);

// "array", "string": of all constructors "constructor".
std::string_view tag_name(uint8_t tag);

// Where an object begins. The bytes up to the end of its part are there to be read, at least 8.
struct Object {
  uint64_t address = 0;
  const uint64_t* words = nullptr;
  uint64_t room = 0;  // bytes from its first to the part's end, a multiple of 8

  uint64_t header() const { return load(words); }
  uint64_t word(uint64_t i) const { return load(words + i); }  // (i + 1) * 8 <= room
};

struct ArrayView {
  uint64_t address = 0;
  const uint64_t* elements = nullptr;
  uint64_t size = 0;

  uint64_t operator[](uint64_t i) const { return load(elements + i); }
};

// The files of one module side by side, each at its own base address: mostly one, up to three where the module has
// parts. Holds views; the bytes belong to somebody else.
class Space {
 public:
  struct Part {
    std::string name;  // for messages
    std::string_view bytes;
    Header header;
  };

  // Parts in the order of their addresses, which do not overlap.
  void add(Part part) { parts_.push_back(std::move(part)); }
  const std::vector<Part>& parts() const { return parts_; }
  const Part& operator[](size_t part) const { return parts_[part]; }

  // Says in `fault()` why it returned false. All of these leave `out` as it is then.
  //
  // The object at `word`, which must be a pointer to below `before`.
  bool object(uint64_t word, uint64_t before, Object& out) const {
    for (const Part& part : parts_) {
      const uint64_t offset = word - part.header.base;
      if (offset < part.header.first || offset >= part.header.end) continue;
      if ((word & 7) != 0 || word >= before) break;
      out = {word, reinterpret_cast<const uint64_t*>(part.bytes.data() + offset),
             (part.header.end - offset) & ~uint64_t{7}};
      return true;
    }
    return wrong_pointer(word, before);
  }
  // The same, if it is a constructor with exactly this header.
  bool constructor(uint64_t word, uint64_t before, uint64_t header, const char* what, Object& out) const {
    Object found;
    if (!object(word, before, found)) return false;
    if (found.header() != header || size_of(header) > found.room) return unexpected(found, what);
    out = found;
    return true;
  }
  bool array(uint64_t word, uint64_t before, const char* what, ArrayView& out) const;
  // Without its NUL. Its bytes may be anything.
  bool string(uint64_t word, uint64_t before, std::string_view& out) const;

  // The last fault, as a sentence without a full stop: "offset 0x340 (an array): expected a string".
  const std::string& fault() const { return fault_; }
  bool unexpected(const Object& found, std::string_view expected) const;
  bool fail(std::string sentence) const;

  // "offset 0x340", and in which part where there are several.
  std::string where(uint64_t address) const;

 private:
  bool wrong_pointer(uint64_t word, uint64_t before) const;

  std::vector<Part> parts_;
  mutable std::string fault_;
};

}  // namespace assay::olean
