#include "skill/olean/objects.h"

#include "skill/olean/words.h"

namespace assay::olean {

std::string_view tag_name(uint8_t tag) {
  switch (tag) {
    case Tag::promise: return "promise";
    case Tag::closure: return "closure";
    case Tag::array: return "array";
    case Tag::struct_array: return "struct array";
    case Tag::scalar_array: return "scalar array";
    case Tag::string: return "string";
    case Tag::mpz: return "big number";
    case Tag::thunk: return "thunk";
    case Tag::task: return "task";
    case Tag::ref: return "ref";
    case Tag::external: return "external object";
    case Tag::reserved: return "reserved object";
    default: return "constructor";
  }
}

std::string described(uint64_t header) {
  const uint8_t tag = tag_of(header);
  if (count_of(header) != 0) return words("no object: its reference count is ", hex(count_of(header)));
  if (tag > Tag::last_constructor) {
    const std::string_view name = tag_name(tag);
    return words(name.front() == 'a' || name.front() == 'e' ? "an " : "a ", name);
  }
  return words("constructor ", tag, " with ", count(other_of(header), "field"), " in ", size_of(header), " bytes");
}

bool Space::array(uint64_t word, uint64_t before, const char* what, ArrayView& out) const {
  Object found;
  if (!object(word, before, found)) return false;
  if (found.header() != array_header || found.room < 24) return unexpected(found, what);
  const uint64_t size = found.word(1);
  if (size > (found.room - 24) / 8)
    return fail(words(where(found.address), ": an array of ", size, " elements; there is room for ",
                      (found.room - 24) / 8, " up to the end"));
  out = {found.address, found.words + 3, size};
  return true;
}

bool Space::string(uint64_t word, uint64_t before, std::string_view& out) const {
  Object found;
  if (!object(word, before, found)) return false;
  if (found.header() != string_header || found.room < 32) return unexpected(found, "a string");
  const uint64_t size = found.word(1);
  if (size == 0) return fail(words(where(found.address), ": a string of 0 bytes; expected at least its NUL"));
  if (size > found.room - 32)
    return fail(words(where(found.address), ": a string of ", size, " bytes; there is room for ", found.room - 32,
                      " up to the end"));
  const char* text = reinterpret_cast<const char*>(found.words + 4);
  if (text[size - 1] != 0)
    return fail(words(where(found.address), ": a string of ", size, " bytes that does not end with a NUL"));
  out = {text, size - 1};
  return true;
}

bool Space::unexpected(const Object& found, std::string_view expected) const {
  return fail(words(where(found.address), ": expected ", expected, ", found ", described(found.header())));
}

bool Space::fail(std::string sentence) const {
  fault_ = std::move(sentence);
  return false;
}

std::string Space::where(uint64_t address) const {
  for (const Part& part : parts_) {
    const uint64_t offset = address - part.header.base;
    if (offset < part.bytes.size())
      return parts_.size() == 1 ? words("offset ", hex(offset)) : words("offset ", hex(offset), " of ", part.name);
  }
  return words("address ", hex(address));
}

bool Space::wrong_pointer(uint64_t word, uint64_t before) const {
  const std::string from = before == UINT64_MAX ? "" : words(where(before), ": ");
  if (is_scalar(word)) return fail(words(from, "expected a pointer, found the scalar ", word >> 1));
  if (word == 0) return fail(words(from, "expected a pointer, found 0"));
  if (word % 8 != 0) return fail(words(from, "the pointer ", hex(word), " is no multiple of 8"));
  for (const Part& part : parts_) {
    const uint64_t offset = word - part.header.base;
    if (offset < part.header.first) return fail(words(from, "a pointer into the header, to ", where(word)));
    if (offset < part.header.end && word >= before)
      return fail(words(from, "a pointer that does not point backwards, to ", where(word)));
  }
  return fail(words(
      from, "the pointer ", hex(word), " leads out of the file",
      !parts_.empty() && word < parts_.front().header.base ? ", to where an earlier part of its module may lie" : ""));
}

}  // namespace assay::olean
