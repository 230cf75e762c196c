#include "world/shell_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/text.h"

namespace assay::shell {

// --- Streams ---

void Output::write(std::string_view text) {
  size_t fits = std::min(text.size(), limit_ - text_.size());
  text_ += text.substr(0, fits);
  dropped_ += text.size() - fits;
}

Result<std::string> Process::read(std::string_view operand) {
  if (operand == "-") return std::string(in);
  Result<std::string> text = machine.files.read(path(operand), session.who);
  if (text) meter.pay(text->size());
  if (meter.spent()) return Error{"Killed"};
  return text;
}

int Process::fail(std::string_view text, int status) {
  err.line(fmt::format("{}: {}", name(), text));
  return status;
}

int Process::misuse(const Error& error, int status) {
  fail(error.text);
  err.line(fmt::format("Try '{} --help' for more information.", name()));
  return status;
}

// --- Options ---

std::string Options::value(char flag, std::string otherwise) const {
  for (const auto& [given, value] : values)
    if (given == flag) otherwise = value;
  return otherwise;
}

std::string Options::lines(char flag) const {
  std::vector<std::string> all;
  for (const auto& [given, value] : values)
    if (given == flag) all.push_back(value);
  return joined(all, "\n");
}

char Options::last_of(std::string_view letters) const {
  size_t found = flags.find_last_of(letters);
  return found == std::string::npos ? '\0' : flags[found];
}

Result<Options> parse_options(const Process& process, std::string_view letters, std::span<const LongOption> longs) {
  bool options_first = letters.starts_with('+');
  if (options_first) letters.remove_prefix(1);
  auto takes_value = [&](char flag) { return letters.substr(letters.find(flag) + 1).starts_with(':'); };

  Options options;
  const std::vector<std::string>& args = process.args;
  for (size_t i = 1; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg == "--") {
      options.operands.insert(options.operands.end(), args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
      break;
    }
    if (arg.size() < 2 || arg[0] != '-') {
      auto rest = args.begin() + static_cast<std::ptrdiff_t>(i);
      options.operands.insert(options.operands.end(), rest, options_first ? args.end() : rest + 1);
      if (options_first) break;
      continue;
    }
    if (arg == "--color" || arg.starts_with("--color=")) continue;  // often typed, and nothing here is coloured
    if (arg[1] == '-') {
      std::string name = arg.substr(2, arg.find('=') - 2);
      auto row = std::find_if(longs.begin(), longs.end(), [&](const LongOption& l) { return l.name == name; });
      if (row == longs.end()) return Error{fmt::format("unrecognized option '{}'", arg)};
      options.flags += row->flag;
      bool given = arg.find('=') != std::string::npos;
      if (takes_value(row->flag)) {
        if (!given && i + 1 == args.size()) return Error{fmt::format("option '--{}' requires an argument", name)};
        options.values.emplace_back(row->flag, given ? arg.substr(arg.find('=') + 1) : args[++i]);
      } else if (given) {
        return Error{fmt::format("option '--{}' doesn't allow an argument", name)};
      }
      continue;
    }
    for (size_t k = 1; k < arg.size(); ++k) {
      if (arg[k] == ':' || letters.find(arg[k]) == std::string_view::npos)
        return Error{fmt::format("invalid option -- '{}'", valid_utf8(arg.substr(k, 1)))};
      options.flags += arg[k];
      if (!takes_value(arg[k])) continue;
      bool attached = k + 1 < arg.size();
      if (!attached && i + 1 == args.size())
        return Error{fmt::format("option requires an argument -- '{}'", arg.substr(k, 1))};
      options.values.emplace_back(arg[k], attached ? arg.substr(k + 1) : args[++i]);
      break;
    }
  }
  return options;
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > 1'000'000'000'000)
    return std::nullopt;
  return number;
}

// --- Texts ---

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

namespace {

size_t code_point_size(std::string_view text) {
  size_t size = 1;
  while (size < text.size() && size < 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return size;
}

// Matches one [...] at the start of `pattern` and says how long it is; nothing if it has no end.
std::optional<size_t> match_bracket(std::string_view pattern, std::string_view letter, bool& matched) {
  size_t at = 1;
  bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (size_t first = at; at < pattern.size() && (pattern[at] != ']' || at == first);) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    std::string_view low = pattern.substr(at, code_point_size(pattern.substr(at)));
    std::string_view high = low;
    at += low.size();
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      high = pattern.substr(at + 1, code_point_size(pattern.substr(at + 1)));
      at += 1 + high.size();
    }
    found |= low <= letter && letter <= high && letter.size() >= low.size() && letter.size() <= high.size();
  }
  if (at >= pattern.size()) return std::nullopt;
  matched = found != negated;
  return at + 1;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::string_view after_star, star_text;
  bool starred = false;
  while (true) {
    size_t step = 0, letter = text.empty() ? 0 : code_point_size(text);
    bool matched = false;
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      after_star = pattern, star_text = text, starred = true;
      continue;
    }
    if (pattern.empty() && text.empty()) return true;
    if (!pattern.empty() && !text.empty()) {
      std::optional<size_t> bracket;
      if (pattern[0] == '[') bracket = match_bracket(pattern, text.substr(0, letter), matched);
      if (bracket) {
        step = *bracket;
      } else if (pattern[0] == '?') {
        step = 1, matched = true;
      } else {
        size_t escape = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
        step = escape + 1, letter = 1;
        matched = pattern[escape] == text[0];
      }
    }
    if (matched) {
      pattern.remove_prefix(step);
      text.remove_prefix(letter);
    } else {
      if (!starred || star_text.empty()) return false;
      star_text.remove_prefix(1);
      pattern = after_star, text = star_text;
    }
  }
}

// --- Times and modes ---

std::string format_time(int64_t seconds, std::string_view format) {
  std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  static constexpr const char* days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  static constexpr const char* months[] = {"January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December"};
  std::string_view day = days[parts.tm_wday], month = months[parts.tm_mon];
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'Y': out += fmt::format("{:04}", parts.tm_year + 1900); break;
      case 'y': out += fmt::format("{:02}", parts.tm_year % 100); break;
      case 'm': out += fmt::format("{:02}", parts.tm_mon + 1); break;
      case 'd': out += fmt::format("{:02}", parts.tm_mday); break;
      case 'e': out += fmt::format("{:2}", parts.tm_mday); break;
      case 'H': out += fmt::format("{:02}", parts.tm_hour); break;
      case 'I': out += fmt::format("{:02}", (parts.tm_hour + 11) % 12 + 1); break;
      case 'p': out += parts.tm_hour < 12 ? "AM" : "PM"; break;
      case 'M': out += fmt::format("{:02}", parts.tm_min); break;
      case 'S': out += fmt::format("{:02}", parts.tm_sec); break;
      case 'N': out += "000000000"; break;
      case 'j': out += fmt::format("{:03}", parts.tm_yday + 1); break;
      case 'u': out += fmt::format("{}", parts.tm_wday == 0 ? 7 : parts.tm_wday); break;
      case 's': out += fmt::format("{}", seconds); break;
      case 'A': out += day; break;
      case 'a': out += day.substr(0, 3); break;
      case 'B': out += month; break;
      case 'b':
      case 'h': out += month.substr(0, 3); break;
      case 'F': out += format_time(seconds, "%Y-%m-%d"); break;
      case 'D': out += format_time(seconds, "%m/%d/%y"); break;
      case 'T': out += format_time(seconds, "%H:%M:%S"); break;
      case 'R': out += format_time(seconds, "%H:%M"); break;
      case 'c': out += format_time(seconds, "%a %b %e %H:%M:%S %Y"); break;
      case 'Z': out += "UTC"; break;
      case 'z': out += "+0000"; break;
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case '%': out += '%'; break;
      default: out += format.substr(i - 1, 2); break;
    }
  }
  return out;
}

std::optional<int64_t> parse_time(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with("Z")) text.remove_suffix(1);
  if (text.ends_with(" UTC")) text.remove_suffix(4);
  std::string shape(text);  // digits as 0, to be compared with the forms that are read
  std::replace_if(shape.begin(), shape.end(), [](char c) { return c >= '0' && c <= '9'; }, '0');
  std::replace(shape.begin(), shape.end(), 'T', ' ');
  if (shape != "0000-00-00" && shape != "0000-00-00 00:00" && shape != "0000-00-00 00:00:00") return std::nullopt;
  auto number = [&](size_t at, size_t size) {
    int value = 0;
    for (char c : text.substr(std::min(at, text.size()), size)) value = value * 10 + (c - '0');
    return value;
  };
  std::tm parts{};
  parts.tm_year = number(0, 4) - 1900, parts.tm_mon = number(5, 2) - 1, parts.tm_mday = number(8, 2);
  parts.tm_hour = number(11, 2), parts.tm_min = number(14, 2), parts.tm_sec = number(17, 2);
  std::tm given = parts;
  int64_t seconds = timegm(&parts);
  // 31 February would have become a day of March.
  bool real = given.tm_mon == parts.tm_mon && given.tm_mday == parts.tm_mday && given.tm_hour == parts.tm_hour &&
              given.tm_min == parts.tm_min && given.tm_sec == parts.tm_sec;
  return real ? std::optional(seconds) : std::nullopt;
}

std::string mode_letters(const Entry& entry) {
  std::string letters = entry.directory ? "d" : "-";
  for (int shift : {6, 3, 0}) {
    letters += entry.mode >> shift & 4 ? 'r' : '-';
    letters += entry.mode >> shift & 2 ? 'w' : '-';
    letters += entry.mode >> shift & 1 ? 'x' : '-';
  }
  if (entry.mode & 01000) letters[9] = entry.mode & 1 ? 't' : 'T';
  if (entry.mode & 02000) letters[6] = entry.mode & 010 ? 's' : 'S';
  if (entry.mode & 04000) letters[3] = entry.mode & 0100 ? 's' : 'S';
  return letters;
}

// --- The table ---

std::span<const CommandRow> all_commands() {
  static const std::vector<CommandRow> rows = [] {
    std::vector<CommandRow> all;
    for (std::span<const CommandRow> part :
         {session_commands(), word_commands(), text_commands(), grep_commands(), sed_commands(), diff_commands(),
          look_commands(), change_commands(), account_commands()})
      all.insert(all.end(), part.begin(), part.end());
    std::sort(all.begin(), all.end(),
              [](const CommandRow& a, const CommandRow& b) { return std::string_view(a.name) < b.name; });
    return all;
  }();
  return rows;
}

const CommandRow* find_command(std::string_view name) {
  for (const CommandRow& row : all_commands())
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace assay::shell
