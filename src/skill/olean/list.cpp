#include "skill/olean/list.h"

#include <algorithm>

#include "skill/olean/words.h"

namespace assay::olean {
namespace {

constexpr size_t chunk = 64 << 10, faults_kept = 10;
constexpr uint64_t most_faults = 1000;  // then the file is given up

}  // namespace

Listing::Listing(const Space& space, std::vector<Module> modules, ListOptions options)
    : space_(space),
      modules_(std::move(modules)),
      options_(std::move(options)),
      fast_(modules_.size() == 1 && options_.style == Style::plain && !options_.kinds && !options_.sorted &&
            options_.internal && !options_.wanted),
      reader_(space, options_.limits, options_.where),
      most_output_(options_.most_output) {
  uint64_t size = 0;
  for (const Space::Part& part : space_.parts()) {
    size += part.bytes.size();
    listed_objects_.emplace_back(part.bytes.size() / 512 + 1);
  }
  if (most_output_ == 0) most_output_ = (uint64_t{16} << 20) + 4 * size;
  begin_module();
}

bool Listing::fill(std::string& out) {
  const size_t enough = out.size() + chunk;
  if (!options_.sorted) {
    while (out.size() < enough)
      if (!next(out)) return false;
    return true;
  }
  if (!collected_) {
    for (std::string text; next(text); text.clear())
      if (!text.empty()) lines_.push_back({plain_, text});
    std::sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) { return a.name < b.name; });
    collected_ = true;
  }
  while (next_line_ < lines_.size() && out.size() < enough) out += lines_[next_line_++].text;
  return next_line_ < lines_.size();
}

// One name further, which may add a line. False: there is none.
bool Listing::next(std::string& out) {
  if (ended_ || module_ == modules_.size()) return false;
  const Module& module = modules_[module_];
  if (next_ == module.size()) {
    ++module_;
    begin_module();
    return module_ < modules_.size();
  }
  const size_t begin = out.size();
  line(module, out);
  ++next_;
  written_ += out.size() - begin;
  if (fault_count_ > most_faults) {
    fault(words("more than ", most_faults, " names cannot be read; the others are not looked at"));
    ended_ = true;
  } else if (std::max(written_, reader_.bytes_read()) > most_output_) {
    out.resize(begin);
    fault(words("the list has more than ", most_output_, " bytes; that is the limit 'output'"));
    ended_ = true;
  }
  return !ended_;
}

void Listing::begin_module() {
  next_ = 0;
  if (module_ == modules_.size()) return;
  const Module& module = modules_[module_];
  if (module.names && module.names->size != module.constants.size)
    fault(words(space_.where(module.names->address), ": ", count(module.names->size, "name"), " for ",
                count(module.constants.size, "constant")));
}

void Listing::line(const Module& module, std::string& out) {
  uint64_t word = 0, before = 0;
  if (!name_word(space_, module, next_, word, before)) return fault(words("constant ", next_, ": ", space_.fault()));
  const bool has_hashes = space_[module.part].header.version > 0;
  auto look_at_hash = [&] {
    if (reader_.hash_fits() || !has_hashes) return;
    if (wrong_hashes_++ == 0) first_wrong_hash_ = space_.where(word);
  };
  auto cannot_be_read = [&] { fault(words("name ", next_, ": ", space_.fault())); };
  if (modules_.size() == 1 && seen_before(word))
    return fault(words("name ", next_, ": the name at ", space_.where(word), " is listed twice"));

  if (fast_) {
    const size_t begin = out.size();
    if (!options_.file.empty()) (out += options_.file) += '\t';
    if (!reader_.append(word, before, out)) {
      out.resize(begin);
      return cannot_be_read();
    }
    out += options_.end;
    ++listed_;
    return look_at_hash();
  }

  if (!reader_.read(word, before, name_)) return cannot_be_read();
  look_at_hash();
  if (modules_.size() > 1) {
    std::string key;
    append_json(key, name_);
    if (!listed_names_.insert(std::move(key)).second) return;
  }
  if (!options_.internal && is_internal(name_)) return;
  plain_.clear();
  append_plain(plain_, name_, options_.where);
  if (options_.wanted && !options_.wanted(plain_)) return;
  Constant constant;
  if (options_.kinds && !kind_of(module, word, constant)) return;

  const bool json = options_.style == Style::json;
  if (options_.style == Style::escaped || (json && options_.escaped_in_json)) {
    plain_.clear();
    append_escaped(plain_, name_, json ? Shown::exact : options_.where);
  } else if (json) {
    plain_.clear();
    append_plain(plain_, name_, Shown::exact);
  }
  if (json) {
    out += '{';
    if (!options_.file.empty()) {
      out += "\"file\":";
      append_json_string(out, options_.file);
      out += ',';
    }
    out += "\"name\":";
    append_json_string(out, plain_);
    if (options_.kinds) append(out, words(",\"kind\":\"", kind_name(constant.kind), "\""));
    out += ",\"components\":";
    append_json(out, name_);
    out += '}';
  } else {
    if (!options_.file.empty()) (out += options_.file) += '\t';
    if (options_.kinds) (out += kind_name(constant.kind)) += '\t';
    out += plain_;
  }
  out += options_.end;
  ++listed_;
}

bool Listing::kind_of(const Module& module, uint64_t word, Constant& out) {
  if (next_ >= module.constants.size) {
    fault(words("name ", next_, ": there is no constant of that number"));
    return false;
  }
  if (!read_constant(space_, module, next_, out)) {
    fault(words("constant ", next_, ": ", space_.fault()));
    return false;
  }
  if (out.name != word) {
    fault(words("constant ", next_, " has the name at ", space_.where(out.name), ", but is listed with the one at ",
                space_.where(word)));
    return false;
  }
  return true;
}

bool Listing::seen_before(uint64_t word) {
  for (size_t i = 0; i < listed_objects_.size(); ++i) {
    const uint64_t offset = word - space_[i].header.base;
    if (offset >= space_[i].bytes.size()) continue;
    uint64_t& bits = listed_objects_[i][offset / 512];
    const uint64_t bit = uint64_t{1} << (offset / 8 % 64);
    const bool seen = bits & bit;
    bits |= bit;
    return seen;
  }
  return false;  // a pointer that leads nowhere is found out later
}

void Listing::fault(std::string sentence) {
  if (++fault_count_ <= faults_kept) faults_.push_back(std::move(sentence));
}

}  // namespace assay::olean
