#include "skill/olean/text.h"

#include <cstring>

#include "skill/olean/words.h"

namespace assay::olean {
namespace {

// Eight bytes, all of them printable ASCII?
bool plain_word(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  constexpr uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  const uint64_t below_blank = word - ones * 0x20;         // a high bit where a byte was below 0x20
  const uint64_t deletes = (word ^ (ones * 0x7f)) - ones;  // and one where a byte was 0x7f
  return ((word | below_blank | deletes) & highs) == 0;
}

bool plain_byte(unsigned char c) { return c >= 0x20 && c < 0x7f; }

bool all_plain(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8)
    if (!plain_word(text.data() + i)) return false;
  for (; i < text.size(); ++i)
    if (!plain_byte(static_cast<unsigned char>(text[i]))) return false;
  return true;
}

struct Range {
  char32_t first, last;
};

template <size_t N>
bool within(char32_t c, const Range (&ranges)[N]) {
  for (const Range& range : ranges)
    if (c >= range.first && c <= range.last) return true;
  return false;
}

bool controls(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029; }

// Marks that turn text around, or that nobody sees.
bool deceives(char32_t c) {
  static constexpr Range ranges[] = {{0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},    {0x115f, 0x1160},
                                     {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f},  {0x202a, 0x202e},
                                     {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f},  {0xfeff, 0xfeff},
                                     {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}};
  return within(c, ranges);
}

void append_code(std::string& out, char32_t c) {
  if (c == '\n') return append(out, "\\n");
  if (c == '\t') return append(out, "\\t");
  if (c == '\r') return append(out, "\\r");
  if (c < 0x80) return append(out, words(c < 0x10 ? "\\x0" : "\\x", hex(c).substr(2)));
  append(out, words("\\u{", hex(c).substr(2), "}"));
}

// What is not all printable ASCII.
void append_looked_at(std::string& out, std::string_view text, Shown where) {
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (where == Shown::exact && (!c.valid || c.value != 0))
      out.append(text, i, static_cast<size_t>(c.bytes));
    else if (!c.valid)
      append(out, words("\\x", hex(static_cast<unsigned char>(text[i])).substr(2)));
    else if (controls(c.value) || (where == Shown::on_terminal && deceives(c.value)))
      append_code(out, c.value);
    else
      out.append(text, i, static_cast<size_t>(c.bytes));
    i += static_cast<size_t>(c.bytes);
  }
}

// Lean's isLetterLike and isSubScriptAlnum (src/Init/Meta/Defs.lean).
bool is_letter_like(char32_t c) {
  static constexpr Range ranges[] = {{0x3b1, 0x3c9},   {0x391, 0x3a9},     {0x3ca, 0x3fb}, {0x1f00, 0x1ffe},
                                     {0x2100, 0x214f}, {0x1d49c, 0x1d59f}, {0xc0, 0xff},   {0x100, 0x17f}};
  return within(c, ranges) && c != 0x3bb && c != 0x3a0 && c != 0x3a3 && c != 0xd7 && c != 0xf7;
}

bool is_subscript(char32_t c) {
  static constexpr Range ranges[] = {{0x2080, 0x2089}, {0x2090, 0x209c}, {0x1d62, 0x1d6a}, {0x2c7c, 0x2c7c}};
  return within(c, ranges);
}

bool is_ascii_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool may_begin(char32_t c) { return is_ascii_letter(c) || c == '_' || is_letter_like(c); }

bool may_go_on(char32_t c) {
  return may_begin(c) || (c >= '0' && c <= '9') || c == '\'' || c == '!' || c == '?' || is_subscript(c);
}

// Whether Lean writes the name without any «».
bool never_escaped(const Name& name) {
  for (size_t i = name.size(); i-- > 0;) {  // the last text decides, whatever numbers follow it
    if (name[i].number) continue;
    const std::string_view last = name[i].text;
    if (last == "_hyg" || last == "_inaccessible" || last.find("✝") != last.npos) return true;
    break;
  }
  return !name.empty() && !name[0].number && (name[0].text.starts_with('#') || name[0].text.starts_with('?'));
}

}  // namespace

CodePoint code_point_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const size_t left = text.size() - at;
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const int bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || left < static_cast<size_t>(bytes)) return {first, 1, false};
  char32_t value = first & (0x7f >> bytes);
  for (int i = 1; i < bytes; ++i) {
    const unsigned char next = byte(static_cast<size_t>(i));
    if ((next & 0xc0) != 0x80) return {first, 1, false};
    value = value << 6 | (next & 0x3f);
  }
  static constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid = value >= least[bytes] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  return valid ? CodePoint{value, bytes, true} : CodePoint{first, 1, false};
}

int64_t count_code_points(std::string_view text) {
  int64_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    if (i + 8 <= text.size()) {  // most text is ASCII
      uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      if ((word & 0x8080808080808080) == 0) {
        i += 8, count += 7;
        continue;
      }
    }
    const CodePoint c = code_point_at(text, i);
    if (!c.valid) return -1;
    i += static_cast<size_t>(c.bytes);
  }
  return count;
}

void append_visible(std::string& out, std::string_view text, Shown where) {
  // Copied first and looked at then: what lies in a mapped file may change in between.
  const size_t begin = out.size();
  out += text;
  if (all_plain(std::string_view(out).substr(begin))) return;
  if (where == Shown::exact && out.find('\0', begin) == out.npos) return;
  const std::string copy = out.substr(begin);
  out.resize(begin);
  append_looked_at(out, copy, where);
}

void append_json_string(std::string& out, std::string_view shared) {
  const std::string text(shared);  // for what lies in a mapped file may change
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (!c.valid) {
      out += "\xef\xbf\xbd";
    } else if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (controls(c.value) || deceives(c.value)) {
      char32_t unit = c.value;
      auto append_unit = [&](char32_t u) {
        const std::string digits = hex(u).substr(2);
        out += words("\\u", std::string_view("0000").substr(digits.size()), digits);
      };
      if (unit >= 0x10000) {  // two halves, as JSON has it
        unit -= 0x10000;
        append_unit(0xd800 + (unit >> 10));
        unit = 0xdc00 + (unit & 0x3ff);
      }
      append_unit(unit);
    } else {
      out.append(text, i, static_cast<size_t>(c.bytes));
    }
    i += static_cast<size_t>(c.bytes);
  }
  out += '"';
}

void append_plain(std::string& out, const Name& name, Shown where) {
  if (name.empty()) return append(out, "[anonymous]");
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0) out += '.';
    append_visible(out, name[i].text, where);
  }
}

void append_escaped(std::string& out, const Name& name, Shown where) {
  if (name.empty() || never_escaped(name)) return append_plain(out, name, where);
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0) out += '.';
    const bool bare = name[i].number || is_identifier(name[i].text) || name[i].text.find("»") != std::string_view::npos;
    if (!bare) out += "«";
    append_visible(out, name[i].text, where);
    if (!bare) out += "»";
  }
}

void append_json(std::string& out, const Name& name) {
  out += '[';
  for (size_t i = 0; i < name.size(); ++i) {
    if (i > 0) out += ',';
    if (name[i].number)
      out += name[i].text;
    else
      append_json_string(out, name[i].text);
  }
  out += ']';
}

bool is_internal(const Name& name) {
  for (const Component& component : name)
    if (!component.number && component.text.starts_with('_')) return true;
  return false;
}

bool is_identifier(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (!c.valid || !(i == 0 ? may_begin(c.value) : may_go_on(c.value))) return false;
    i += static_cast<size_t>(c.bytes);
  }
  return !text.empty();
}

}  // namespace assay::olean
