#include "skill/olean/files.h"

#include <unistd.h>

#include "skill/olean/words.h"

namespace assay::olean {
namespace {

constexpr std::string_view endings[] = {".olean", ".olean.server", ".olean.private"};

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// What the parts of one module have in common, and where they lie.
Status follows(const Space::Part& before, const Space::Part& part, bool directly) {
  const Header &a = before.header, &b = part.header;
  auto not_of_it = [&](const auto&... why) {
    return Error{words(part.name, " is no part of the same module as ", before.name, ": ", why...)};
  };
  if (a.version != b.version || a.flags != b.flags)
    return not_of_it("their headers are of versions ", a.version, " and ", b.version, " with flags ", a.flags, " and ",
                     b.flags);
  if (a.git_hash != b.git_hash || a.lean_version != b.lean_version) return not_of_it("another Lean wrote it");
  const uint64_t next = base_after(a.base, before.bytes.size());
  if (directly ? b.base != next : b.base < next)
    return not_of_it("its base address is ", hex(b.base), "; expected ", hex(next));
  return Done{};
}

}  // namespace

int part_of_name(const std::string& path) {
  for (int part = 2; part > 0; --part)
    if (path.ends_with(endings[part])) return part;
  return 0;
}

std::string shown_name(const std::string& path) {
  std::string out;
  append_visible(out, path == "-" ? "standard input" : path, Shown::on_terminal);
  return out;
}

Result<ModuleFiles> open_module(const std::string& path, Wanted wanted, const ReadLimits& limits) {
  ModuleFiles module;
  const int own = part_of_name(path);
  const bool has_parts = own > 0 || path.ends_with(endings[0]);
  const std::string stem = has_parts ? path.substr(0, path.size() - endings[own].size()) : path;
  auto beside = [&](int part) { return stem + std::string(endings[part]); };
  module.server_beside = has_parts && exists(beside(1));
  module.private_beside = has_parts && exists(beside(2));

  int last = -1;
  for (int part = 0; part < (has_parts ? 3 : 1); ++part) {
    if (part > own && wanted == Wanted::own) break;
    const std::string file = part == own ? path : beside(part);
    if (part != own && !exists(file)) continue;
    Result<Bytes> bytes = Bytes::open(file, limits);
    if (!bytes) return Error{words(shown_name(file), " ", bytes.error().text)};
    Result<Header> header = read_header(bytes->text());
    if (!header) return Error{words(shown_name(file), " ", header.error().text)};
    Space::Part added{shown_name(file), bytes->text(), *std::move(header)};
    if (last >= 0)
      if (Status fits = follows(module.space.parts().back(), added, part == last + 1); !fits) return fits.error();
    if (part == own) module.own = module.files.size();
    module.space.add(std::move(added));
    module.files.push_back(*std::move(bytes));
    last = part;
  }
  return module;
}

Status ModuleFiles::whole() const {
  for (size_t i = 0; i < files.size(); ++i)
    if (files[i].lost()) return Error{words(space[i].name, " became shorter while it was read, or its disk failed")};
  return Done{};
}

}  // namespace assay::olean
