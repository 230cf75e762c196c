// : [ basename dirname echo false printf test true: words and truths, without files.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "world/shell_command.h"

namespace assay::shell {
namespace {

// The escape that begins at text[at], a backslash; moves `at` to its last letter. False for \c: nothing more is
// printed.
bool add_escape(std::string& out, std::string_view text, size_t& at) {
  static constexpr std::string_view letters = "abfnrtve\\", meanings = "\a\b\f\n\r\t\v\033\\";
  if (at + 1 == text.size()) {
    out += '\\';
    return true;
  }
  char c = text[++at];
  if (c == 'c') return false;
  if (size_t found = letters.find(c); found != letters.npos) {
    out += meanings[found];
  } else if (c >= '0' && c <= '7') {
    int value = 0;
    size_t end = std::min(at + (c == '0' ? 4 : 3), text.size());
    for (; at < end && text[at] >= '0' && text[at] <= '7'; ++at) value = value * 8 + (text[at] - '0');
    --at;
    out += static_cast<char>(value);
  } else {
    out += '\\';
    out += c;
  }
  return true;
}

int run_echo(Process& process) {
  bool newline = true, escapes = false;
  size_t first = 1;
  for (; first < process.args.size(); ++first) {
    const std::string& arg = process.args[first];
    if (arg.size() < 2 || arg[0] != '-' || arg.find_first_not_of("neE", 1) != std::string::npos) break;
    for (char c : arg.substr(1)) {
      if (c == 'n')
        newline = false;
      else
        escapes = c == 'e';
    }
  }
  std::string out;
  for (size_t i = first; i < process.args.size(); ++i) {
    if (i > first) out += ' ';
    const std::string& arg = process.args[i];
    if (!escapes) {
      out += arg;
      continue;
    }
    for (size_t at = 0; at < arg.size(); ++at) {
      if (arg[at] != '\\') {
        out += arg[at];
      } else if (!add_escape(out, arg, at)) {
        process.out.write(out);
        return 0;
      }
    }
  }
  process.out.write(out);
  if (newline) process.out.write("\n");
  return 0;
}

// One %-directive: flags, width, precision, letter.
struct Directive {
  bool left = false, zeros = false, plus = false;
  size_t width = 0;
  std::optional<size_t> precision;
  char letter = 's';
};

std::string padded(std::string text, const Directive& d, bool number) {
  size_t width = static_cast<size_t>(display_width(text));
  if (width >= d.width) return text;
  std::string fill(d.width - width, d.zeros && number && !d.left ? '0' : ' ');
  if (d.left) return text + fill;
  bool sign = fill[0] == '0' && !text.empty() && (text[0] == '-' || text[0] == '+');
  return sign ? text[0] + fill + text.substr(1) : fill + text;
}

// Answers 1 if an argument was not a number.
int add_directive(Process& process, std::string& out, const Directive& d, const std::string* arg) {
  const std::string given = arg == nullptr ? "" : *arg;
  if (d.letter == 's' || d.letter == 'b') {
    std::string text;
    for (size_t at = 0; at < given.size(); ++at) {
      if (d.letter == 'b' && given[at] == '\\')
        (void)add_escape(text, given, at);
      else
        text += given[at];
    }
    out += padded(d.precision ? text.substr(0, *d.precision) : text, d, false);
    return 0;
  }
  if (d.letter == 'c') {
    out += padded(given.substr(0, 1), d, false);
    return 0;
  }
  int status = 0;
  std::string_view digits = given;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double real = 0;
  if (arg != nullptr && !given.empty()) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
    if (error != std::errc() || end != digits.data() + digits.size())
      process.err.line(fmt::format("bash: printf: {}: invalid number", given)), status = 1;
  }
  if (!(real >= -1e15 && real <= 1e15)) real = 0;
  std::string text;
  auto whole = static_cast<int64_t>(real);
  switch (d.letter) {
    case 'x': text = fmt::format("{:x}", whole); break;
    case 'X': text = fmt::format("{:X}", whole); break;
    case 'o': text = fmt::format("{:o}", whole); break;
    case 'f': text = fmt::format("{:.{}f}", real, d.precision.value_or(6)); break;
    case 'e': text = fmt::format("{:.{}e}", real, d.precision.value_or(6)); break;
    case 'g': text = fmt::format("{:.{}g}", real, d.precision.value_or(6)); break;
    default: text = std::to_string(whole);
  }
  if (d.plus && real >= 0) text.insert(0, "+");
  out += padded(text, d, true);
  return status;
}

int run_printf(Process& process) {
  if (process.args.size() < 2) {
    process.err.line("bash: printf: usage: printf format [arguments]");
    return 2;
  }
  const std::string& format = process.args[1];
  size_t next = 2;
  int status = 0;
  do {  // the format is used again as long as there are arguments
    std::string out;
    size_t before = next;
    for (size_t at = 0; at < format.size(); ++at) {
      if (format[at] == '\\') {
        if (add_escape(out, format, at)) continue;
        process.out.write(out);
        return status;
      }
      if (format[at] != '%') {
        out += format[at];
        continue;
      }
      if (++at < format.size() && format[at] == '%') {
        out += '%';
        continue;
      }
      Directive d;
      for (; at < format.size() && std::string_view("-0+ #").find(format[at]) != std::string_view::npos; ++at) {
        d.left |= format[at] == '-', d.zeros |= format[at] == '0', d.plus |= format[at] == '+';
      }
      auto number = [&] {
        size_t value = 0;
        for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at)
          value = std::min<size_t>(value * 10 + static_cast<size_t>(format[at] - '0'), 500);
        return value;
      };
      d.width = number();
      if (at < format.size() && format[at] == '.') ++at, d.precision = std::min<size_t>(number(), 100);
      d.letter = at < format.size() ? format[at] : '\0';
      if (d.letter == '\0' || std::string_view("sbcdiuxXofeg").find(d.letter) == std::string_view::npos) {
        process.out.write(out);
        process.err.line(
            fmt::format("bash: printf: `{}': invalid format character", d.letter == '\0' ? '%' : d.letter));
        return 1;
      }
      const std::string* arg = next < process.args.size() ? &process.args[next] : nullptr;
      if (arg != nullptr) ++next;
      status |= add_directive(process, out, d, arg);
    }
    process.out.write(out);
    process.meter.pay(out.size() + format.size());
    if (next == before) break;
  } while (next < process.args.size() && !process.meter.spent());
  return status;
}

int run_basename(Process& process) {
  if (process.args.size() < 2) return process.misuse({"missing operand"});
  std::string name = name_of(absolute("/", process.args[1]));
  if (process.args.size() > 2 && name.ends_with(process.args[2]) && name != process.args[2])
    name.resize(name.size() - process.args[2].size());
  process.out.line(name);
  return 0;
}

int run_dirname(Process& process) {
  if (process.args.size() < 2) return process.misuse({"missing operand"});
  std::string path = process.args[1];
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  process.out.line(path.find('/') == std::string::npos ? "." : parent_of(path));
  return 0;
}

// --- Conditions ---

// The primaries of test(1); ! before, -a and -o between, from left to right as they bind.
class Test {
 public:
  Test(Process& process, std::span<const std::string> words) : process_(process), words_(words) {}

  // 0 true, 1 false, 2 wrong.
  int answer() {
    if (words_.empty()) return 1;
    bool truth = either();
    if (!wrong_ && at_ < words_.size()) complain("too many arguments");
    return wrong_ ? 2 : truth ? 0 : 1;
  }

 private:
  bool either() {
    bool truth = both();
    while (take("-o")) truth = both() || truth;
    return truth;
  }
  bool both() {
    bool truth = one();
    while (take("-a")) truth = one() && truth;
    return truth;
  }
  bool take(std::string_view word) {
    if (at_ >= words_.size() || words_[at_] != word) return false;
    ++at_;
    return true;
  }
  bool complain(std::string_view what) {
    if (!wrong_) process_.err.line(fmt::format("bash: {}: {}", process_.name(), what));
    wrong_ = true;
    return false;
  }

  bool one() {
    bool negated = false;
    while (words_.size() - at_ > 1 && take("!")) negated = !negated;
    if (at_ >= words_.size()) return complain("argument expected");
    size_t left = words_.size() - at_;
    if (left >= 3 && is_binary(words_[at_ + 1])) {
      at_ += 3;
      return compare(words_[at_ - 3], words_[at_ - 2], words_[at_ - 1]) != negated;
    }
    if (left >= 2 && words_[at_].size() == 2 && words_[at_][0] == '-') {
      at_ += 2;
      return check(words_[at_ - 2][1], words_[at_ - 1]) != negated;
    }
    return !words_[at_++].empty() != negated;
  }

  static bool is_binary(std::string_view word) {
    for (const char* known : {"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot"})
      if (word == known) return true;
    return false;
  }

  bool compare(const std::string& a, std::string_view how, const std::string& b) {
    if (how == "=" || how == "==") return a == b;
    if (how == "!=") return a != b;
    if (how == "-nt" || how == "-ot") {
      const auto& all = process_.machine.files.all();
      auto x = all.find(process_.path(a)), y = all.find(process_.path(b));
      if (how == "-ot") std::swap(x, y);
      return x != all.end() && (y == all.end() || x->second.modified > y->second.modified);
    }
    std::optional<int64_t> x = number(a), y = number(b);
    if (!x || !y) return complain(fmt::format("{}: integer expression expected", x ? b : a));
    if (how == "-eq") return *x == *y;
    if (how == "-ne") return *x != *y;
    if (how == "-lt") return *x < *y;
    if (how == "-le") return *x <= *y;
    return how == "-gt" ? *x > *y : *x >= *y;
  }
  static std::optional<int64_t> number(std::string_view text) {
    text = trimmed(text);
    bool negative = text.starts_with('-');
    std::optional<int64_t> value = whole_number(text.substr(negative ? 1 : 0));
    return value && negative ? -*value : value;
  }

  bool check(char what, const std::string& operand) {
    if (what == 'n') return !operand.empty();
    if (what == 'z') return operand.empty();
    const User& who = process_.session.who;
    Result<const Entry*> entry = process_.machine.files.look(process_.path(operand), who);
    switch (what) {
      case 'e':
      case 'f':
      case 'd':
      case 's':
      case 'r':
      case 'w':
      case 'x': break;
      case 'L':
      case 'h': return false;  // there are no links
      default: return complain(fmt::format("-{}: unary operator expected", what));
    }
    if (operand.empty() || !entry) return false;
    switch (what) {
      case 'f': return !(*entry)->directory;
      case 'd': return (*entry)->directory;
      case 's': return (*entry)->directory || !(*entry)->text->empty();
      case 'r': return allows(**entry, who, may_read);
      case 'w': return allows(**entry, who, may_write);
      case 'x': return allows(**entry, who, may_search);
      default: return true;
    }
  }

  Process& process_;
  std::span<const std::string> words_;
  size_t at_ = 0;
  bool wrong_ = false;
};

int run_test(Process& process) {
  std::span<const std::string> words = std::span(process.args).subspan(1);
  if (process.name() == "[") {
    if (words.empty() || words.back() != "]") {
      process.err.line("bash: [: missing `]'");
      return 2;
    }
    words = words.first(words.size() - 1);
  }
  return Test(process, words).answer();
}

int run_true(Process&) { return 0; }
int run_false(Process&) { return 1; }

}  // namespace

std::span<const CommandRow> word_commands() {
  static constexpr CommandRow rows[] = {
      {":", run_true, ": do nothing, successfully"},
      {"[", run_test, "[ EXPRESSION ]: test a condition; see test"},
      {"basename", run_basename, "basename PATH [SUFFIX]: print the last part of a path"},
      {"dirname", run_dirname, "dirname PATH: print a path without its last part"},
      {"echo", run_echo, "echo [-neE] [WORD...]: print words"},
      {"false", run_false, "false: do nothing, unsuccessfully"},
      {"printf", run_printf, "printf FORMAT [WORD...]: print words in a form"},
      {"test", run_test,
       "test EXPRESSION: -e -f -d -s -r -w -x FILE, -n -z WORD, = != -eq -ne -lt -le -gt -ge, ! -a -o"},
      {"true", run_true, "true: do nothing, successfully"},
  };
  return rows;
}

}  // namespace assay::shell
