// The inverse of the reader: objects in, a file out, as Lean's compactor writes it. Children are made before their
// parents; what is the same in all its bytes is written once.
//
//   Writer file({.version = 2, .base = base_of_module(module_name_hash("Main"))});
//   const uint64_t main = file.name(Writer::anonymous, "main");
//   const uint64_t names = file.array({main});
//   ...
//   std::string bytes = file.finish(root);
//
// A value is a word: a scalar, or the address of an object that was made before. The caller's mistakes (a pointer that
// is none) are asserted, for this writes what we make ourselves.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay::olean {

struct WriterOptions {
  int version = 2;  // of the header, 0 to 3
  std::string lean_version = "4.16.0", git_hash = "0000000000000000000000000000000000000000";
  bool gmp = true;  // how big numbers are written; v2 and v3 say so in their header
  uint64_t base = 0x10000;
};

class Writer {
 public:
  static constexpr uint64_t anonymous = 1;  // the name; as a scalar it is also the empty list, and 0

  explicit Writer(const WriterOptions& options);

  static constexpr uint64_t scalar(uint64_t value) { return value << 1 | 1; }  // value < 2^63

  uint64_t string(std::string_view text);
  uint64_t array(std::span<const uint64_t> elements);
  uint64_t array(std::initializer_list<uint64_t> elements) {
    return array(std::span(elements.begin(), elements.size()));
  }
  uint64_t bytes(std::string_view elements, uint8_t each = 1);  // a scalar array; its size is a multiple of `each`
  // `scalars`: their bytes, filled up to a multiple of 8.
  uint64_t constructor(uint8_t tag, std::initializer_list<uint64_t> fields, std::string_view scalars = {});
  uint64_t natural(std::span<const uint64_t> limbs);  // lowest first; a scalar where it is below 2^63
  uint64_t thunk(uint64_t value);
  uint64_t task(uint64_t value);
  uint64_t ref(uint64_t value);
  uint64_t promise(uint64_t value);
  uint64_t closure(uint64_t function, uint16_t arity, std::initializer_list<uint64_t> fixed);

  // Names, with their hashes.
  uint64_t name(uint64_t prefix, std::string_view component);
  uint64_t name(uint64_t prefix, std::span<const uint64_t> limbs);

  // The file with everything made since the last finish(). What is made from now on belongs to the module's next part,
  // at the base address behind this one, and may refer to what was made before.
  std::string finish(uint64_t root);

  uint64_t size() const { return parts_.back().bytes.size(); }  // bytes of the part so far

 private:
  struct Part {
    uint64_t base = 0;
    std::string bytes;
  };
  uint64_t shared(std::string_view object);
  std::string_view from(uint64_t address) const;
  uint64_t hash_of(uint64_t name) const;
  void begin_part(uint64_t base);
  void make_room();

  const WriterOptions options_;
  std::vector<Part> parts_;
  struct Known {
    uint64_t hash = 0, address = 0;  // address 0: a free place
  };
  std::vector<Known> objects_;  // what was written, by the hash of its bytes; open addressing
  size_t object_count_ = 0;
  std::string scratch_;
};

}  // namespace assay::olean
