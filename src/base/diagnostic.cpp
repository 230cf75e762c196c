#include "base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t longest_line = 160;

std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view found = text.substr(0, text.find('\n'));
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

bool is_inside_code_point(std::string_view line, size_t i) { return i < line.size() && (line[i] & 0xC0) == 0x80; }

// The bytes of a line that are shown, [first, second): long lines are cut around the mistake, so that the caret stays
// in view, and not inside a code point.
std::pair<size_t, size_t> window(std::string_view line, size_t column) {
  if (line.size() <= longest_line) return {0, line.size()};
  size_t start = column > longest_line / 2 ? column - longest_line / 2 : 0;
  size_t end = std::min(line.size(), start + longest_line);
  while (start < column && is_inside_code_point(line, start)) ++start;
  while (end > column && is_inside_code_point(line, end)) --end;
  return {start, end};
}

// A tab takes one column here, so that the caret stands under its place.
std::string one_line(std::string_view text) {
  std::string shown = for_terminal(text);
  std::replace(shown.begin(), shown.end(), '\t', ' ');
  return shown;
}

}  // namespace

void Diagnostics::add(Place place, std::string message, std::string_view text) {
  for (const Diagnostic& d : list_)
    if (d.place == place && d.message == message) return;  // one mistake seen twice (an alias, a twin) is one mistake
  std::string line = place.line > 0 ? std::string(line_of(text, place.line)) : "";
  list_.push_back({std::move(place), std::move(message), std::move(line)});
}

std::string Diagnostics::format(size_t most) const {
  std::vector<Diagnostic> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.place < b.place; });
  std::string out;
  for (size_t i = 0; i < sorted.size() && i < most; ++i) {
    const Diagnostic& d = sorted[i];
    std::string where = for_terminal(d.place.file);
    if (d.place.line > 0) where += fmt::format(":{}:{}", d.place.line, d.place.column);
    out += fmt::format("{}: error: {}\n", where, for_terminal(d.message));
    if (d.place.line == 0 || d.line.empty()) continue;
    const size_t column = std::min(static_cast<size_t>(std::max(1, d.place.column)) - 1, d.line.size());
    const auto [start, end] = window(d.line, column);
    std::string shown = one_line(std::string_view(d.line).substr(start, end - start));
    int caret = display_width(one_line(std::string_view(d.line).substr(start, column - start)));
    out += fmt::format("{:>5} | {}\n      | {}^\n", d.place.line, shown, std::string(static_cast<size_t>(caret), ' '));
  }
  if (sorted.size() > most) out += fmt::format("... and {} more\n", sorted.size() - most);
  return out;
}

}  // namespace assay
