// sed: lines edited by a script of one-letter commands.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "world/shell_regex.h"

namespace assay::shell {
namespace {

constexpr size_t npos = std::string_view::npos;

struct Address {
  enum Kind { none, line, last, pattern, step } kind = none;  // step: +N lines after the first
  size_t number = 0;
  std::vector<Regex> regex;  // one, of a pattern
};

struct SedCommand {
  Address from, to;
  bool negated = false, active = false;  // active: between the two addresses
  size_t end = 0;                        // the last line of a range that counts
  char name = 'p';                       // s p d q = a i c y
  std::vector<Regex> regex;              // one, of s
  std::string text;                      // the replacement, or the text of a, i, c
  bool global = false, print = false;
  size_t which = 1;  // of s///N
};

class SedParser {
 public:
  SedParser(std::string_view script, bool extended) : script_(script), extended_(extended) {}

  Result<std::vector<SedCommand>> commands() {
    std::vector<SedCommand> all;
    while (true) {
      at_ = std::min(script_.find_first_not_of(" \t\n;", at_), script_.size());
      if (at_ == script_.size()) return all;
      SedCommand command;
      if (Status read = address(command.from); !read) return read.error();
      if (command.from.kind != Address::none && peek() == ',') {
        ++at_;
        if (Status read = address(command.to); !read) return read.error();
        if (command.to.kind == Address::none) return wrong("unexpected `,'");
      }
      blanks();
      for (; peek() == '!'; ++at_, blanks()) command.negated = true;
      if (at_ == script_.size()) return wrong("missing command");
      command.name = script_[at_++];
      if (Status read = arguments(command); !read) return read.error();
      all.push_back(std::move(command));
    }
  }

 private:
  char peek() const { return at_ < script_.size() ? script_[at_] : '\0'; }
  void blanks() { at_ = std::min(script_.find_first_not_of(" \t", at_), script_.size()); }
  Error wrong(std::string_view what) const { return {fmt::format("-e expression #1, char {}: {}", at_, what)}; }

  size_t number() {
    size_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      value = std::min<size_t>(value * 10 + static_cast<size_t>(peek() - '0'), 1 << 30);
    return value;
  }

  Status address(Address& made) {
    blanks();
    if (peek() >= '0' && peek() <= '9') {
      made.kind = Address::line;
      made.number = number();
    } else if (peek() == '$') {
      made.kind = Address::last;
      ++at_;
    } else if (peek() == '+') {
      ++at_;
      made.kind = Address::step;
      made.number = number();
    } else if (peek() == '/') {
      ++at_;
      Result<std::string> pattern = until('/', true);
      if (!pattern) return wrong("unterminated address regex");
      bool fold = peek() == 'I';
      if (fold) ++at_;
      made.kind = Address::pattern;
      return compile(*pattern, fold, made.regex);
    }
    return Done{};
  }

  // Up to the delimiter, which is taken too; `\/` gives the delimiter itself, and a bracket hides it in a pattern.
  Result<std::string> until(char delimiter, bool pattern) {
    std::string text;
    bool bracket = false;
    for (; at_ < script_.size(); ++at_) {
      char c = script_[at_];
      if (c == '\\' && at_ + 1 < script_.size() && !bracket) {
        if (script_[at_ + 1] != delimiter) text += c;
        text += script_[++at_];
        continue;
      }
      if (c == delimiter && !bracket) {
        ++at_;
        return text;
      }
      if (pattern && c == '[' && !bracket) {
        bracket = true;
        for (text += c; at_ + 1 < script_.size() && (script_[at_ + 1] == '^' || script_[at_ + 1] == ']');)
          text += script_[++at_];
        continue;
      }
      if (c == ']') bracket = false;
      text += c;
    }
    return Error{"unterminated"};
  }

  Status compile(const std::string& pattern, bool fold, std::vector<Regex>& into) {
    Result<Regex> regex = Regex::compile(pattern, {.extended = extended_, .ignore_case = fold});
    if (!regex) return wrong(regex.error().text);
    into.push_back(std::move(*regex));
    return Done{};
  }

  Status arguments(SedCommand& command) {
    switch (command.name) {
      case 's': return substitution(command);
      case 'a':
      case 'i':
      case 'c': {
        blanks();
        if (peek() == '\\') {
          ++at_;
          blanks();
          if (peek() == '\n') ++at_;
        }
        size_t end = std::min(script_.find('\n', at_), script_.size());
        if (at_ == end) return wrong(fmt::format("expected \\ after `a', `c' or `i'"));
        command.text = script_.substr(at_, end - at_);
        at_ = end;
        return Done{};
      }
      case 'p':
      case 'd':
      case 'q':
      case '=': {
        blanks();
        if (at_ < script_.size() && peek() != ';' && peek() != '\n') return wrong("extra characters after command");
        return Done{};
      }
      case '{':
      case '}': return wrong("{...} is not supported here");
      default: return wrong(fmt::format("unknown command: `{}'", valid_utf8(std::string_view(&command.name, 1))));
    }
  }

  Status substitution(SedCommand& command) {
    char delimiter = peek();
    if (delimiter == '\0' || delimiter == '\n' || delimiter == '\\') return wrong("unterminated `s' command");
    ++at_;
    Result<std::string> pattern = until(delimiter, true);
    Result<std::string> replacement = pattern ? until(delimiter, false) : pattern;
    if (!replacement) return wrong("unterminated `s' command");
    command.text = std::move(*replacement);
    bool fold = false;
    for (; at_ < script_.size() && std::string_view(";\n }").find(peek()) == npos;) {
      if (peek() >= '1' && peek() <= '9') {
        command.which = number();
        continue;
      }
      char flag = script_[at_++];
      if (flag == 'g')
        command.global = true;
      else if (flag == 'p')
        command.print = true;
      else if (flag == 'i' || flag == 'I')
        fold = true;
      else
        return wrong("unknown option to `s'");
    }
    return compile(*pattern, fold, command.regex);
  }

  std::string_view script_;
  bool extended_;
  size_t at_ = 0;
};

// `&` and \1..\9 in a replacement.
void add_replacement(std::string& out, const std::string& replacement, std::string_view line,
                     const Regex::Match& match) {
  auto add = [&](size_t group) {
    auto [begin, end] = match[group];
    if (begin != npos && end != npos) out += line.substr(begin, end - begin);
  };
  for (size_t i = 0; i < replacement.size(); ++i) {
    char c = replacement[i];
    if (c == '&') {
      add(0);
    } else if (c == '\\' && i + 1 < replacement.size()) {
      c = replacement[++i];
      if (c >= '0' && c <= '9')
        add(static_cast<size_t>(c - '0'));
      else
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    } else {
      out += c;
    }
  }
}

bool substitute(const SedCommand& command, std::string& line, Meter& meter) {
  std::string out;
  Regex::Match match;
  size_t at = 0, copied = 0, count = 0;
  bool changed = false;
  while (at <= line.size() && out.size() < longest_stream && command.regex[0].search(line, at, match, meter)) {
    auto [begin, end] = match[0];
    bool empty_after_match = begin == end && begin == copied && count > 0;
    if (!empty_after_match && ++count >= command.which) {
      out.append(line, copied, begin - copied);
      add_replacement(out, command.text, line, match);
      meter.pay(out.size() / 64);
      copied = end;
      changed = true;
      if (!command.global) break;
    }
    at = end > begin ? end : end + 1;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) ++at;  // never inside a letter
  }
  if (!changed) return false;
  out.append(line, copied);
  line = std::move(out);
  return true;
}

struct Sed {
  std::vector<SedCommand> commands;
  bool quiet = false;
  bool quit = false;
  size_t line_number = 0;
};

bool applies(SedCommand& command, size_t number, bool last, std::string_view line, Meter& meter) {
  auto at = [&](const Address& address) {
    switch (address.kind) {
      case Address::line: return number == address.number;
      case Address::last: return last;
      case Address::pattern: return address.regex[0].found_in(line, meter);
      default: return true;
    }
  };
  bool inside;
  if (command.to.kind == Address::none) {
    inside = at(command.from);
  } else if (!command.active) {
    inside = at(command.from);
    command.end = command.to.kind == Address::step ? number + command.to.number : command.to.number;
    bool counts = command.to.kind == Address::line || command.to.kind == Address::step;
    command.active = inside && !(counts && command.end <= number) && !(command.to.kind == Address::last && last);
  } else {
    inside = true;
    bool counts = command.to.kind == Address::line || command.to.kind == Address::step;
    if (counts && number > command.end)
      inside = command.active = false;
    else
      command.active = counts ? number < command.end : !at(command.to);
  }
  return inside != command.negated;
}

// Runs the script over one text.
void sed_text(Sed& sed, std::string_view text, bool last_file, Output& out, Meter& meter) {
  bool open = !text.empty() && !text.ends_with('\n');
  std::vector<std::string_view> lines = lines_of(text);
  for (size_t i = 0; i < lines.size() && !sed.quit && !meter.spent(); ++i) {
    bool last_here = i + 1 == lines.size(), deleted = false;
    std::string line(lines[i]), after;
    meter.pay(line.size());
    ++sed.line_number;
    auto print = [&](std::string_view shown) {
      out.write(shown);
      if (!(open && last_here)) out.write("\n");
    };
    for (SedCommand& command : sed.commands) {
      if (!applies(command, sed.line_number, last_here && last_file, line, meter)) continue;
      switch (command.name) {
        case 's':
          if (substitute(command, line, meter) && command.print) print(line);
          break;
        case 'p': print(line); break;
        case 'd': deleted = true; break;
        case 'q': sed.quit = true; break;
        case '=': out.line(std::to_string(sed.line_number)); break;
        case 'a': after += command.text + "\n"; break;
        case 'i': out.line(command.text); break;
        case 'c':
          deleted = true;
          if (!command.active) out.line(command.text);
          break;
      }
      if (deleted || sed.quit) break;
    }
    if (!deleted && !sed.quiet) print(line);
    if (!after.empty() && open && last_here) out.write("\n");
    out.write(after);
  }
}

int run_sed(Process& process) {
  // -i takes its suffix only when attached, which getopt's ':' does not say; so it is read here.
  std::vector<std::string> args;
  bool in_place = false;
  std::string suffix;
  for (const std::string& arg : process.args) {
    bool attached = arg.starts_with("-i") || arg.starts_with("--in-place");
    if (!attached) {
      args.push_back(arg);
      continue;
    }
    in_place = true;
    suffix = arg.starts_with("-i") ? arg.substr(2) : arg.find('=') == npos ? "" : arg.substr(arg.find('=') + 1);
    if (suffix == "E" || suffix == "r") suffix.clear(), args.push_back("-E");
  }
  static constexpr LongOption longs[] = {
      {"quiet", 'n'}, {"silent", 'n'}, {"expression", 'e'}, {"regexp-extended", 'E'}};
  Process same{process.machine, process.session, args,          process.in,
               process.out,     process.err,     process.meter, process.run};
  Result<Options> options = parse_options(same, "nErse:", longs);
  if (!options) return process.misuse(options.error());
  std::vector<std::string> operands = options->operands;
  std::string scripts = options->lines('e');
  if (!options->has('e')) {
    if (operands.empty()) return process.misuse({"no script specified"});
    scripts = operands[0];
    operands.erase(operands.begin());
  }
  Result<std::vector<SedCommand>> commands = SedParser(scripts, options->has('E') || options->has('r')).commands();
  if (!commands) return process.fail(commands.error().text);
  Sed sed{.commands = std::move(*commands), .quiet = options->has('n')};
  if (operands.empty()) {
    if (in_place) return process.fail("no input files", 4);
    operands = {"-"};
  }

  int status = 0;
  for (size_t i = 0; i < operands.size() && !sed.quit; ++i) {
    Result<std::string> text = process.read(operands[i]);
    if (!text) {
      bool directory = text.error().text == "Is a directory";
      process.fail(directory ? fmt::format("couldn't edit {}: not a regular file", operands[i])
                             : fmt::format("can't read {}: {}", operands[i], text.error().text));
      status = 2;
      continue;
    }
    if (!in_place) {
      sed_text(sed, *text, i + 1 == operands.size(), process.out, process.meter);
      continue;
    }
    Sed fresh = sed;  // each file is a text of its own
    Output changed(longest_file);
    sed_text(fresh, *text, true, changed, process.meter);
    if (process.meter.spent()) return killed;
    Files& files = process.machine.files;
    std::string path = process.path(operands[i]);
    std::string copy = path + suffix;
    Status written = suffix.empty() ? Status(Done{}) : files.write(copy, *text, process.session.who);
    if (written)
      written =
          changed.full() ? Status(Error{"File too large"}) : files.write(path, changed.text(), process.session.who);
    if (!written) {
      process.fail(fmt::format("couldn't open file {}: {}", operands[i], written.error().text));
      status = 4;
    }
  }
  return status;
}

}  // namespace

std::span<const CommandRow> sed_commands() {
  static constexpr CommandRow rows[] = {
      {"sed", run_sed, "sed [-nE] [-i[SUFFIX]] SCRIPT [FILE...]: edit lines; s/// p d q = a i c with addresses"},
  };
  return rows;
}

}  // namespace assay::shell
