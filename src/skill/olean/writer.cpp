#include "skill/olean/writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "skill/olean/hash.h"
#include "skill/olean/header.h"
#include "skill/olean/objects.h"

namespace assay::olean {
namespace {

template <class Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <class Number>
void put_at(std::string& out, size_t offset, Number number) {
  std::memcpy(out.data() + offset, &number, sizeof number);
}

void put_text_at(std::string& out, size_t offset, std::string_view text, size_t size) {
  std::memcpy(out.data() + offset, text.data(), std::min(text.size(), size));
}

void fill_up(std::string& out) { out.resize((out.size() + 7) & ~size_t{7}); }

uint64_t code_points(std::string_view text) {
  uint64_t count = 0;
  for (const char c : text) count += (c & 0xc0) != 0x80;
  return count;
}

}  // namespace

Writer::Writer(const WriterOptions& options) : options_(options), objects_(1024) { begin_part(options.base); }

void Writer::begin_part(uint64_t base) {
  parts_.push_back({base, std::string(header_layout(options_.version).first, '\0')});
}

// The bytes from an address to the end of its part.
std::string_view Writer::from(uint64_t address) const {
  for (const Part& part : parts_)
    if (address - part.base < part.bytes.size()) return std::string_view(part.bytes).substr(address - part.base);
  return {};
}

// The address of the object with these bytes, which is appended where there is none yet. An object's first bytes tell
// how long it is, so one that begins with all of `object` is the same.
uint64_t Writer::shared(std::string_view object) {
  assert(object.size() % 8 == 0);
  if (object_count_ * 2 >= objects_.size()) make_room();
  const uint64_t hash = hash_of_string(object);
  size_t i = hash & (objects_.size() - 1);
  for (; objects_[i].address != 0; i = (i + 1) & (objects_.size() - 1))
    if (objects_[i].hash == hash && from(objects_[i].address).starts_with(object)) return objects_[i].address;
  Part& part = parts_.back();
  objects_[i] = {hash, part.base + part.bytes.size()};
  ++object_count_;
  part.bytes += object;
  return objects_[i].address;
}

void Writer::make_room() {
  std::vector<Known> smaller(objects_.size() * 2);
  smaller.swap(objects_);
  for (const Known& known : smaller) {
    if (known.address == 0) continue;
    size_t i = known.hash & (objects_.size() - 1);
    while (objects_[i].address != 0) i = (i + 1) & (objects_.size() - 1);
    objects_[i] = known;
  }
}

uint64_t Writer::string(std::string_view text) {
  scratch_.clear();
  put(scratch_, string_header);
  put<uint64_t>(scratch_, text.size() + 1);
  put<uint64_t>(scratch_, text.size() + 1);
  put<uint64_t>(scratch_, code_points(text));
  scratch_ += text;
  scratch_ += '\0';
  fill_up(scratch_);
  return shared(scratch_);
}

uint64_t Writer::array(std::span<const uint64_t> elements) {
  scratch_.clear();
  put(scratch_, array_header);
  put<uint64_t>(scratch_, elements.size());
  put<uint64_t>(scratch_, elements.size());
  for (const uint64_t element : elements) put(scratch_, element);
  return shared(scratch_);
}

uint64_t Writer::bytes(std::string_view elements, uint8_t each) {
  assert(each > 0 && elements.size() % each == 0);
  scratch_.clear();
  put(scratch_, object_header(Tag::scalar_array, each, 1));
  put<uint64_t>(scratch_, elements.size() / each);
  put<uint64_t>(scratch_, elements.size() / each);
  scratch_ += elements;
  fill_up(scratch_);
  return shared(scratch_);
}

uint64_t Writer::constructor(uint8_t tag, std::initializer_list<uint64_t> fields, std::string_view scalars) {
  const size_t size = 8 + 8 * fields.size() + ((scalars.size() + 7) & ~size_t{7});
  assert(tag <= Tag::last_constructor && fields.size() < 256 && size < 4096);
  scratch_.clear();
  put(scratch_, constructor_header(tag, static_cast<uint8_t>(fields.size()), static_cast<uint16_t>(size)));
  for (const uint64_t field : fields) put(scratch_, field);
  scratch_ += scalars;
  fill_up(scratch_);
  return shared(scratch_);
}

// Never shared: it points to itself.
uint64_t Writer::natural(std::span<const uint64_t> limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs = limbs.first(limbs.size() - 1);
  if (limbs.empty()) return scalar(0);
  if (limbs.size() == 1 && limbs[0] >> 63 == 0) return scalar(limbs[0]);
  // Lean's own digits have 32 bits.
  const uint64_t halves = limbs.size() * 2 - (limbs.back() >> 32 == 0);
  const uint64_t size = options_.gmp ? 24 + 8 * limbs.size() : 32 + 4 * halves;
  const uint64_t address = parts_.back().base + parts_.back().bytes.size();
  scratch_.clear();
  put(scratch_, object_header(Tag::mpz, 0, static_cast<uint16_t>(size)));
  if (options_.gmp) {
    put(scratch_, static_cast<int32_t>(limbs.size()));
    put(scratch_, static_cast<int32_t>(limbs.size()));
    put<uint64_t>(scratch_, address + 24);
  } else {
    put<uint64_t>(scratch_, 0);  // not negative
    put(scratch_, halves);
    put<uint64_t>(scratch_, address + 32);
  }
  for (const uint64_t limb : limbs) put(scratch_, limb);
  scratch_.resize((size + 7) & ~uint64_t{7});
  parts_.back().bytes += scratch_;
  return address;
}

uint64_t Writer::thunk(uint64_t value) {
  scratch_.clear();
  put(scratch_, object_header(Tag::thunk, 0, 24));
  put(scratch_, value);
  put<uint64_t>(scratch_, 0);
  return shared(scratch_);
}

uint64_t Writer::task(uint64_t value) {
  scratch_.clear();
  put(scratch_, object_header(Tag::task, 0, 24));
  put(scratch_, value);
  put<uint64_t>(scratch_, 0);
  return shared(scratch_);
}

uint64_t Writer::ref(uint64_t value) {
  scratch_.clear();
  put(scratch_, object_header(Tag::ref, 0, 16));
  put(scratch_, value);
  return shared(scratch_);
}

uint64_t Writer::promise(uint64_t value) {
  scratch_.clear();
  put(scratch_, object_header(Tag::promise, 0, 16));
  put(scratch_, value);
  return shared(scratch_);
}

uint64_t Writer::closure(uint64_t function, uint16_t arity, std::initializer_list<uint64_t> fixed) {
  scratch_.clear();
  put(scratch_, object_header(Tag::closure, 0, static_cast<uint16_t>(24 + 8 * fixed.size())));
  put(scratch_, function);
  put(scratch_, arity);
  put(scratch_, static_cast<uint16_t>(fixed.size()));
  put<uint32_t>(scratch_, 0);
  for (const uint64_t value : fixed) put(scratch_, value);
  return shared(scratch_);
}

uint64_t Writer::hash_of(uint64_t name) const {
  if (name == anonymous) return anonymous_hash;
  uint64_t hash;
  std::memcpy(&hash, from(name).data() + 24, 8);
  return hash;
}

uint64_t Writer::name(uint64_t prefix, std::string_view component) {
  const uint64_t hash = name_hash(hash_of(prefix), component);
  const std::string_view scalars(reinterpret_cast<const char*>(&hash), 8);
  return constructor(1, {prefix, string(component)}, scalars);
}

uint64_t Writer::name(uint64_t prefix, std::span<const uint64_t> limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs = limbs.first(limbs.size() - 1);
  const uint64_t hash = name_hash(hash_of(prefix), limbs.empty() ? 0 : limbs[0], limbs.size() < 2);
  const std::string_view scalars(reinterpret_cast<const char*>(&hash), 8);
  return constructor(2, {prefix, natural(limbs)}, scalars);
}

std::string Writer::finish(uint64_t root) {
  Part& part = parts_.back();
  const HeaderLayout layout = header_layout(options_.version);
  std::string& out = part.bytes;
  put_text_at(out, 0, options_.version == 0 ? "oleanfile!!!!!!!" : every_header_begins, 16);
  if (options_.version > 0) out[5] = static_cast<char>(options_.version);
  if (options_.version == 1) put_text_at(out, 6, options_.git_hash, 40);
  if (options_.version >= 2) {
    out[6] = options_.gmp ? 1 : 0;
    put_text_at(out, 7, options_.lean_version, 33);
    put_text_at(out, 40, options_.git_hash, 40);
  }
  put_at(out, layout.base, part.base);
  put_at(out, layout.root, root);
  std::string file = out;
  if (options_.version == 3) {
    put_at<uint64_t>(file, 88, out.size() - 96);
    put<uint32_t>(file, 0);  // closures
    put<uint32_t>(file, 0);  // libraries
  }
  begin_part(base_after(part.base, file.size()));
  return file;
}

}  // namespace assay::olean
