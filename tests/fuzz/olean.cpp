// An .olean file of any bytes, or one that the generator wrote and that was damaged afterwards: lists, kinds and checks
// end, within their limits, and what the generator wrote is sound as long as nothing was damaged.
#include <cstdlib>
#include <cstring>

#include "skill/olean/check.h"
#include "skill/olean/generate.h"
#include "skill/olean/list.h"

namespace {

using namespace assay::olean;

constexpr uint64_t most_output = 1 << 20;

void list(const Space& space, const Module& module, ListOptions options) {
  options.most_output = most_output;
  Listing listing(space, {module}, options);
  std::string out;
  uint64_t bytes = 0;
  for (bool more = true; more; out.clear()) {
    more = listing.fill(out);
    bytes += out.size();
    if (options.style != Style::json)
      for (const char c : out)
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') std::abort();  // would reach a terminal
  }
  if (bytes > most_output) std::abort();
}

// True: sound, and all of it could be listed.
bool read(const std::string& file) {
  const Bytes bytes = Bytes::copy(file);
  const assay::Result<Header> header = read_header(bytes.text());
  if (!header) return false;
  Space space;
  space.add({"fuzz.olean", bytes.text(), *header});
  const Findings found = check_parts(space)[0];
  const assay::Result<Module> module = read_module(space, 0);
  if (!module) return false;
  list(space, *module, {});
  list(space, *module, {.style = Style::escaped, .kinds = true, .sorted = true});
  list(space, *module, {.style = Style::json, .kinds = true, .internal = false});
  Import import;
  for (uint64_t i = 0; i < module->imports.size; ++i)
    if (!read_import(space, *module, i, import)) break;
  return found.sound();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)read(std::string(reinterpret_cast<const char*>(data), size));

  // The first bytes choose a file; the rest damage it, three bytes a place: where, and what is put there.
  if (size < 4) return 0;
  MakeOptions make;
  make.seed = data[0];
  make.constants = data[1] % 16;
  make.version = data[2] % 4;
  make.gmp = data[3] & 1;
  make.bytes_each = 300;
  std::string file = make_module(make).files[0];
  if (size < 7 && !read(file)) std::abort();
  for (size_t i = 4; i + 3 <= size; i += 3)
    file[(data[i] << 8 | data[i + 1]) % file.size()] = static_cast<char>(data[i + 2]);
  (void)read(file);
  return 0;
}
