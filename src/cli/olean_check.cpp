#include <fmt/format.h>

#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/olean.h"
#include "cli/progress.h"
#include "report/term.h"
#include "skill/olean/check.h"

namespace assay {
namespace {

struct Options {
  std::vector<std::string> files, limits;
  bool folders = false, json = false, quiet = false;
  int most = 10;
};

Json to_json(const std::string& file, const olean::Findings& found) {
  return {{"file", file},
          {"sound", found.sound()},
          {"objects", found.census.objects},
          {"constants", found.constants},
          {"failure_count", found.failure_count},
          {"failures", found.failures},
          {"warning_count", found.warning_count},
          {"warnings", found.warnings}};
}

void tell(const std::string& name, const olean::Findings& found, uint64_t bytes, bool quiet, Output& out) {
  auto lines = [&](const char* what, const std::vector<std::string>& told, uint64_t count) {
    for (const std::string& one : told) note_of_file(out, name, fmt::format("{}{}", what, one));
    if (count > told.size())
      note_of_file(out, name, fmt::format("{}and {} more", what, counted(static_cast<int64_t>(count - told.size()))));
  };
  lines("", found.failures, found.failure_count);
  if (!quiet) lines("warning: ", found.warnings, found.warning_count);
  if (found.sound() && !quiet)
    out.print(for_terminal(
        fmt::format("{}: sound, {}, {}, {} bytes\n", name, plural(static_cast<int64_t>(found.census.objects), "object"),
                    plural(static_cast<int64_t>(found.constants), "constant"), counted(static_cast<int64_t>(bytes)))));
}

// The exit code of one file.
Result<int> check(const std::string& file, const Options& o, const OleanLimits& limits, Progress& progress,
                  Output& out) {
  Result<olean::ModuleFiles> files = olean::open_module(file, olean::Wanted::own, limits.read);
  if (!files) return files.error();
  olean::CheckOptions options;
  options.most_told = static_cast<size_t>(o.most);
  options.limits = limits.name;
  const olean::Findings found = olean::check_parts(files->space, options)[files->own];
  if (Status whole = files->whole(); !whole) return whole.error();
  if (!found.sound() || found.warning_count > 0) progress.clear();
  if (o.json)
    out.print_exact(to_line(to_json(file, found)) + "\n");
  else
    tell(olean::shown_name(file), found, files->files[files->own].text().size(), o.quiet, out);
  return static_cast<int>(found.sound() ? exit_done : exit_check_failed);
}

int check_all(const Options& o, Output& out) {
  Result<std::vector<std::string>> files = olean_paths(o.files, o.folders, true);
  if (!files) return fail(out, files.error());
  Result<OleanLimits> limits = olean_limits(o.limits);
  if (!limits) return fail(out, limits.error());
  if (files->empty()) return fail(out, Error{"there is no .olean file in what was given"});

  Progress progress(out, static_cast<int64_t>(files->size()), o.quiet || files->size() < 10);
  int code = exit_done;
  int64_t done = 0;
  for (const std::string& file : *files) {
    if (out.to_terminal()) progress.clear();  // lines come where the bar is
    Result<int> checked = check(file, o, *limits, progress, out);
    if (!checked) progress.clear();
    code = std::max(code, checked ? *checked : fail(out, checked.error()));
    progress.show({.done = ++done, .total = static_cast<int64_t>(files->size())});
  }
  return code;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->files, "an .olean file or a part of one; - is standard input")->required();
  app.add_flag("-r,--recursive", o->folders, "look for such files in folders");
  app.add_option("--most", o->most, "failures told of a file, and warnings (10)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--json", o->json, "a JSON object a file: docs/olean.md names the fields");
  add_limit_option(app, o->limits);
  app.add_flag("-q,--quiet", o->quiet, "only failures");
  return [o](Output& out) { return check_all(*o, out); };
}

std::string more() {
  return "Exit code 1: an invariant does not hold; 2: a file is no .olean at all. Standard\n"
         "error says where: the offset, what is there and what was expected.\n";
}

}  // namespace

const Command olean_check_command = {"olean check", "look at every object and every invariant of files",
                                     "assay olean check Main.olean\n"
                                     "assay olean check -r .lake/build/lib",
                                     declare, more};

}  // namespace assay
