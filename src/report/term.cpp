#include "report/term.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"

namespace assay {

std::string Pen::dressed(const char* sgr, std::string_view text) const {
  if (!colour_ || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", sgr, text);
}

std::string left(std::string_view text, int columns) {
  std::string out = clipped(text, columns);
  out.append(std::max(0, columns - display_width(out)), ' ');
  return out;
}

std::string right(std::string_view text, int columns) {
  std::string out = clipped(text, columns);
  return std::string(std::max(0, columns - display_width(out)), ' ') + out;
}

std::string bar(double fraction, int columns) {
  static const char* const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int filled = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * columns * 8));
  if (fraction > 0 && filled == 0) filled = 1;
  std::string out;
  for (int i = 0; i < filled / 8; ++i) out += "█";
  out += eighths[filled % 8];
  out.append(columns - (filled + 7) / 8, ' ');
  return out;
}

std::string counted(int64_t n) {
  std::string digits = std::to_string(n);
  for (int i = static_cast<int>(digits.size()) - 3; i > (n < 0 ? 1 : 0); i -= 3) digits.insert(i, ",");
  return digits;
}

std::string plural(int64_t n, std::string_view one, std::string_view many) {
  if (n == 1) return fmt::format("1 {}", one);
  return many.empty() ? fmt::format("{} {}s", counted(n), one) : fmt::format("{} {}", counted(n), many);
}

std::string percent(double proportion) {
  if (proportion == 0) return "0 %";
  if (proportion == 1) return "100 %";
  // Close to an end a third digit is worth its column: 0.04 % is not 0.
  double value = proportion * 100;
  return value < 0.095 || value > 99.905 ? fmt::format("{:.2f} %", value) : fmt::format("{:.1f} %", value);
}

std::string points(double difference) {
  double value = difference * 100;
  if (std::abs(value) < 0.05) return "0.0";
  return fmt::format("{}{:.1f}", value < 0 ? "−" : "+", std::abs(value));
}

std::string one_line(std::string_view text) {
  std::string out = for_terminal(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return out;
}

std::string paragraph(std::string_view text, const Style& style) {
  return joined(wrapped(one_line(text), style.columns()), "\n") + "\n";
}

std::string in_ascii(std::string_view text) {
  static constexpr std::pair<std::string_view, char> marks[] = {
      {"█", '#'}, {"▉", '#'},  {"▊", '#'},  {"▋", '#'}, {"▌", '#'}, {"▍", ':'}, {"▎", ':'}, {"▏", ':'},
      {"│", '|'}, {"┊", ':'},  {"─", '-'},  {"┄", '-'}, {"–", '-'}, {"−", '-'}, {"—", '-'}, {"…", '.'},
      {"·", '-'}, {"×", 'x'},  {"✓", '+'},  {"✗", 'x'}, {"→", '>'}, {"←", '<'}, {"◆", '*'}, {"“", '"'},
      {"”", '"'}, {"‘", '\''}, {"’", '\''}, {"±", '~'}, {"≤", '<'}};
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += text[i++];
      continue;
    }
    size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    std::string_view mark = text.substr(i, length);
    auto known = std::find_if(std::begin(marks), std::end(marks), [&](const auto& m) { return m.first == mark; });
    out += known == std::end(marks) ? '?' : known->second;
    i += mark.size();
  }
  return out;
}

}  // namespace assay
