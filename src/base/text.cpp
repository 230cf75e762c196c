#include "base/text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace assay {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

struct CodePoint {
  uint32_t value = 0;
  int bytes = 1;
  bool valid = false;
};

// The code point that starts at text[0]; invalid and one byte long where the bytes are not UTF-8.
CodePoint decode(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  int length = 0;
  if (first < 0x80)
    length = 1;
  else if (first >= 0xC2 && first < 0xE0)
    length = 2;
  else if (first >= 0xE0 && first < 0xF0)
    length = 3;
  else if (first >= 0xF0 && first < 0xF5)
    length = 4;
  if (length == 0 || text.size() < static_cast<size_t>(length)) return {};
  uint32_t value = length == 1 ? first : first & (0x7F >> length);
  for (int i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3F);
  }
  bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  bool surrogate = value >= 0xD800 && value < 0xE000;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length, true};
}

struct CodeRange {
  uint32_t first, last;
};

template <size_t n>
bool is_in(const CodeRange (&ranges)[n], uint32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges), [c](CodeRange r) { return c >= r.first && c <= r.last; });
}

// Coarse, whole blocks of Unicode at a time: enough for columns that line up, not a table of all scripts.
constexpr CodeRange combining[] = {{0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x1AB0, 0x1AFF},
                                   {0x1DC0, 0x1DFF}, {0x200B, 0x200D}, {0x2060, 0x2060}, {0x20D0, 0x20FF},
                                   {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
constexpr CodeRange wide[] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                              {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                              {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};

int columns_of(uint32_t c) {
  if (c < 0x300) return 1;  // most text
  return is_in(combining, c) ? 0 : is_in(wide, c) ? 2 : 1;
}

// What turns or hides the text around it, and the letters of U+E0000 that no terminal shows: hostile in a transcript.
constexpr CodeRange deceptive[] = {{0x61C, 0x61C},   {0x200E, 0x200F}, {0x2028, 0x2029},
                                   {0x202A, 0x202E}, {0x2066, 0x2069}, {0xE0000, 0xE007F}};

// The longest start of `text` that fills at most `columns`.
std::string_view fitting(std::string_view text, int columns) {
  size_t bytes = 0;
  int width = 0;
  while (bytes < text.size()) {
    CodePoint c = decode(text.substr(bytes));
    width += columns_of(c.value);
    if (width > columns) break;
    bytes += c.bytes;
  }
  return text.substr(0, bytes);
}

// One line of a text (without newlines) re-flowed, and appended to `lines`.
void wrap_line(std::string_view text, int columns, std::vector<std::string>& lines) {
  const size_t first_word = text.find_first_not_of(' ');
  if (first_word == std::string_view::npos) {
    lines.emplace_back();
    return;
  }
  const std::string indent(std::min(first_word, static_cast<size_t>(columns / 2)), ' ');
  text.remove_prefix(first_word);

  std::string line = indent;
  bool has_word = false;
  auto finish_line = [&] {
    lines.push_back(std::exchange(line, indent));
    has_word = false;
  };
  while (!text.empty()) {  // text is "word gap word gap ..."
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    // `line` ends in the gap before this word, unless the line is new.
    if (has_word && fitting(word, columns - display_width(line)).size() < word.size()) {
      line.erase(line.find_last_not_of(' ') + 1);
      finish_line();
    }
    // A word that is too long for a line of its own fills as many as it needs; there is room for at least four columns.
    for (std::string_view part; (part = fitting(word, columns - display_width(line))).size() < word.size();
         finish_line()) {
      line += part;
      word.remove_prefix(part.size());
    }
    line += word;
    has_word = true;
    std::string_view gap = text.substr(0, text.find_first_not_of(' '));
    text.remove_prefix(gap.size());
    if (!text.empty()) line += gap;
  }
  lines.push_back(line);
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    CodePoint c = decode(text);
    if (!c.valid) {
      out += "\xEF\xBF\xBD";
    } else if (c.value == '\n' || c.value == '\t') {
      out += static_cast<char>(c.value);
    } else if (c.value < 0x20) {  // the pictures of control characters, U+2400 on
      out += "\xE2\x90";
      out += static_cast<char>(0x80 + c.value);
    } else if (c.value == 0x7F) {
      out += "\xE2\x90\xA1";
    } else if ((c.value >= 0x80 && c.value < 0xA0) || is_in(deceptive, c.value)) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    CodePoint c = decode(text);
    if (c.valid)
      out += text.substr(0, c.bytes);
    else
      out += "\xEF\xBF\xBD";
    text.remove_prefix(c.bytes);
  }
  return out;
}

int display_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    CodePoint c = decode(text);
    width += columns_of(c.value);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string clipped(std::string_view text, int columns) {
  if (fitting(text, columns).size() == text.size()) return std::string(text);
  if (columns < 1) return "";
  return std::string(fitting(text, columns - 1)) + "\xE2\x80\xA6";
}

std::vector<std::string> wrapped(std::string_view text, int columns) {
  std::vector<std::string> lines;
  for (const std::string& line : split(text, '\n')) wrap_line(line, std::max(columns, 8), lines);
  return lines;
}

std::string folded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (is_space(c)) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += lower(c);
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string slug(std::string_view text) {
  std::string out;
  for (char c : text) {
    c = lower(c);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  if (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (true) {
    size_t end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  auto distance = [](std::string_view a, std::string_view b) {
    std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
      for (size_t j = 1; j <= b.size(); ++j) {
        size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
        bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
        if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
    return d[a.size()][b.size()];
  };
  if (word.empty() || word.size() > 64) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 64) continue;
    size_t d = distance(word, candidate);
    if (d < best_distance) best_distance = d, best = candidate;
  }
  return best;
}

bool matches_glob(std::string_view pattern, std::string_view text, bool exact) {
  auto same = [&](char a, char b) { return exact ? a == b : lower(a) == lower(b); };
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace assay
