// Names, read from the file: Name.str and Name.num objects, each of which points to what stands before it.
//
//   NameReader reader(space, {});
//   for (uint64_t i = 0; i < names.size; ++i)
//     if (reader.append(names[i], names.address, out)) out += '\n';    // else space.fault() says why
//
// Chains of prefixes are walked in a loop, never by recursion, and are as long as the limits allow at most.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "skill/olean/objects.h"
#include "skill/olean/text.h"

namespace assay::olean {

// Bounds on what a file may ask for. Real files stay far below: 18 components, 162 bytes. What is beyond is no name:
// the fault says which limit was hit.
struct NameLimits {
  uint64_t name_bytes = 64 << 10;  // of a name, its components and the dots between
  uint64_t components = 1024;      // of a name
  uint64_t limbs = 64;             // of 64 bits, of a number in a name
};

// One Name object.
struct NameLink {
  uint64_t address = 0, prefix = 0;  // `prefix`: the word, 1 for the anonymous name
  uint64_t stored_hash = 0, number = 0;
  std::string_view text;   // of a Name.str
  bool is_number = false;  // a Name.num of `number`,
  bool big = false;        // or of one of 2^63 or more, in `limbs`
  std::vector<uint64_t> limbs;

  // From what is stored for the prefix.
  uint64_t hash_behind(uint64_t prefix_hash) const;
};

// The Name object at `word`, with all it needs for itself; its prefix is not looked at. The anonymous name is none.
bool read_link(const Space& space, uint64_t word, uint64_t before, uint64_t most_limbs, NameLink& out);

class NameReader {
 public:
  NameReader(const Space& space, const NameLimits& limits, Shown where = Shown::in_file);

  // Both return false, with the fault in the space, where `word` is no name to below `before`. `out` is then as it was.
  //
  // Appends the name as append_plain writes it. What stands before a name is remembered: of names with a common prefix,
  // each costs its last component.
  bool append(uint64_t word, uint64_t before, std::string& out);
  // Its components, valid until the next call.
  bool read(uint64_t word, uint64_t before, Name& out);

  // Of the name that was read last: is the hash stored in it the one that follows from what is stored for its prefix?
  bool hash_fits() const { return hash_fits_; }
  // Bytes of all names read so far, with the limits of which a caller bounds its output and time.
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  struct Known {           // a prefix that was written before
    uint64_t address = 0;  // 0: none
    uint64_t text = 0;     // where it stands in texts_
    uint64_t hash = 0;     // that is stored in its object
    uint32_t size = 0;     // how long it is in texts_,
    uint32_t bytes = 0;    // and was before anything was made visible; with the dot behind it
    uint32_t components = 0;
  };
  bool walk(uint64_t word, uint64_t before, Known* known);
  Known find(uint64_t address) const;
  Known remember(const Known& prefix);
  void place(const Known& prefix);
  void append_component(std::string& out, const NameLink& link) const;

  const Space& space_;
  const NameLimits limits_;
  const Shown where_;
  std::vector<NameLink> chain_;  // the last component first; only the first chain_length_ are in use
  size_t chain_length_ = 0;
  uint64_t chain_bytes_ = 0;
  std::vector<Known> known_;  // open addressing; its size is a power of 2
  size_t known_count_ = 0;
  std::string texts_, scratch_;
  std::deque<std::string> digits_;
  bool hash_fits_ = true;
  uint64_t bytes_read_ = 0;
};

}  // namespace assay::olean
