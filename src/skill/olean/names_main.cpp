// olean-names: the names of the constants that a Lean 4 .olean file defines, one a line, without Lean.
//
//   olean-names < Main.olean
//   olean-names Main.olean
//
// Exit code 0, or 2 with the reason on standard error. The README beside this file has the line that builds it.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

#include "skill/olean/files.h"
#include "skill/olean/list.h"
#include "skill/olean/words.h"

namespace {

using namespace assay::olean;

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

int complain(std::string_view text) {
  write_all(STDERR_FILENO, words("olean-names: ", text, "\n"));
  return 2;
}

int list(const std::string& path) {
  const assay::Result<ModuleFiles> files = open_module(path, Wanted::own);
  if (!files) return complain(files.error().text);
  const assay::Result<Module> module = read_module(files->space, files->own);
  const std::string name = shown_name(path);
  if (!module) return complain(words(name, " ", module.error().text));
  ListOptions options;
  options.where = isatty(STDOUT_FILENO) ? Shown::on_terminal : Shown::in_file;
  Listing listing(files->space, {*module}, options);
  std::string out;
  for (bool more = true; more; out.clear()) {
    more = listing.fill(out);
    if (!write_all(STDOUT_FILENO, out)) return complain("the names could not be written");
  }
  if (const assay::Status whole = files->whole(); !whole) return complain(whole.error().text);
  for (const std::string& fault : listing.faults()) complain(words(name, ": ", fault));
  if (listing.fault_count() > listing.faults().size())
    complain(words(name, ": and ", listing.fault_count() - listing.faults().size(), " more"));
  return listing.fault_count() > 0 ? 2 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "-";
  if (argc > 2 || (first.size() > 1 && first.front() == '-'))
    return complain("usage: olean-names [FILE], or olean-names < FILE");
  return list(std::string(first));
}
