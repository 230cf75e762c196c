// The vocabulary of this folder's tests: small modules written by hand, lists read from them, files that are damaged at
// a named place.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "skill/olean/check.h"
#include "skill/olean/files.h"
#include "skill/olean/generate.h"
#include "skill/olean/hash.h"
#include "skill/olean/list.h"
#include "skill/olean/words.h"
#include "skill/olean/writer.h"

namespace assay::olean {

constexpr uint64_t kBase = 0x10000;

// A file made by a Writer, with what is needed to damage it.
struct File {
  std::string bytes;

  template <class Number>
  File& set(uint64_t word, uint64_t offset, Number value) {  // `offset` bytes into the object at `word`
    std::memcpy(bytes.data() + (word - kBase) + offset, &value, sizeof value);
    return *this;
  }
  template <class Number>
  Number get(uint64_t word, uint64_t offset) const {
    Number value;
    std::memcpy(&value, bytes.data() + (word - kBase) + offset, sizeof value);
    return value;
  }
};

// A definition without a body worth the name.
inline uint64_t constant_of(Writer& file, uint64_t name, Kind kind = Kind::axiom) {
  const uint64_t common = file.constructor(0, {name, Writer::scalar(0), Writer::scalar(0)});
  return file.constructor(static_cast<uint8_t>(kind), {file.constructor(0, {common}, std::string_view("\0", 1))});
}

// The root of a module with these names, all of which are axioms.
inline uint64_t module_of(Writer& file, const std::vector<uint64_t>& names) {
  std::vector<uint64_t> constants;
  constants.reserve(names.size());
  for (const uint64_t name : names) constants.push_back(constant_of(file, name));
  const uint64_t none = file.array({}), listed = file.array(names), all = file.array(constants);
  return file.constructor(0, {none, listed, all, none, none});
}

inline File module_file(const std::function<std::vector<uint64_t>(Writer&)>& names, WriterOptions options = {}) {
  options.base = kBase;
  Writer file(options);
  return {file.finish(module_of(file, names(file)))};
}

// What `names` says of the bytes of a file.
struct Listed {
  std::string text, error;  // error: why there is no list at all
  std::vector<std::string> faults;
  uint64_t wrong_hashes = 0;
};

struct Opened {
  Bytes bytes;
  Space space;
  Result<Module> module = Error{"not opened"};

  explicit Opened(std::string_view text) : bytes(Bytes::copy(text)) {
    Result<Header> header = read_header(bytes.text());
    if (!header) {
      module = header.error();
      return;
    }
    space.add({"x.olean", bytes.text(), *header});
    module = read_module(space, 0);
  }
};

inline Listed listed(std::string_view bytes, const ListOptions& options = {}) {
  Opened file(bytes);
  Listed out;
  if (!file.module) {
    out.error = file.module.error().text;
    return out;
  }
  Listing listing(file.space, {*file.module}, options);
  while (listing.fill(out.text) && out.text.size() < (256u << 20)) continue;
  out.faults = listing.faults();
  out.wrong_hashes = listing.wrong_hashes();
  return out;
}
inline Listed listed(const File& file, const ListOptions& options = {}) { return listed(file.bytes, options); }

// What `check` finds first; "" where all is sound.
inline std::string first_failure(std::string_view bytes, Findings* all = nullptr) {
  Opened file(bytes);
  if (file.space.parts().empty()) return file.module.error().text;
  Findings findings = check_parts(file.space)[0];
  if (all) *all = findings;
  return findings.failures.empty() ? "" : findings.failures[0];
}
inline std::string first_failure(const File& file, Findings* all = nullptr) { return first_failure(file.bytes, all); }

inline std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline const std::string kReal = "tests/data/olean/";
inline const char* const kRealFiles[] = {"v1-4.13.0-rc3__Stlc.basics.olean",
                                         "v1-4.13.0-rc3__Stlc.call_by_value.olean",
                                         "v1-4.13.0-rc3__lakefile.olean",
                                         "v1-4.7.0__Main.olean",
                                         "v2-4.16.0-rc2__Stlc.call_by_value.olean",
                                         "v2-4.18.0__ZkLean.olean",
                                         "v2-4.25.0-rc2__Plausible.Attr.olean",
                                         "v2-4.25.0-rc2__Plausible.Attr.olean.server",
                                         "v2-4.25.0-rc2__Plausible.Attr.olean.private"};

}  // namespace assay::olean
