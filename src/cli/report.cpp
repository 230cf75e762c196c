#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "report/page_html.h"
#include "report/run_suite.h"

namespace assay {
namespace {

#include "page.inc"

struct Options {
  std::string file, out, code, max_size = "20MB";
  bool open = false;
};

constexpr std::pair<const char*, double> units[] = {{"", 1}, {"B", 1}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}};

// "20MB", "1.5 GB", "500000": bytes; 0 for anything else.
size_t bytes_of(const std::string& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string number = text.substr(0, digits);
  double value = 0;
  if (number.empty() || number.size() > 12 || std::sscanf(number.c_str(), "%lf", &value) != 1) return 0;
  for (const auto& [unit, factor] : units)
    if (matches_glob(unit, trimmed(text.substr(digits)))) return static_cast<size_t>(value * factor);
  return 0;
}

std::string is_size(const std::string& text) {
  return bytes_of(text) > 0 ? "" : fmt::format("'{}' is no size; 20MB, 500KB and 2GB are some", one_line(text));
}

std::string size_text(size_t bytes) {
  return bytes < 1'000'000 ? fmt::format("{} KB", (bytes + 999) / 1000)
                           : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

// The whole file or none: a page that is looked at meanwhile stays as it was.
Status write_whole(const std::string& path, const std::string& text) {
  const std::string beside = path + ".part";
  auto failed = [&](const std::string& why) {
    std::remove(beside.c_str());
    return Error{fmt::format("{} cannot be written: {}", path, why), ErrorKind::unfinished};
  };
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  if (!file) return Error{fmt::format("{} cannot be written: {}", path, std::strerror(errno))};
  if (!file.write(text.data(), static_cast<std::streamsize>(text.size())) || !file.flush())
    return failed(std::strerror(errno));
  file.close();
  if (std::rename(beside.c_str(), path.c_str()) != 0) return failed(std::strerror(errno));
  return Done{};
}

// Hands a file to the desktop, and does not wait for it.
bool open_in_browser(const std::string& path) {
#ifdef __APPLE__
  std::string program = "open";
#else
  std::string program = "xdg-open";
#endif
  std::string argument = std::filesystem::absolute(path).string();
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  for (const int stream : {0, 1, 2}) posix_spawn_file_actions_addopen(&quiet, stream, "/dev/null", 2 /* O_RDWR */, 0);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, program.c_str(), &quiet, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&quiet);
  return failed == 0;
}

// out.assay -> out.html
std::string page_beside(const std::string& run) {
  return std::filesystem::path(run).replace_extension(".html").string();
}

Status report(const Options& options, Output& out) {
  const std::string path = options.out.empty() ? page_beside(options.file) : options.out;
  std::error_code ignored;
  if (std::filesystem::equivalent(path, options.file, ignored))
    return Error{fmt::format("-o {} is the run file itself; a page is another file, such as {}", path,
                             page_beside(options.file))};
  Result<std::unique_ptr<RunReader>> run = RunReader::open(options.file);
  if (!run) return run.error();
  Result<Suite> suite = suite_of(**run);
  if (!suite) return suite.error();
  if (Status known = check_code(*suite, options.code, options.file); !known) return known;

  const PageSources sources{page_template, page_style, page_program};
  const size_t most = bytes_of(options.max_size), frame = page_html(sources, {}).size();
  Result<Page> page = page_of(**run, *suite, {options.code, most > frame ? most - frame : 0});
  if (!page) return Error{fmt::format("--max-size {}: {}", options.max_size, page.error().text), page.error().kind};
  const std::string html = page_html(sources, *page);
  if (Status written = write_whole(path, html); !written) return written;

  const std::string words =
      page->shown == page->episodes
          ? plural(page->episodes, "episode") + ", all with their words"
          : fmt::format("{}, {} of them with their words, as far as {} go", plural(page->episodes, "episode"),
                        counted(page->shown), options.max_size);
  out.print(fmt::format("{}: {}; {}\n", one_line(path), words, size_text(html.size())));
  if (options.open && !open_in_browser(path))
    out.note(fmt::format("assay: no program was found that opens {}\n", one_line(path)));
  return Done{};
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->file, "a run file")->required();
  app.add_option("-o,--out", o->out, "the page (default: beside the run file, .html)")->type_name("HTML");
  app.add_option("--code", o->code, "the code of conduct that it opens with")->type_name("NAME");
  app.add_option("--max-size", o->max_size, "the most it may take (default 20MB)")->type_name("SIZE")->check(is_size);
  app.add_flag("--open", o->open, "and show it in the browser");
  return [o](Output& out) {
    Status reported = report(*o, out);
    return reported ? exit_done : fail(out, reported.error());
  };
}

std::string more() {
  return "The page is one file that needs no network and no server. Its numbers are of\n"
         "all episodes; where there is no room for all of their words, it says which\n"
         "were left out: first those that are neither subversion nor a twin of one.\n";
}

}  // namespace

const Command report_command = {"report", "the run as one HTML page: plots, twins, transcripts",
                                "assay report out.assay -o out.html", declare, more};

}  // namespace assay
