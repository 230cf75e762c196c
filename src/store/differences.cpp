#include "store/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "store/growth.h"

namespace assay {
namespace {

constexpr int longest_line = 70;  // columns of a quoted line
constexpr size_t before = 24;     // bytes that a long line keeps before what differs
constexpr size_t most_files = 8;  // the others are counted

std::string difference(const std::string& what, const std::string& file, const std::string& command) {
  return fmt::format("{}: the file has {}, this command says {}", what, file, command);
}

// Two named lists, compared name by name.
std::vector<std::string> differences(const std::string& prefix, const std::map<std::string, std::string>& file,
                                     const std::map<std::string, std::string>& command) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : file) {
    auto other = command.find(name);
    if (other == command.end())
      lines.push_back(difference(prefix + name, value, "nothing"));
    else if (other->second != value)
      lines.push_back(difference(prefix + name, value, other->second));
  }
  for (const auto& [name, value] : command)
    if (!file.contains(name)) lines.push_back(difference(prefix + name, "nothing", value));
  return lines;
}

// Leaves of settings by path ("/sampling/temperature" -> "1.0"), without the leading slash.
std::map<std::string, std::string> leaves(const Json& settings) {
  std::map<std::string, std::string> found;
  if (!settings.is_object() || settings.empty()) return found;
  const Json flat = settings.flatten();
  for (const auto& [path, value] : flat.items()) found[path.substr(1)] = to_line(value);
  return found;
}

// --- files

// Line `i` from 0; absent behind the last. A text that ends with a newline has no empty line behind it.
std::optional<std::string> line_at(const std::vector<std::string>& lines, size_t i) {
  if (i >= lines.size() || (i + 1 == lines.size() && lines[i].empty())) return std::nullopt;
  return lines[i];
}

// A line in one row, from a little before `place` where it is long.
std::string quoted(std::string line, size_t place) {
  if (trimmed(line).empty()) return "(a blank line)";
  if (line.size() > static_cast<size_t>(longest_line) && place > before) {
    size_t start = place - before;
    while (start > 0 && (line[start] & 0xC0) == 0x80) --start;  // never inside a code point
    line = "…" + line.substr(start);
  }
  return clipped(for_terminal(line), longest_line);
}

// " changed, first in line 12:", with both lines; just " changed" where the files are no text.
std::string changed(const std::string& file, const std::string& command) {
  if (valid_utf8(file) != file || valid_utf8(command) != command || (file + command).find('\0') != std::string::npos)
    return " changed";
  const std::vector<std::string> old_lines = split(file, '\n'), new_lines = split(command, '\n');
  size_t i = 0;
  while (line_at(old_lines, i) && line_at(old_lines, i) == line_at(new_lines, i)) ++i;
  std::optional<std::string> was = line_at(old_lines, i), is = line_at(new_lines, i);
  if (!was && !is) return " changed at its end (a newline)";
  const std::string a = was.value_or(""), b = is.value_or("");
  const auto place = static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  std::string out = fmt::format(" changed, first in line {}:", i + 1);
  if (was) out += "\n    - " + quoted(a, place);
  if (is) out += "\n    + " + quoted(b, place);
  return out;
}

bool is_code(const std::string& key) { return key.find("codes/") != std::string::npos; }

// The suite's files but its codes, by the names under which it knows them.
std::vector<std::string> file_differences(const Sources& file, const Sources& command) {
  std::vector<std::string> lines;
  for (const auto& [key, source] : file) {
    if (is_code(key)) continue;
    auto other = command.find(key);
    if (other == command.end())
      lines.push_back(key + " is gone");
    else if (other->second.text != source.text)
      lines.push_back(key + changed(source.text, other->second.text));
  }
  for (const auto& [key, source] : command)
    if (!is_code(key) && !file.contains(key)) lines.push_back(key + " is new");
  if (lines.size() > most_files) {  // another suite altogether
    const size_t more = lines.size() - most_files;
    lines.resize(most_files);
    lines.push_back(fmt::format("and {} more files of the suite", more));
  }
  return lines;
}

// The words of a code, from the suite's folder or the one beside it.
const std::string* code_text(const Sources& sources, const std::string& name) {
  for (const char* folder : {"codes/", "../codes/"})
    if (auto found = sources.find(folder + name + ".yaml"); found != sources.end()) return &found->second.text;
  return nullptr;
}

std::vector<std::string> code_differences(const Registration& file, const Registration& command) {
  const std::map<std::string, std::string> old_codes(file.codes.begin(), file.codes.end()),
      new_codes(command.codes.begin(), command.codes.end());
  std::vector<std::string> lines;
  for (const auto& [name, hash] : old_codes) {
    auto other = new_codes.find(name);
    const std::string *was = code_text(file.sources, name), *is = code_text(command.sources, name);
    if (other == new_codes.end())
      lines.push_back(fmt::format("code {} is gone", name));
    else if (other->second != hash)
      lines.push_back(was && is && *was != *is ? fmt::format("code {}{}", name, changed(*was, *is))
                                               : difference("code " + name, hash, other->second));
  }
  for (const auto& [name, hash] : new_codes)
    if (!old_codes.contains(name)) lines.push_back(fmt::format("code {} is new", name));
  return lines;
}

// Where the suites and seeds are alike, it is the cells themselves that count.
std::vector<std::string> cell_differences(const Registration& file, const Registration& command, bool alike) {
  if (file.design.cells == command.design.cells) return {};
  std::string line = difference("cells", describe(file.design.cells), describe(command.design.cells));
  if (!alike) return {line};
  Result<Growth> growth = growth_of(file, command);
  if (!growth) return {line};
  if (growth->left_out == 0) return {};
  return {line + fmt::format(", which leaves out {} of the file's {} cells", growth->left_out, growth->registered)};
}

// A command may leave the judge out, whose questions then stay open, or add one, whose answers are after the fact.
std::vector<std::string> judge_differences(const Registration& file, const Registration& command) {
  if (!file.judge || !command.judge) return {};
  if (file.judge->id != command.judge->id) return {difference("judge", file.judge->id, command.judge->id)};
  return differences(fmt::format("judge {}: ", command.judge->id), leaves(file.judge->settings),
                     leaves(command.judge->settings));
}

}  // namespace

std::vector<std::string> differences(const Registration& file, const Registration& command) {
  std::vector<std::string> lines;
  auto compare = [&lines](const char* what, const auto& a, const auto& b) {
    if (a != b) lines.push_back(difference(what, fmt::format("{}", a), fmt::format("{}", b)));
  };
  compare("suite", file.suite, command.suite);
  if (file.suite_hash != command.suite_hash) {
    std::vector<std::string> files = file_differences(file.sources, command.sources);
    if (files.empty()) compare("suite hash", file.suite_hash, command.suite_hash);  // better than no word at all
    lines.insert(lines.end(), files.begin(), files.end());
  }
  for (std::string& line : code_differences(file, command)) lines.push_back(std::move(line));
  compare("seed", file.design.seed, command.design.seed);
  compare("variants", std::string_view(name_of(file.design.variants)),
          std::string_view(name_of(command.design.variants)));
  const bool alike = file.suite_hash == command.suite_hash && file.design.seed == command.design.seed;
  for (std::string& line : cell_differences(file, command, alike)) lines.push_back(std::move(line));
  compare("prelude", std::string_view(name_of(file.design.prelude)), std::string_view(name_of(command.design.prelude)));
  for (std::string& line : judge_differences(file, command)) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> differences(const ModelEntry& file, const ModelEntry& command) {
  const std::string prefix = fmt::format("model {}: ", command.id);
  std::map<std::string, std::string> old_settings = leaves(file.settings), new_settings = leaves(command.settings);
  std::vector<std::string> lines;
  if (file.policy && command.policy) {
    if (file.policy->text != command.policy->text)
      lines.push_back(prefix + command.policy->name + changed(file.policy->text, command.policy->text));
    old_settings.erase("policy_sha256");  // the same once more
    new_settings.erase("policy_sha256");
  } else if (file.policy || command.policy) {
    lines.push_back(difference(prefix + "policy", file.policy ? file.policy->name : "none",
                               command.policy ? command.policy->name : "none"));
  }
  for (std::string& line : differences(prefix, old_settings, new_settings)) lines.push_back(std::move(line));
  if (lines.empty() && to_line(file.card) != to_line(command.card)) lines.push_back(prefix + "its card is another");
  return lines;
}

}  // namespace assay
