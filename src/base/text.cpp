#include "base/text.h"

#include <algorithm>
#include <cstdint>
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
  int length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
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

int columns_of(uint32_t c) {
  if ((c >= 0x300 && c < 0x370) || c == 0x200B || c == 0x200D || (c >= 0xFE00 && c < 0xFE10)) return 0;
  bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) || (c >= 0xAC00 && c < 0xD7A4) ||
              (c >= 0xF900 && c < 0xFB00) || (c >= 0xFE30 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF61) ||
              (c >= 0x1F300 && c < 0x1FAF0) || (c >= 0x20000 && c < 0x3FFFE);
  return wide ? 2 : 1;
}

// Marks that change the direction or the order of what follows: hostile in a transcript.
bool is_bidi_control(uint32_t c) { return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F; }

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
    } else if ((c.value >= 0x80 && c.value < 0xA0) || is_bidi_control(c.value)) {
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
    if (c.valid) out += text.substr(0, c.bytes);
    else out += "\xEF\xBF\xBD";
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
  if (display_width(text) <= columns) return std::string(text);
  std::string out;
  int width = 0;
  while (!text.empty()) {
    CodePoint c = decode(text);
    if (width + columns_of(c.value) > columns - 1) break;
    width += columns_of(c.value);
    out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out + "\xE2\x80\xA6";
}

std::vector<std::string> wrapped(std::string_view text, int columns) {
  columns = std::max(columns, 8);
  std::vector<std::string> lines;
  for (const std::string& paragraph : split(text, '\n')) {
    std::string line;
    int width = 0;
    for (const std::string& word : split(paragraph, ' ')) {
      std::string_view rest = word;
      int needed = display_width(rest);
      if (width > 0 && width + 1 + needed > columns) {
        lines.push_back(std::exchange(line, ""));
        width = 0;
      }
      if (width > 0 || (!line.empty() && word.empty())) line += ' ', ++width;
      else if (word.empty()) line += ' ', ++width;  // indentation is kept
      while (display_width(rest) > columns) {
        size_t bytes = 0;
        int used = 0;
        while (bytes < rest.size()) {
          CodePoint c = decode(rest.substr(bytes));
          if (used + columns_of(c.value) > columns) break;
          used += columns_of(c.value);
          bytes += c.bytes;
        }
        lines.emplace_back(rest.substr(0, bytes));
        rest.remove_prefix(bytes);
      }
      line += rest;
      width += display_width(rest);
    }
    lines.push_back(line);
  }
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
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    else if (!out.empty() && out.back() != '-') out += '-';
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
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
    return d[a.size()][b.size()];
  };
  if (word.size() > 64) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 64) continue;
    size_t d = distance(word, candidate);
    if (d < best_distance) best_distance = d, best = candidate;
  }
  return best;
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
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
