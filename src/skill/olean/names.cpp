#include "skill/olean/names.h"

#include "skill/olean/hash.h"
#include "skill/olean/natural.h"
#include "skill/olean/words.h"

namespace assay::olean {
namespace {

constexpr uint64_t str_header = constructor_header(1, 2, 32), num_header = constructor_header(2, 2, 32);
constexpr uint64_t anonymous = 1;

// What is remembered is forgotten from time to time, or a hostile file could fill the memory with it. All prefixes of a
// file of 500 MB have 10 MB.
constexpr size_t most_text = 32 << 20, most_known = 1 << 19;
// In a table that is half empty a place is found within some ten steps, unless a file is made so that it is not; then a
// prefix is not remembered.
constexpr int most_probes = 64;

uint64_t digits_in(uint64_t number) {
  uint64_t digits = 1;
  for (; number > 9; number /= 10) ++digits;
  return digits;
}

// With the dot behind it; of a big number at most that many.
uint64_t bytes_of(const NameLink& link) {
  return 1 + (!link.is_number ? link.text.size() : link.big ? 20 * link.limbs.size() : digits_in(link.number));
}

std::string digits_of(const NameLink& link) { return link.big ? decimal(link.limbs) : words(link.number); }

}  // namespace

uint64_t NameLink::hash_behind(uint64_t prefix_hash) const {
  return is_number ? name_hash(prefix_hash, number, !big || limbs.size() < 2) : name_hash(prefix_hash, text);
}

bool read_link(const Space& space, uint64_t word, uint64_t before, uint64_t most_limbs, NameLink& out) {
  Object object;
  if (!space.object(word, before, object)) return false;
  const uint64_t header = object.header();
  if ((header != str_header && header != num_header) || object.room < 32)
    return space.unexpected(object, "a name (Name.str or Name.num)");
  out.address = word;
  out.prefix = object.word(1);
  out.stored_hash = object.word(3);
  out.is_number = header == num_header;
  out.big = false;
  const uint64_t component = object.word(2);
  if (!out.is_number) return space.string(component, word, out.text);
  if (is_scalar(component)) {
    out.number = component >> 1;
    return true;
  }
  Natural natural;
  if (!read_natural(space, component, word, most_limbs, natural)) return false;
  if (natural.negative) return space.fail(words(space.where(component), ": a negative number in a name"));
  out.big = true;
  out.limbs = std::move(natural.limbs);
  out.number = out.limbs.empty() ? 0 : out.limbs[0];
  return true;
}

NameReader::NameReader(const Space& space, const NameLimits& limits, Shown where)
    : space_(space), limits_(limits), where_(where), known_(1024) {}

// Collects the links from the last component up to the first, or to a prefix that is known where `known` is wanted.
bool NameReader::walk(uint64_t word, uint64_t before, Known* known) {
  chain_length_ = 0;
  chain_bytes_ = 0;
  uint64_t components = 0;
  while (word != anonymous) {
    if (known && chain_length_ > 0 && word < before) {
      *known = find(word);
      if (known->address != 0) break;
    }
    if (chain_length_ >= limits_.components) break;
    if (chain_length_ == chain_.size()) chain_.emplace_back();
    NameLink& link = chain_[chain_length_];
    if (!read_link(space_, word, before, limits_.limbs, link)) return false;
    ++chain_length_;
    chain_bytes_ += bytes_of(link);
    if (chain_bytes_ > limits_.name_bytes + 1) break;
    before = link.address;
    word = link.prefix;
  }
  components = chain_length_ + (known ? known->components : 0);
  const uint64_t bytes = chain_bytes_ + (known ? known->bytes : 0);
  const bool unfinished = word != anonymous && !(known && known->address != 0);
  auto name = [&] {
    return words(space_.where(chain_length_ > 0 ? chain_[0].address : word), ": a name of more than ");
  };
  if (bytes > limits_.name_bytes + 1)  // the first component has no dot
    return space_.fail(words(name(), limits_.name_bytes, " bytes; that is the limit 'name'"));
  if (components > limits_.components || unfinished)
    return space_.fail(words(name(), limits_.components, " components; that is the limit 'components'"));
  bytes_read_ += bytes;
  const uint64_t prefix = chain_length_ > 1         ? chain_[1].stored_hash
                          : known && known->address ? known->hash
                                                    : anonymous_hash;
  hash_fits_ = chain_length_ == 0 || chain_[0].stored_hash == chain_[0].hash_behind(prefix);
  return true;
}

bool NameReader::append(uint64_t word, uint64_t before, std::string& out) {
  Known prefix;
  if (!walk(word, before, &prefix)) return false;
  if (chain_length_ == 0) {
    out += "[anonymous]";
    return true;
  }
  if (chain_length_ > 1) prefix = remember(prefix);
  if (prefix.address != 0) out.append(texts_, prefix.text, prefix.size);
  append_component(out, chain_[0]);
  return true;
}

bool NameReader::read(uint64_t word, uint64_t before, Name& out) {
  if (!walk(word, before, nullptr)) return false;
  digits_.clear();
  out.clear();
  for (size_t i = chain_length_; i-- > 0;) {
    const NameLink& link = chain_[i];
    out.push_back({link.is_number ? digits_.emplace_back(digits_of(link)) : link.text, link.is_number});
  }
  return true;
}

void NameReader::append_component(std::string& out, const NameLink& link) const {
  if (link.is_number)
    olean::append(out, digits_of(link));
  else
    append_visible(out, link.text, where_);
}

// The chain without its last component, behind what is known of it; with a dot at its end.
NameReader::Known NameReader::remember(const Known& prefix) {
  scratch_.assign(texts_, prefix.text, prefix.size);
  Known whole = prefix;
  for (size_t i = chain_length_; i-- > 1;) {
    append_component(scratch_, chain_[i]);
    scratch_ += '.';
    whole.bytes += static_cast<uint32_t>(bytes_of(chain_[i]));
    ++whole.components;
  }
  if (texts_.size() + scratch_.size() > most_text || known_count_ >= most_known) {
    texts_.clear();
    known_.assign(known_.size(), {});
    known_count_ = 0;
  }
  whole.address = chain_[1].address;
  whole.hash = chain_[1].stored_hash;
  whole.text = texts_.size();
  whole.size = static_cast<uint32_t>(scratch_.size());
  texts_ += scratch_;
  if (++known_count_ * 2 > known_.size()) {
    std::vector<Known> smaller(known_.size() * 2);
    smaller.swap(known_);
    for (const Known& old : smaller)
      if (old.address != 0) place(old);
  }
  place(whole);
  return whole;
}

// Fibonacci hashing; addresses are multiples of 8.
static size_t place_of(uint64_t address, size_t places) {
  return static_cast<size_t>((address >> 3) * 0x9e3779b97f4a7c15 >> 32) & (places - 1);
}

NameReader::Known NameReader::find(uint64_t address) const {
  size_t i = place_of(address, known_.size());
  for (int probe = 0; probe < most_probes; ++probe, i = (i + 1) & (known_.size() - 1))
    if (known_[i].address == address || known_[i].address == 0) return known_[i];
  return {};
}

void NameReader::place(const Known& prefix) {
  size_t i = place_of(prefix.address, known_.size());
  for (int probe = 0; probe < most_probes; ++probe, i = (i + 1) & (known_.size() - 1)) {
    if (known_[i].address != 0) continue;
    known_[i] = prefix;
    return;
  }
}

}  // namespace assay::olean
