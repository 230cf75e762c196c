// diff: what was added, changed and deleted between two files, in the normal and the unified format.
//
// The longest common subsequence of lines by the textbook table (O(lines × lines), after what is equal at both ends is
// set aside), which files of this world are small enough for; a table beyond `most_cells` is refused.
#include <fmt/format.h>

#include <algorithm>

#include "world/shell_command.h"

namespace assay::shell {
namespace {

constexpr size_t most_cells = 4 << 20;

// Lines [old_begin, old_end) became [new_begin, new_end); one of the two may be empty.
struct Change {
  size_t old_begin, old_end, new_begin, new_end;
};

using Lines = std::vector<std::string_view>;

// Nothing if the files are too large and too different.
std::optional<std::vector<Change>> changes_between(const Lines& a, const Lines& b, Meter& meter) {
  size_t head = 0, tail = 0;
  while (head < std::min(a.size(), b.size()) && a[head] == b[head]) ++head;
  while (tail < std::min(a.size(), b.size()) - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  size_t rows = a.size() - head - tail, columns = b.size() - head - tail;
  if ((rows + 1) * (columns + 1) > most_cells) return std::nullopt;
  meter.pay((rows + 1) * (columns + 1));
  if (meter.spent()) return std::nullopt;
  // common[i][j]: the length of the longest common subsequence of what is left from i and j on.
  std::vector<uint32_t> common((rows + 1) * (columns + 1), 0);
  auto cell = [&](size_t i, size_t j) -> uint32_t& { return common[i * (columns + 1) + j]; };
  for (size_t i = rows; i-- > 0;)
    for (size_t j = columns; j-- > 0;)
      cell(i, j) = a[head + i] == b[head + j] ? cell(i + 1, j + 1) + 1 : std::max(cell(i + 1, j), cell(i, j + 1));

  std::vector<Change> changes;
  size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[head + i] == b[head + j]) {
      ++i, ++j;
      continue;
    }
    Change change{head + i, 0, head + j, 0};
    while ((i < rows || j < columns) && !(i < rows && j < columns && a[head + i] == b[head + j])) {
      if (j == columns || (i < rows && cell(i + 1, j) >= cell(i, j + 1)))
        ++i;
      else
        ++j;
    }
    change.old_end = head + i, change.new_end = head + j;
    changes.push_back(change);
  }
  return changes;
}

// "3" or "3,5", counted from 1; an empty range is the line before it.
std::string range(size_t begin, size_t end) {
  if (end <= begin + 1) return std::to_string(end == begin ? begin : begin + 1);
  return fmt::format("{},{}", begin + 1, end);
}

// "3" or "3,2": the first line and how many; an empty range names the line before it.
std::string unified_range(size_t begin, size_t end) {
  size_t count = end - begin;
  return count == 1 ? std::to_string(begin + 1) : fmt::format("{},{}", count == 0 ? begin : begin + 1, count);
}

struct Side {
  std::string name;
  std::string text;
  int64_t modified = 0;
  Lines lines;
  bool open = false;  // the last line has no newline

  void print(Output& out, std::string_view mark, size_t i) const {
    out.line(std::string(mark) + std::string(lines[i]));
    if (open && i + 1 == lines.size()) out.line("\\ No newline at end of file");
  }
};

void print_normal(Output& out, const Side& a, const Side& b, const std::vector<Change>& changes) {
  for (const Change& c : changes) {
    bool deletes = c.old_end > c.old_begin, adds = c.new_end > c.new_begin;
    out.line(range(c.old_begin, c.old_end) +
             (deletes && adds ? "c"
              : deletes       ? "d"
                              : "a") +
             range(c.new_begin, c.new_end));
    for (size_t i = c.old_begin; i < c.old_end; ++i) a.print(out, "< ", i);
    if (deletes && adds) out.line("---");
    for (size_t i = c.new_begin; i < c.new_end; ++i) b.print(out, "> ", i);
  }
}

void print_unified(Output& out, const Side& a, const Side& b, const std::vector<Change>& changes) {
  constexpr size_t context = 3;
  for (const auto& [mark, side] : {std::pair{"---", &a}, {"+++", &b}})
    out.line(fmt::format("{} {}\t{}", mark, side->name, format_time(side->modified, "%Y-%m-%d %H:%M:%S.%N %z")));
  for (size_t first = 0, last; first < changes.size(); first = last + 1) {
    for (last = first; last + 1 < changes.size() && changes[last + 1].old_begin - changes[last].old_end <= 2 * context;)
      ++last;
    size_t before = std::min(changes[first].old_begin, context);
    size_t after = std::min(a.lines.size() - changes[last].old_end, context);
    out.line(fmt::format("@@ -{} +{} @@",
                         unified_range(changes[first].old_begin - before, changes[last].old_end + after),
                         unified_range(changes[first].new_begin - before, changes[last].new_end + after)));
    size_t at = changes[first].old_begin - before;
    for (size_t c = first; c <= last; ++c) {
      for (; at < changes[c].old_begin; ++at) a.print(out, " ", at);
      for (; at < changes[c].old_end; ++at) a.print(out, "-", at);
      for (size_t i = changes[c].new_begin; i < changes[c].new_end; ++i) b.print(out, "+", i);
    }
    for (size_t end = at + after; at < end; ++at) a.print(out, " ", at);
  }
}

int run_diff(Process& process) {
  static constexpr LongOption longs[] = {{"unified", 'u'}, {"brief", 'q'}};
  Result<Options> options = parse_options(process, "uq", longs);
  if (!options) return process.misuse(options.error(), 2);
  if (options->operands.size() != 2)
    return process.misuse(
        {options->operands.empty()       ? "missing operand"
         : options->operands.size() == 1 ? fmt::format("missing operand after '{}'", options->operands[0])
                                         : fmt::format("extra operand '{}'", options->operands[2])},
        2);
  Side sides[2];
  bool failed = false;
  for (int i : {0, 1}) {
    Side& side = sides[i];
    side.name = options->operands[static_cast<size_t>(i)];
    Result<std::string> text = process.read(side.name);
    if (!text) {
      bool directory = text.error().text == "Is a directory";
      process.fail(
          fmt::format("{}: {}", side.name, directory ? "directories cannot be compared here" : text.error().text));
      failed = true;
      continue;
    }
    side.text = std::move(*text);
    side.lines = lines_of(side.text);
    side.open = !side.text.empty() && !side.text.ends_with('\n');
    auto entry = process.machine.files.all().find(process.path(side.name));
    side.modified = entry == process.machine.files.all().end() ? process.machine.clock : entry->second.modified;
  }
  if (failed) return 2;
  if (sides[0].text == sides[1].text) return 0;
  if (options->has('q')) {
    process.out.line(fmt::format("Files {} and {} differ", sides[0].name, sides[1].name));
    return 1;
  }
  // A last line with its newline and one without it differ, so the open one is marked for the comparison.
  Lines compared[] = {sides[0].lines, sides[1].lines};
  std::string marked[2];
  for (int i : {0, 1})
    if (sides[i].open && !sides[1 - i].open) compared[i].back() = marked[i] = std::string(compared[i].back()) + "\n";
  std::optional<std::vector<Change>> changes = changes_between(compared[0], compared[1], process.meter);
  if (!changes) return process.fail("the files are too large and too different to be compared here", 2);
  (options->has('u') ? print_unified : print_normal)(process.out, sides[0], sides[1], *changes);
  return 1;
}

}  // namespace

std::span<const CommandRow> diff_commands() {
  static constexpr CommandRow rows[] = {{"diff", run_diff, "diff [-uq] FILE1 FILE2: print how two files differ"}};
  return rows;
}

}  // namespace assay::shell
