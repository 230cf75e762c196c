#include "skill/olean/check.h"

#include <algorithm>

#include "skill/olean/hash.h"
#include "skill/olean/natural.h"
#include "skill/olean/words.h"

namespace assay::olean {
namespace {

// A bit for each 8 bytes of a file.
class Marks {
 public:
  explicit Marks(uint64_t bytes) : bits_(bytes / 512 + 1) {}
  bool has(uint64_t offset) const { return bits_[offset / 512] >> (offset / 8 % 64) & 1; }
  void set(uint64_t offset) { bits_[offset / 512] |= uint64_t{1} << (offset / 8 % 64); }

 private:
  std::vector<uint64_t> bits_;
};

// The hashes of names seen so far, to find those that are there twice without comparing all with all.
class SeenHashes {
 public:
  explicit SeenHashes(uint64_t names) {
    size_t places = 16;
    while (places < names * 2) places *= 2;
    words_.resize(places);
  }
  // Calls same(word) for each name with this hash until it returns true; adds the name where none was the same.
  template <class Same>
  void add(uint64_t hash, uint64_t word, Same same) {
    // In a table that is half empty some ten steps are enough, unless a file is made so that they are not.
    size_t i = (hash ^ hash >> 32) & (words_.size() - 1);
    for (int step = 0; step < 256; ++step, i = (i + 1) & (words_.size() - 1)) {
      if (words_[i].second == 0) {
        words_[i] = {hash, word};
        return;
      }
      if (words_[i].first == hash && same(words_[i].second)) return;
    }
  }

 private:
  std::vector<std::pair<uint64_t, uint64_t>> words_;
};

class Checker {
 public:
  Checker(const Space& space, const CheckOptions& options) : space_(space), options_(options) {
    for (const Space::Part& part : space.parts()) {
      starts_.emplace_back(part.bytes.size());
      names_.emplace_back(part.bytes.size());
    }
  }

  Findings part(size_t i) {
    findings_ = {};
    listed_.clear();  // each part has a list of its own
    for (const Space::Part& part : space_.parts()) listed_.emplace_back(part.bytes.size());
    part_ = i;
    base_ = space_[i].header.base;
    if (walk() && root_is_an_object() && options_.module_wanted) module();
    return std::move(findings_);
  }

 private:
  // --- objects ---------------------------------------------------------------------------------------------------

  bool walk() {
    const Header& header = space_[part_].header;
    const char* bytes = space_[part_].bytes.data();
    uint64_t offset = header.first;
    for (uint64_t size = 0; offset < header.end; offset += size) {
      const auto* words = reinterpret_cast<const uint64_t*>(bytes + offset);
      const uint64_t head = load(words), room = header.end - offset;
      const uint8_t tag = tag_of(head);
      if (count_of(head) != 0) {
        failure(offset, "expected an object with the reference count 0, found ", hex(count_of(head)));
        return false;
      }
      if (tag <= Tag::last_constructor) {
        const uint64_t fields = other_of(head);
        size = size_of(head);
        if (size % 8 != 0 || size < 8 + 8 * fields) {
          failure(offset, described(head), "; expected a multiple of 8 bytes, at least ", 8 + 8 * fields);
          return false;
        }
        if (size > room) return beyond_end(offset, head, size, room) != 0;
        for (uint64_t i = 1; i <= fields; ++i) points_back(load(words + i), offset, i - 1);
        of(0, size);
      } else {
        size = of_another_kind(offset, words, head, room);
        if (size == 0) return false;
        of(tag, size);
      }
      starts_[part_].set(offset);
      last_ = offset;
    }
    return true;
  }

  void of(uint8_t tag, uint64_t size) {
    Census::Of& counted = findings_.census.by_tag[tag];
    ++counted.objects;
    counted.bytes += size;
    ++findings_.census.objects;
    findings_.census.bytes += size;
  }

  // The size of what is no constructor, in the file; 0, after a failure: where the next object begins is not known.
  uint64_t of_another_kind(uint64_t offset, const uint64_t* words, uint64_t head, uint64_t room) {
    const Object object{base_ + offset, words, room};
    auto word = [&](uint64_t i) { return room >= 8 * (i + 1) ? load(words + i) : 0; };
    auto expect_size = [&](uint64_t size) {
      if (size_of(head) != size) failure(offset, described(head), " of ", size_of(head), " bytes; expected ", size);
    };
    const uint8_t tag = tag_of(head);
    const bool never = tag == Tag::struct_array || tag == Tag::external || tag == Tag::reserved;
    if (never) return failure(offset, "found ", described(head), ", which is never written"), 0;
    if (tag == Tag::closure && space_[part_].header.version < 3)
      return failure(offset, "found a closure, which only a v3 file can hold"), 0;
    const bool has_elements = tag == Tag::array || tag == Tag::scalar_array || tag == Tag::string;
    if (tag != Tag::scalar_array && other_of(head) != 0)
      failure(offset, described(head), " with the number ", other_of(head), " in its header; expected 0");
    if (has_elements) {
      expect_size(1);
      if (word(1) != word(2)) failure(offset, described(head), " of size ", word(1), " with a capacity of ", word(2));
    }
    uint64_t size = 0;
    switch (tag) {
      case Tag::array: {
        const uint64_t elements = word(1);
        if (room < 24 || elements > (room - 24) / 8) return beyond_end(offset, head, elements, room);
        for (uint64_t i = 0; i < elements; ++i) points_back(load(words + 3 + i), offset, i);
        return 24 + 8 * elements;
      }
      case Tag::scalar_array: {
        const uint64_t elements = word(1), each = other_of(head);
        if (each == 0 || room < 24 || elements > (room - 24) / each) return beyond_end(offset, head, elements, room);
        size = 24 + elements * each;
        break;
      }
      case Tag::string: {
        const uint64_t bytes = word(1);
        if (room >= 32 && bytes == 0) return failure(offset, "a string of 0 bytes; expected at least its NUL"), 0;
        if (room < 32 || bytes > room - 32) return beyond_end(offset, head, bytes, room);
        size = 32 + bytes;
        const std::string_view text(reinterpret_cast<const char*>(words + 4), bytes);
        if (text.back() != 0) failure(offset, "a string of ", bytes, " bytes that does not end with a NUL");
        const int64_t points = count_code_points(text.substr(0, bytes - 1));
        if (points < 0)
          failure(offset, "a string that is not UTF-8");
        else if (static_cast<uint64_t>(points) != word(3))
          failure(offset, "a string of ", points, " code points that claims ", word(3));
        break;
      }
      case Tag::mpz:
        size = mpz_extent(space_, object);
        if (size == 0) return failed(space_.fault());
        expect_size(size & 0xffff);
        break;
      case Tag::thunk:
      case Tag::task: size = 24; break;
      case Tag::ref:
      case Tag::promise: size = 16; break;
      case Tag::closure: size = 24 + 8 * (word(2) >> 16 & 0xffff); break;
      default: break;
    }
    const uint64_t padded = (size + 7) & ~uint64_t{7};
    if (padded > room) return beyond_end(offset, head, size, room);
    if (tag == Tag::thunk || tag == Tag::task || tag == Tag::ref || tag == Tag::promise) {
      expect_size(size);
      points_back(load(words + 1), offset, 0);
      if (size == 24 && load(words + 2) != 0) failure(offset, described(head), " that is not evaluated");
    }
    if (tag == Tag::closure)
      for (uint64_t i = 3; i < size / 8; ++i) points_back(load(words + i), offset, i - 3);
    if (size % 8 != 0 && load(words + padded / 8 - 1) >> 8 * (size % 8) != 0)
      failure(offset, described(head), " of ", size, " bytes with padding that is not zero");
    return padded;
  }

  uint64_t beyond_end(uint64_t offset, uint64_t head, uint64_t size, uint64_t room) {
    failure(offset, described(head), " of size ", size, "; there is room for ", room,
            " bytes up to the end: truncated, or the size is wrong");
    return 0;
  }

  // Children are written before their parents, so the starts below `offset` are all known.
  void points_back(uint64_t word, uint64_t offset, uint64_t field) {
    if (is_scalar(word)) return;
    const uint64_t to = word - base_;
    if (to < offset && to % 8 == 0 && starts_[part_].has(to)) return;
    points_elsewhere(word, offset, field);
  }

  [[gnu::noinline]] void points_elsewhere(uint64_t word, uint64_t offset, uint64_t field) {
    bool in_a_part = false;
    for (size_t i = 0; i <= part_; ++i) {
      const uint64_t to = word - space_[i].header.base;
      in_a_part |= to < space_[i].bytes.size();
      if (i < part_ && to < space_[i].header.end && to % 8 == 0 && starts_[i].has(to)) return;
    }
    if (!in_a_part && word != 0 && word % 8 == 0 && space_[part_].header.version == 3) return;  // another region's
    const bool backwards = word < base_ + offset;
    failure(offset, "field ", field, ": expected a scalar or a pointer to an object before it, found ", hex(word),
            !in_a_part  ? ", which leads out of the file"
            : backwards ? ", where no object begins"
                        : ", which does not point backwards");
  }

  bool root_is_an_object() {
    const uint64_t root = space_[part_].header.root;
    for (size_t i = 0; i <= part_; ++i) {
      const uint64_t offset = root - space_[i].header.base;
      if (offset >= space_[i].bytes.size()) continue;
      if (!starts_[i].has(offset)) {
        failed(words(space_.where(root), ": expected the root object; no object begins there"));
        return false;
      }
      if (part_ == 0 && offset != last_)
        failed(words(space_.where(root), ": the root object is not the last one, which is at ",
                     space_.where(base_ + last_)));
      return true;
    }
    failed(words("the root address ", hex(root), " leads out of the file"));
    return false;
  }

  // --- the module ------------------------------------------------------------------------------------------------

  void module() {
    const Result<Module> read = read_module(space_, part_);
    if (!read) {
      Object root;
      const bool region = space_[part_].header.version == 3 &&
                          space_.object(space_[part_].header.root, UINT64_MAX, root) &&
                          !looks_like_a_module(root.header());
      region ? warning(read.error().text) : static_cast<void>(failed(read.error().text));
      return;
    }
    const Module& module = *read;
    findings_.constants = module.size();
    if (module.names && module.names->size != module.constants.size)
      failed(words(space_.where(module.root.address), ": ", count(module.names->size, "name"), " for ",
                   count(module.constants.size, "constant")));
    Import import;
    for (uint64_t i = 0; i < module.imports.size; ++i)
      if (!read_import(space_, module, i, import) || !name(import.name, import.name_before))
        failed(words("import ", i, ": ", space_.fault()));
    constants(module);
    if (module.extra_names)
      for (uint64_t i = 0; i < module.extra_names->size; ++i)
        if (!name((*module.extra_names)[i], module.extra_names->address))
          failed(words("extra name ", i, ": ", space_.fault()));
  }

  void constants(const Module& module) {
    SeenHashes seen(module.size());
    for (uint64_t i = 0; i < module.size(); ++i) {
      Constant constant;
      const bool readable = i < module.constants.size && read_constant(space_, module, i, constant);
      if (i < module.constants.size && !readable) failed(words("constant ", i, ": ", space_.fault()));
      if (!module.names && !readable) continue;
      const uint64_t word = module.names ? (*module.names)[i] : constant.name;
      const uint64_t before = module.names ? module.names->address : constant.name_before;
      if (readable && constant.name != word)
        failed(words("constant ", i, ": its name is at ", space_.where(constant.name),
                     ", but constNames has the one at ", space_.where(word)));
      if (!name(word, before)) {
        failed(words("name ", i, ": ", space_.fault()));
        continue;
      }
      if (is_scalar(word)) continue;
      if (mark(listed_, word)) {
        failed(words("name ", i, ": the name at ", space_.where(word), " is there twice"));
        continue;
      }
      Object object;
      if (!space_.object(word, before, object) || object.room < 32) continue;
      seen.add(object.word(3), word, [&](uint64_t other) { return is_the_same(word, other, i); });
    }
  }

  // Two names of one hash are nearly always the same name; where they seldom are, the hashes are wrong and told of.
  bool is_the_same(uint64_t word, uint64_t other, uint64_t i) {
    if (compared_in_vain_ > 100) return true;
    NameReader one(space_, {}), two(space_, {});
    Name a, b;
    if (one.read(word, UINT64_MAX, a) && two.read(other, UINT64_MAX, b)) {
      auto equal = [](const Component& x, const Component& y) { return x.number == y.number && x.text == y.text; };
      if (std::equal(a.begin(), a.end(), b.begin(), b.end(), equal)) {
        failed(words("name ", i, ": the name at ", space_.where(word), " is also that at ", space_.where(other)));
        return true;
      }
    }
    ++compared_in_vain_;
    return false;
  }

  // A name and all that stands before it, each of which is looked at once. False, with a fault: it is none.
  bool name(uint64_t word, uint64_t before) {
    if (word == 1 || (!is_scalar(word) && word < before && has(names_, word))) return true;
    if (!read_link(space_, word, before, options_.limits.limbs, link_)) return false;
    for (;;) {
      mark(names_, link_.address);
      uint64_t hash = anonymous_hash;
      const bool ends = link_.prefix == 1;
      const bool known = !ends && !is_scalar(link_.prefix) && link_.prefix < link_.address && has(names_, link_.prefix);
      if (known) {
        Object prefix;
        if (!space_.object(link_.prefix, link_.address, prefix) || prefix.room < 32) return false;
        hash = prefix.word(3);
      } else if (!ends) {
        if (!read_link(space_, link_.prefix, link_.address, options_.limits.limbs, prefix_)) return false;
        hash = prefix_.stored_hash;
      }
      look_at_hash(hash);
      if (ends || known) return true;
      std::swap(link_, prefix_);
    }
  }

  // Of link_, behind a prefix with this hash. Names that share one long text do not make it hash gigabytes.
  void look_at_hash(uint64_t prefix) {
    hashed_ += link_.text.size();
    if (space_[part_].header.version == 0 || hashed_ > (16 << 20) + 4 * space_[part_].bytes.size()) return;
    if (const uint64_t right = link_.hash_behind(prefix); right != link_.stored_hash)
      warning(space_.where(link_.address), ": a name with the hash ", hex(link_.stored_hash), "; expected ",
              hex(right));
  }

  bool has(const std::vector<Marks>& marks, uint64_t word) const {
    for (size_t i = 0; i <= part_; ++i)
      if (const uint64_t offset = word - space_[i].header.base; offset < space_[i].bytes.size())
        return marks[i].has(offset);
    return false;
  }

  // True if it was marked before.
  bool mark(std::vector<Marks>& marks, uint64_t word) const {
    for (size_t i = 0; i <= part_; ++i) {
      const uint64_t offset = word - space_[i].header.base;
      if (offset >= space_[i].bytes.size()) continue;
      const bool was = marks[i].has(offset);
      marks[i].set(offset);
      return was;
    }
    return false;
  }

  // --- findings --------------------------------------------------------------------------------------------------

  template <class... Parts>
  [[gnu::noinline]] void failure(uint64_t offset, const Parts&... parts) {
    if (++findings_.failure_count <= options_.most_told)
      findings_.failures.push_back(words(space_.where(base_ + offset), ": ", parts...));
  }
  uint64_t failed(std::string sentence) {
    if (++findings_.failure_count <= options_.most_told) findings_.failures.push_back(std::move(sentence));
    return 0;
  }
  template <class... Parts>
  void warning(const Parts&... parts) {
    if (++findings_.warning_count <= options_.most_told) findings_.warnings.push_back(words(parts...));
  }

  const Space& space_;
  const CheckOptions options_;
  size_t part_ = 0;
  uint64_t base_ = 0, last_ = 0;
  std::vector<Marks> starts_, names_, listed_;  // where objects begin; names looked at; names of constants
  NameLink link_, prefix_;
  int compared_in_vain_ = 0;
  uint64_t hashed_ = 0;  // bytes
  Findings findings_;
};

}  // namespace

std::vector<Findings> check_parts(const Space& space, const CheckOptions& options) {
  Checker checker(space, options);
  std::vector<Findings> all;
  for (size_t i = 0; i < space.parts().size(); ++i) all.push_back(checker.part(i));
  return all;
}

}  // namespace assay::olean
