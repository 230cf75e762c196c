#include "cli/olean.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/text.h"
#include "cli/usage.h"
#include "report/term.h"

namespace assay {
namespace {

const Command* const parts[] = {&olean_names_command, &olean_info_command, &olean_check_command, &olean_make_command};

// "names" of "olean names".
std::string word_of(const Command& command) { return split(command.name, ' ').back(); }

// What stands behind `assay olean`: another subcommand with its own options.
int dispatch(const std::vector<std::string>& words, Output& out) {
  std::vector<std::string> known;
  for (const Command* command : parts) known.push_back(word_of(*command));
  if (words.empty()) {
    out.note(fmt::format("assay olean: one of {} is required\nassay olean --help shows how it is used.\n",
                         joined(known, ", ")));
    return exit_bad_input;
  }
  for (const Command* command : parts) {
    if (words.front() != word_of(*command)) continue;
    std::vector<std::string> copy = words;
    std::vector<char*> arguments;
    for (std::string& word : copy) arguments.push_back(word.data());
    return run_command_line(*command, static_cast<int>(arguments.size()), arguments.data(), out);
  }
  const std::string near = nearest(words.front(), known);
  const bool option = words.front().starts_with('-');
  out.note(fmt::format("assay olean: {} '{}'{}\nassay olean --help shows how it is used.\n",
                       option ? "unknown option" : "there is no", one_line(words.front()),
                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  return exit_bad_input;
}

std::function<int(Output&)> declare(CLI::App& app) {
  app.prefix_command();  // the first word ends our options; the rest belongs to what it names
  return [&app](Output& out) { return dispatch(app.remaining(), out); };
}

std::string more() {
  std::string out;
  for (const Command* command : parts) out += left(word_of(*command), 8) + command->does + "\n";
  return out + "assay olean names --help explains the first of them, and so on.\n";
}

bool is_olean(const std::string& path, bool parts_too) {
  return path.ends_with(".olean") || (parts_too && olean::part_of_name(path) > 0);
}

}  // namespace

Result<std::vector<std::string>> olean_paths(const std::vector<std::string>& given, bool folders, bool parts_too) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  for (const std::string& path : given) {
    std::error_code error;
    if (path == "-" || !fs::is_directory(path, error)) {
      out.push_back(path);
      continue;
    }
    if (!folders) return Error{fmt::format("{} is a folder; -r looks into it", olean::shown_name(path))};
    const size_t begin = out.size();
    fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, error), end;
    for (; !error && at != end; at.increment(error)) {
      std::error_code ignored;
      if (is_olean(at->path().native(), parts_too) && at->is_regular_file(ignored)) out.push_back(at->path().native());
    }
    if (error) return Error{fmt::format("{}: {}", olean::shown_name(path), error.message())};
    std::sort(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
  }
  return out;
}

Result<OleanLimits> olean_limits(const std::vector<std::string>& given) {
  OleanLimits out;
  for (const std::string& limit : given) {
    const size_t equals = std::min(limit.find('='), limit.size());
    const std::string name = limit.substr(0, equals);
    uint64_t* target = name == "name"         ? &out.name.name_bytes
                       : name == "components" ? &out.name.components
                       : name == "limbs"      ? &out.name.limbs
                       : name == "output"     ? &out.output
                       : name == "read"       ? &out.read.most_read
                                              : nullptr;
    if (!target)
      return Error{fmt::format("--limit knows name, components, limbs, output and read; found '{}'", one_line(name))};
    const char *begin = limit.data() + std::min(equals + 1, limit.size()), *end = limit.data() + limit.size();
    const auto [stop, error] = std::from_chars(begin, end, *target);
    if (error != std::errc() || stop != end || begin == end || *target == 0)
      return Error{fmt::format("--limit {} wants a whole number from 1 on; found '{}'", name, one_line({begin, end}))};
  }
  return out;
}

CLI::Option* add_limit_option(CLI::App& app, std::vector<std::string>& given) {
  return app.add_option("--limit", given, "of name, components, limbs, output or read; repeatable (docs/olean.md)")
      ->type_name("LIMIT=N")
      ->allow_extra_args(false);
}

olean::Shown shown_on(const Output& out) {
  return out.to_terminal() ? olean::Shown::on_terminal : olean::Shown::in_file;
}

void note_of_file(Output& out, const std::string& file, const std::string& text) {
  out.note(for_terminal(fmt::format("{}: {}", file, text)) + "\n");
}

const Command olean_command = {"olean", "read Lean 4 .olean files: names, kinds, checks; no Lean needed",
                               "assay olean names -k Main.olean\n"
                               "assay olean check -r .lake/build/lib",
                               declare, more};

}  // namespace assay
