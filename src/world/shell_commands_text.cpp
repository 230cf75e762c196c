// cat cut head sort tail tee tr uniq wc: text in, text out.
#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "base/text.h"
#include "world/shell_command.h"

namespace assay::shell {
namespace {

// --- Files one after the other ---

// Gives `visit` each operand's name and text (the input without operands). Answers 1 if one could not be read.
template <class Visit>
int for_each_file(Process& process, std::vector<std::string> operands, Visit visit, const char* complaint = "") {
  int status = 0;
  if (operands.empty()) operands = {"-"};
  for (const std::string& operand : operands) {
    Result<std::string> text = process.read(operand);
    if (!text)
      status = process.fail(fmt::format("{}{}: {}", complaint, operand, text.error().text));
    else
      visit(operand, *text);
  }
  return status;
}

int run_cat(Process& process) {
  static constexpr LongOption longs[] = {{"number", 'n'}, {"show-all", 'A'}};
  Result<Options> options = parse_options(process, "nbA", longs);
  if (!options) return process.misuse(options.error());
  int number = 0;
  return for_each_file(process, options->operands, [&](const std::string&, const std::string& text) {
    if (options->flags.empty()) return process.out.write(text);
    bool open = !text.ends_with('\n');  // the last line stays without a newline
    std::vector<std::string_view> lines = lines_of(text);
    for (size_t i = 0; i < lines.size(); ++i) {
      bool numbered = options->has('b') ? !lines[i].empty() : options->has('n');
      if (numbered) process.out.write(fmt::format("{:6}\t", ++number));
      process.out.write(lines[i]);
      if (open && i + 1 == lines.size()) break;
      process.out.write(options->has('A') ? "$\n" : "\n");
    }
  });
}

// The bytes of the first `count` lines.
size_t size_of_lines(std::string_view text, size_t count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  return at;
}

// head and tail differ in the end that they keep.
int run_end(Process& process, bool head) {
  // The old form -5 is -n 5.
  std::vector<std::string> args = process.args;
  if (args.size() > 1 && args[1].size() > 1 && args[1][0] == '-' && whole_number(args[1].substr(1)))
    args[1] = "-n" + args[1].substr(1);
  static constexpr LongOption longs[] = {{"lines", 'n'}, {"bytes", 'c'}, {"quiet", 'q'}, {"verbose", 'v'}};
  Process same{process.machine, process.session, args,          process.in,
               process.out,     process.err,     process.meter, process.run};
  Result<Options> options = parse_options(same, "n:c:qv", longs);
  if (!options) return process.misuse(options.error());
  bool bytes = options->last_of("nc") == 'c';
  std::string given = options->value(bytes ? 'c' : 'n', "10");
  char sign = given.empty() ? '\0' : given[0];
  std::optional<int64_t> number = whole_number(sign == '-' || sign == '+' ? given.substr(1) : given);
  if (!number || (sign == '+' && head))
    return process.fail(fmt::format("invalid number of {}: '{}'", bytes ? "bytes" : "lines", given));

  bool several = options->operands.size() > 1, first = true;
  return for_each_file(process, options->operands, [&](const std::string& name, const std::string& text) {
    if ((several && !options->has('q')) || options->has('v'))
      process.out.write(fmt::format("{}==> {} <==\n", first ? "" : "\n", name == "-" ? "standard input" : name));
    first = false;
    size_t all = bytes ? text.size() : lines_of(text).size();
    size_t count = std::min(static_cast<size_t>(*number), all);
    if (head && sign == '-') count = all - count;  // all but the last
    // How much stands before what tail shows: `+3` begins with the third.
    if (!head)
      count = sign == '+' ? std::min(static_cast<size_t>(std::max<int64_t>(*number, 1) - 1), all) : all - count;
    size_t cut = bytes ? count : size_of_lines(text, count);
    process.out.write(head ? std::string_view(text).substr(0, cut) : std::string_view(text).substr(cut));
  });
}

int run_head(Process& process) { return run_end(process, true); }
int run_tail(Process& process) { return run_end(process, false); }

int run_tee(Process& process) {
  static constexpr LongOption longs[] = {{"append", 'a'}};
  Result<Options> options = parse_options(process, "a", longs);
  if (!options) return process.misuse(options.error());
  process.out.write(process.in);
  int status = 0;
  for (const std::string& file : options->operands) {
    std::string path = process.path(file);
    process.meter.pay(process.in.size());
    Status written = options->has('a')
                         ? process.machine.files.append(path, process.in, process.session.who)
                         : process.machine.files.write(path, std::string(process.in), process.session.who);
    if (!written) status = process.fail(fmt::format("{}: {}", file, written.error().text));
  }
  return status;
}

// --- Counting ---

struct Counts {
  size_t lines = 0, words = 0, letters = 0, bytes = 0;
};

Counts counts_of(std::string_view text) {
  Counts counts{.bytes = text.size()};
  bool in_word = false;
  for (char c : text) {
    counts.lines += c == '\n';
    counts.letters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    counts.words += !blank && !in_word;
    in_word = !blank;
  }
  return counts;
}

int run_wc(Process& process) {
  static constexpr LongOption longs[] = {{"lines", 'l'}, {"words", 'w'}, {"chars", 'm'}, {"bytes", 'c'}};
  Result<Options> options = parse_options(process, "lwmc", longs);
  if (!options) return process.misuse(options.error());
  const std::string flags = options->flags.empty() ? "lwc" : options->flags;
  auto shown = [&](const Counts& counts) {
    std::vector<size_t> numbers;
    for (auto [flag, number] :
         {std::pair{'l', counts.lines}, {'w', counts.words}, {'m', counts.letters}, {'c', counts.bytes}})
      if (flags.find(flag) != std::string::npos) numbers.push_back(number);
    return numbers;
  };

  std::vector<std::pair<std::string, Counts>> rows;
  Counts total;
  int status = for_each_file(process, options->operands, [&](const std::string& name, const std::string& text) {
    Counts counts = counts_of(text);
    rows.emplace_back(options->operands.empty() ? "" : name, counts);
    total.lines += counts.lines, total.words += counts.words;
    total.letters += counts.letters, total.bytes += counts.bytes;
  });
  if (options->operands.size() > 1) rows.emplace_back("total", total);
  // As wide as the total number of bytes; 7 where the size of the input is not known before; a lone number as it is.
  size_t width = options->operands.empty() ? 7 : std::to_string(total.bytes).size();
  if (options->operands.size() <= 1 && shown(total).size() == 1) width = 1;
  for (const auto& [name, counts] : rows) {
    std::string line;
    for (size_t number : shown(counts)) line += fmt::format("{}{:>{}}", line.empty() ? "" : " ", number, width);
    process.out.line(name.empty() ? line : line + " " + name);
  }
  return status;
}

// --- Lines in order ---

// The number at the beginning of a line, as sort -n reads it: blanks, a minus, digits, a point.
double leading_number(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  bool negative = line.starts_with('-');
  if (negative) line.remove_prefix(1);
  double number = 0, unit = 1;
  bool fraction = false;
  for (char c : line) {
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      number = fraction ? number : number * 10;
      if (fraction) unit /= 10;
      number += (c - '0') * (fraction ? unit : 1);
    } else {
      break;
    }
  }
  return negative ? -number : number;
}

// A field as -k counts them: from `first` to the end of `last` (0: of the line), separated by `separator` or, with
// '\0', by the change from blank to letter.
std::string_view key_of(std::string_view line, char separator, size_t first, size_t last) {
  auto field_end = [&](size_t at) {
    if (separator != '\0') return std::min(line.find(separator, at), line.size());
    at = std::min(line.find_first_not_of(" \t", at), line.size());
    return std::min(line.find_first_of(" \t", at), line.size());
  };
  size_t skip = separator == '\0' ? 0 : 1, begin = 0;
  for (size_t i = 1; i < first && begin < line.size(); ++i) begin = std::min(field_end(begin) + skip, line.size());
  size_t end = begin;
  for (size_t i = first; i <= last && end < line.size(); ++i) end = field_end(i == first ? begin : end + skip);
  return line.substr(begin, last == 0 ? line.npos : end - begin);
}

struct SortKey {
  size_t first = 1, last = 0;
  bool numeric = false, reverse = false, fold = false;
};

std::optional<SortKey> parse_key(const std::string& text) {
  SortKey key;
  std::string numbers = text;
  while (!numbers.empty() && std::string_view("nrfb").find(numbers.back()) != std::string_view::npos) {
    key.numeric |= numbers.back() == 'n', key.reverse |= numbers.back() == 'r', key.fold |= numbers.back() == 'f';
    numbers.pop_back();
  }
  std::vector<std::string> ends = split(numbers, ',');
  std::optional<int64_t> first = whole_number(ends[0]), last = ends.size() > 1 ? whole_number(ends[1]) : 0;
  if (ends.size() > 2 || !first || *first == 0 || !last) return std::nullopt;
  key.first = static_cast<size_t>(*first), key.last = static_cast<size_t>(*last);
  return key;
}

// Below zero, zero, above: how `a` stands to `b` by one key.
int compare_keys(const SortKey& key, char separator, std::string_view a, std::string_view b) {
  a = key_of(a, separator, key.first, key.last), b = key_of(b, separator, key.first, key.last);
  auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  int order = 0;
  if (key.numeric) {
    double x = leading_number(a), y = leading_number(b);
    order = x < y ? -1 : x > y ? 1 : 0;
  } else if (key.fold) {
    std::string x(a), y(b);
    std::transform(x.begin(), x.end(), x.begin(), upper);
    std::transform(y.begin(), y.end(), y.begin(), upper);
    order = x.compare(y);
  } else {
    order = a.compare(b);
  }
  return key.reverse ? -order : order;
}

int run_sort(Process& process) {
  static constexpr LongOption longs[] = {{"numeric-sort", 'n'},   {"reverse", 'r'}, {"unique", 'u'},
                                         {"ignore-case", 'f'},    {"key", 'k'},     {"output", 'o'},
                                         {"field-separator", 't'}};
  Result<Options> options = parse_options(process, "nrufbk:t:o:", longs);
  if (!options) return process.misuse(options.error(), 2);
  std::string separator = options->value('t', std::string(1, '\0'));
  if (separator.size() != 1) return process.fail(fmt::format("multi-character tab '{}'", separator), 2);
  std::vector<SortKey> keys;
  for (const std::string& given : split(options->lines('k'), '\n')) {
    std::optional<SortKey> key = options->has('k') ? parse_key(given) : SortKey{};
    if (!key)
      return process.fail(fmt::format("invalid number at field start: invalid count at start of '{}'", given), 2);
    if (!key->numeric && !key->reverse && !key->fold)
      key->numeric = options->has('n'), key->reverse = options->has('r'), key->fold = options->has('f');
    keys.push_back(*key);
  }

  std::string text;
  int status = for_each_file(
      process, options->operands,
      [&](const std::string&, const std::string& part) {
        text += part;
        if (!text.empty() && text.back() != '\n') text += '\n';
      },
      "cannot read: ");
  if (status != 0) return 2;
  std::vector<std::string_view> lines = lines_of(text);
  process.meter.pay(text.size() * 4 + lines.size() * 40);  // about log2 of the lines
  if (process.meter.spent()) return killed;
  auto by_keys = [&](std::string_view a, std::string_view b) {
    for (const SortKey& key : keys)
      if (int order = compare_keys(key, separator[0], a, b); order != 0) return order;
    return 0;
  };
  bool unique = options->has('u');
  std::stable_sort(lines.begin(), lines.end(), [&](std::string_view a, std::string_view b) {
    int order = by_keys(a, b);
    if (order == 0 && !unique) order = options->has('r') ? b.compare(a) : a.compare(b);  // the last resort
    return order < 0;
  });
  if (unique)
    lines.erase(std::unique(lines.begin(), lines.end(), [&](auto a, auto b) { return by_keys(a, b) == 0; }),
                lines.end());
  Output to_file;
  for (std::string_view line : lines) (options->has('o') ? to_file : process.out).line(line);
  if (!options->has('o')) return 0;
  std::string name = options->value('o');
  Status written = process.machine.files.write(process.path(name), to_file.text(), process.session.who);
  return written ? 0 : process.fail(fmt::format("open failed: {}: {}", name, written.error().text), 2);
}

int run_uniq(Process& process) {
  static constexpr LongOption longs[] = {{"count", 'c'}, {"repeated", 'd'}, {"unique", 'u'}, {"ignore-case", 'i'}};
  Result<Options> options = parse_options(process, "cdui", longs);
  if (!options) return process.misuse(options.error());
  if (options->operands.size() > 1) return process.misuse({fmt::format("extra operand '{}'", options->operands[1])});
  return for_each_file(process, options->operands, [&](const std::string&, const std::string& text) {
    std::vector<std::string_view> lines = lines_of(text);
    auto same = [&](std::string_view a, std::string_view b) {
      auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
      return options->has('i') ? std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                            [&](char x, char y) { return lower(x) == lower(y); })
                               : a == b;
    };
    for (size_t i = 0, end; i < lines.size(); i = end) {
      for (end = i + 1; end < lines.size() && same(lines[end], lines[i]);) ++end;
      if ((options->has('d') && end - i == 1) || (options->has('u') && end - i > 1)) continue;
      if (options->has('c')) process.out.write(fmt::format("{:7} ", end - i));
      process.out.line(lines[i]);
    }
  });
}

// --- Parts of lines ---

struct Range {
  size_t first, last;  // from 1, both included
};

// "1,3-5,7-": nothing if it is no such list.
std::optional<std::vector<Range>> parse_ranges(const std::string& list) {
  constexpr size_t end = 1 << 30;
  std::vector<Range> ranges;
  for (const std::string& part : split(list, ',')) {
    size_t dash = part.find('-');
    std::string low = part.substr(0, dash), high = dash == std::string::npos ? low : part.substr(dash + 1);
    if (low.empty() && high.empty()) return std::nullopt;
    std::optional<int64_t> first = low.empty() ? 1 : whole_number(low);
    std::optional<int64_t> last = high.empty() ? static_cast<int64_t>(end) : whole_number(high);
    if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
    ranges.push_back({static_cast<size_t>(*first), static_cast<size_t>(*last)});
  }
  return ranges;
}

int run_cut(Process& process) {
  static constexpr LongOption longs[] = {
      {"delimiter", 'd'}, {"fields", 'f'}, {"characters", 'c'}, {"bytes", 'b'}, {"only-delimited", 's'}};
  Result<Options> options = parse_options(process, "d:f:c:b:s", longs);
  if (!options) return process.misuse(options.error());
  char kind = options->last_of("fcb");
  if (kind == '\0') return process.misuse({"you must specify a list of bytes, characters, or fields"});
  std::string delimiter = options->value('d', "\t");
  if (delimiter.size() != 1) return process.misuse({"the delimiter must be a single character"});
  auto ranges = parse_ranges(options->value(kind));
  if (!ranges)
    return process.misuse(
        {fmt::format("invalid {} value '{}'", kind == 'f' ? "field" : "byte or character", options->value(kind))});
  auto chosen = [&](size_t place) {
    return std::any_of(ranges->begin(), ranges->end(), [&](Range r) { return r.first <= place && place <= r.last; });
  };
  return for_each_file(process, options->operands, [&](const std::string&, const std::string& text) {
    process.meter.pay(text.size() * ranges->size());
    if (process.meter.spent()) return;
    for (std::string_view line : lines_of(text)) {
      std::string kept;
      if (kind != 'f') {
        for (size_t i = 0; i < line.size(); ++i)
          if (chosen(i + 1)) kept += line[i];
      } else if (line.find(delimiter[0]) == std::string_view::npos) {
        if (options->has('s')) continue;
        kept = line;
      } else {
        std::vector<std::string> fields = split(line, delimiter[0]), some;
        for (size_t i = 0; i < fields.size(); ++i)
          if (chosen(i + 1)) some.push_back(fields[i]);
        kept = joined(some, delimiter);
      }
      process.out.line(kept);
    }
  });
}

// The letters that a set of tr names: ranges, classes and escapes.
std::string tr_letters(std::string_view set) {
  std::string letters;
  static const std::pair<std::string_view, std::string_view> classes[] = {
      {"[:upper:]", "A-Z"},       {"[:lower:]", "a-z"},    {"[:digit:]", "0-9"}, {"[:alpha:]", "A-Za-z"},
      {"[:alnum:]", "0-9A-Za-z"}, {"[:space:]", "\t-\r "}, {"[:blank:]", "\t "}, {"[:punct:]", "!-/:-@[-`{-~"}};
  for (size_t i = 0; i < set.size(); ++i) {
    bool named = false;
    for (const auto& [name, meaning] : classes)
      if (set.substr(i).starts_with(name)) {
        letters += tr_letters(meaning), i += name.size() - 1, named = true;
        break;
      }
    if (named) continue;
    char c = set[i];
    if (c == '\\' && i + 1 < set.size()) {
      c = set[++i];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    if (i + 2 < set.size() && set[i + 1] == '-') {
      for (int k = static_cast<unsigned char>(c); k <= static_cast<unsigned char>(set[i + 2]); ++k)
        letters += static_cast<char>(k);
      i += 2;
    } else {
      letters += c;
    }
  }
  return letters;
}

int run_tr(Process& process) {
  static constexpr LongOption longs[] = {{"delete", 'd'}, {"squeeze-repeats", 's'}, {"complement", 'c'}};
  Result<Options> options = parse_options(process, "+dsc", longs);
  if (!options) return process.misuse(options.error());
  bool removes = options->has('d'), squeezes = options->has('s');
  size_t wanted = removes || squeezes ? 1 : 2;
  if (options->operands.empty()) return process.misuse({"missing operand"});
  if (options->operands.size() < wanted)
    return process.misuse({fmt::format("missing operand after '{}'", options->operands[0])});
  if (options->operands.size() > 2) return process.misuse({fmt::format("extra operand '{}'", options->operands[2])});
  std::string from = tr_letters(options->operands[0]);
  std::string to = options->operands.size() > 1 ? tr_letters(options->operands[1]) : "";
  std::bitset<256> listed;
  for (char c : from) listed.set(static_cast<unsigned char>(c));
  if (options->has('c')) listed.flip();
  std::bitset<256> squeezed = listed;
  if (!to.empty()) {
    squeezed.reset();
    for (char c : to) squeezed.set(static_cast<unsigned char>(c));
  }
  if (!removes && options->operands.size() == 2 && to.empty())
    return process.fail("when not truncating set1, string2 must be non-empty");
  std::string out;
  for (char c : process.in) {
    bool in_set = listed.test(static_cast<unsigned char>(c));
    if (in_set && removes) continue;
    if (in_set && !to.empty()) c = options->has('c') ? to.back() : to[std::min(from.rfind(c), to.size() - 1)];
    if (squeezes && !out.empty() && out.back() == c && squeezed.test(static_cast<unsigned char>(c))) continue;
    out += c;
  }
  process.out.write(out);
  return 0;
}

}  // namespace

std::span<const CommandRow> text_commands() {
  static constexpr CommandRow rows[] = {
      {"cat", run_cat, "cat [-nbA] [FILE...]: print files one after the other"},
      {"cut", run_cut, "cut -d CHAR -f LIST | -c LIST [FILE...]: print parts of each line"},
      {"head", run_head, "head [-n LINES | -c BYTES] [FILE...]: print the beginning of files"},
      {"less", run_cat, "less [FILE...]: print files (there is no pager here)"},
      {"more", run_cat, "more [FILE...]: print files (there is no pager here)"},
      {"sort", run_sort, "sort [-nruf] [-t CHAR] [-k FIRST[,LAST]] [-o FILE] [FILE...]: print lines in order"},
      {"tail", run_tail, "tail [-n LINES | -n +FIRST | -c BYTES] [FILE...]: print the end of files"},
      {"tee", run_tee, "tee [-a] FILE...: write the input to files, and on"},
      {"tr", run_tr, "tr [-cds] SET1 [SET2]: exchange, delete or squeeze letters of the input"},
      {"uniq", run_uniq, "uniq [-cdui] [FILE]: leave out repeated neighbouring lines"},
      {"wc", run_wc, "wc [-lwmc] [FILE...]: count lines, words, letters, bytes"},
  };
  return rows;
}

}  // namespace assay::shell
