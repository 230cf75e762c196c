// grep: the lines that match.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "world/shell_regex.h"

namespace assay::shell {
namespace {

constexpr size_t npos = std::string_view::npos;

struct Grep {
  std::vector<Regex> patterns;
  Options options;
  bool with_names = false;
  size_t before = 0, after = 0, most = npos;  // lines of context, and after how many matches to stop
  int matched = 0;
};

std::string escaped_literal(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (std::string_view("\\.[]^$*").find(c) != npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

Result<Grep> make_grep(Options options) {
  Grep grep;
  std::string patterns;
  if (options.has('e')) {
    patterns = options.lines('e');
  } else {
    if (options.operands.empty()) return Error{""};
    patterns = options.operands[0];
    options.operands.erase(options.operands.begin());
  }
  char syntax = options.last_of("EFGP");
  if (syntax == 'P') return Error{"Perl matching is not supported here; use -E"};
  for (const std::string& line : split(patterns, '\n')) {
    std::string pattern = syntax == 'F' ? escaped_literal(line) : line;
    Result<Regex> regex = Regex::compile(pattern, {.extended = syntax == 'E', .ignore_case = options.has('i')});
    if (!regex) return regex.error();
    grep.patterns.push_back(std::move(*regex));
  }
  auto number = [&](char flag, size_t& value) {
    if (!options.has(flag)) return true;
    std::optional<int64_t> given = whole_number(options.value(flag));
    if (given) value = static_cast<size_t>(*given);
    return given.has_value();
  };
  if (!number('C', grep.before) || !number('C', grep.after) || !number('B', grep.before) || !number('A', grep.after))
    return Error{"invalid context length argument"};
  if (!number('m', grep.most)) return Error{"invalid max count"};
  grep.options = std::move(options);
  return grep;
}

// The first match at or after `from`, as -w and -x want it.
bool find_match(const Grep& grep, std::string_view line, size_t from, std::pair<size_t, size_t>& where, Meter& meter) {
  auto is_word = [&](size_t i) {
    return i < line.size() && (std::isalnum(static_cast<unsigned char>(line[i])) || line[i] == '_');
  };
  bool found = false;
  for (const Regex& pattern : grep.patterns) {
    for (size_t at = from; at <= line.size();) {
      Regex::Match match;
      if (!pattern.search(line, at, match, meter)) break;
      auto [begin, end] = match[0];
      bool whole_words = (begin == 0 || !is_word(begin - 1)) && !is_word(end);
      bool whole_line = begin == 0 && end == line.size();
      if ((!grep.options.has('w') || whole_words) && (!grep.options.has('x') || whole_line)) {
        if (!found || begin < where.first || (begin == where.first && end > where.second)) where = {begin, end};
        found = true;
        break;
      }
      at = begin + 1;
    }
  }
  return found;
}

void grep_text(Process& process, Grep& grep, const std::string& name, std::string_view text) {
  const Options& options = grep.options;
  std::vector<std::string_view> lines = lines_of(text);
  size_t count = 0, shown_to = 0;  // lines before shown_to have been printed
  size_t context_to = 0;           // lines before it follow a match closely enough
  bool quiet = options.has('c') || options.has('l') || options.has('L') || options.has('q');
  auto print = [&](size_t i, char mark, std::string_view shown) {
    if (grep.with_names) process.out.write(name + mark);
    if (options.has('n')) process.out.write(fmt::format("{}{}", i + 1, mark));
    process.out.line(shown);
  };
  for (size_t i = 0; i < lines.size() && count < grep.most && !process.meter.spent(); ++i) {
    std::pair<size_t, size_t> where;
    bool matched = find_match(grep, lines[i], 0, where, process.meter) != options.has('v');
    if (matched) ++count;
    if (quiet) continue;
    if (matched && options.has('o')) {
      if (options.has('v')) continue;
      for (size_t at = 0; at <= lines[i].size() && find_match(grep, lines[i], at, where, process.meter);) {
        if (where.second > where.first) print(i, ':', lines[i].substr(where.first, where.second - where.first));
        at = std::max(where.second, where.first + 1);
      }
    } else if (matched) {
      size_t from = std::max(shown_to, i - std::min(i, grep.before));
      if ((grep.before > 0 || grep.after > 0) && from > shown_to && shown_to > 0) process.out.line("--");
      for (size_t k = from; k < i; ++k) print(k, '-', lines[k]);
      print(i, ':', lines[i]);
      shown_to = i + 1;
      context_to = i + 1 + grep.after;
    } else if (i < context_to) {
      print(i, '-', lines[i]);
      shown_to = i + 1;
    }
  }
  if (count > 0) ++grep.matched;
  if (options.has('q')) return;
  if (options.has('l') || options.has('L')) {
    if ((count > 0) == options.has('l')) process.out.line(name);
  } else if (options.has('c')) {
    process.out.line(grep.with_names ? fmt::format("{}:{}", name, count) : std::to_string(count));
  }
}

// One operand, or with -r all that is below it. Answers false after an error.
bool grep_path(Process& process, Grep& grep, const std::string& name, const std::string& shown) {
  if (process.meter.spent()) return false;
  const Files& files = process.machine.files;
  auto complain = [&](const Error& why) {
    if (!grep.options.has('s')) process.fail(fmt::format("{}: {}", shown, why.text), 2);
    return false;
  };
  Result<const Entry*> entry =
      name == "-" ? Result<const Entry*>(nullptr) : files.look(process.path(name), process.session.who);
  if (!entry) return complain(entry.error());
  if (*entry != nullptr && (*entry)->directory) {
    if (!grep.options.has('r') && !grep.options.has('R')) return complain({"Is a directory"});
    Result<std::vector<std::string>> names = files.list(process.path(name), process.session.who);
    if (!names) return complain(names.error());
    process.meter.pay(files.all().size());
    bool fine = true;
    for (const std::string& inner : *names) {
      Result<const Entry*> next = files.look(process.path(below(name, inner)), process.session.who);
      bool wanted =
          !grep.options.has('#') || (next && (*next)->directory) || matches_pattern(grep.options.value('#'), inner);
      if (wanted) fine &= grep_path(process, grep, below(name, inner), shown.empty() ? inner : below(shown, inner));
    }
    return fine;
  }
  Result<std::string> text = process.read(name);
  if (!text) return complain(text.error());
  grep_text(process, grep, name == "-" ? "(standard input)" : shown, *text);
  return true;
}

int run_grep(Process& process, bool extended) {
  static constexpr LongOption longs[] = {
      {"ignore-case", 'i'},   {"line-number", 'n'},   {"recursive", 'r'},          {"invert-match", 'v'},
      {"count", 'c'},         {"word-regexp", 'w'},   {"line-regexp", 'x'},        {"quiet", 'q'},
      {"silent", 'q'},        {"only-matching", 'o'}, {"no-filename", 'h'},        {"with-filename", 'H'},
      {"regexp", 'e'},        {"max-count", 'm'},     {"files-with-matches", 'l'}, {"extended-regexp", 'E'},
      {"fixed-strings", 'F'}, {"include", '#'},       {"after-context", 'A'},      {"before-context", 'B'},
      {"context", 'C'},       {"no-messages", 's'},   {"files-without-match", 'L'}};
  Result<Options> options = parse_options(process, "inrRvclLEFGPwxoqshHe:m:A:B:C:#:Ia", longs);
  if (!options) return process.misuse(options.error(), 2);
  if (extended) options->flags.insert(0, "E");
  Result<Grep> grep = make_grep(std::move(*options));
  if (!grep && grep.error().text.empty()) {
    process.err.write("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n");
    return 2;
  }
  if (!grep) return process.fail(grep.error().text, 2);

  bool recursive = grep->options.has('r') || grep->options.has('R');
  std::vector<std::string> operands = grep->options.operands;
  bool whole_directory = operands.empty() && recursive;
  if (operands.empty()) operands = {recursive ? "." : "-"};
  grep->with_names = (operands.size() > 1 || recursive || grep->options.has('H')) && !grep->options.has('h');
  bool fine = true;
  for (const std::string& operand : operands)
    fine &= grep_path(process, *grep, operand, whole_directory ? "" : operand);
  if (grep->options.has('q') && grep->matched > 0) return 0;
  return !fine ? 2 : grep->matched > 0 ? 0 : 1;
}

int run_grep(Process& process) { return run_grep(process, false); }
int run_egrep(Process& process) { return run_grep(process, true); }

}  // namespace

std::span<const CommandRow> grep_commands() {
  static constexpr CommandRow rows[] = {
      {"egrep", run_egrep, "egrep [OPTIONS] PATTERN [FILE...]: grep -E"},
      {"grep", run_grep,
       "grep [-inrvclLoqwxEFhH] [-A N] [-B N] [-C N] [-m N] PATTERN [FILE...]: print lines that match"},
  };
  return rows;
}

}  // namespace assay::shell
