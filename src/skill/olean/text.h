// How names are written: components joined by dots, as they are, as Lean writes them, or as JSON.
//
// Whatever is written for people shows what must not be sent to a terminal: control characters as \n, \t, \r, \x1b or
// \u{9b}, bytes that are no UTF-8 as \xff, and, for a terminal, letters that turn the direction of text or cannot be
// seen as \u{202e}. A backslash itself stays as it is, for real names have some; JSON is the exact form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::olean {

// A code point of UTF-8, or one byte that begins none.
struct CodePoint {
  char32_t value = 0;
  int bytes = 1;
  bool valid = true;
};
// At `text[at]`; at < text.size(). Overlong forms, surrogates and what lies beyond U+10FFFF are not valid.
CodePoint code_point_at(std::string_view text, size_t at);

// How many code points; -1: not UTF-8.
int64_t count_code_points(std::string_view text);

// exact: bytes as they are, for programs that are told where a name ends by a NUL; only a NUL in it becomes \x00.
enum class Shown { in_file, on_terminal, exact };

// All of these append to `out`.
void append_visible(std::string& out, std::string_view text, Shown where);
void append_json_string(std::string& out, std::string_view text);  // with its quotes; no UTF-8: U+FFFD

// One component of a name: a text, or a natural number in decimal.
struct Component {
  std::string_view text;
  bool number = false;
};
using Name = std::vector<Component>;  // the first component first; empty: the anonymous name

// Joined by dots; the anonymous name is "[anonymous]".
void append_plain(std::string& out, const Name& name, Shown where);

// As Lean's Name.toString does it (src/Init/Meta/Defs.lean): what is no identifier stands in «». Names with macro
// scopes
// (... _hyg.12), inaccessible ones (x✝) and those that begin with # or ? are written as they are. Letters as newer
// versions of Lean have them; older ones put é, too, in «».
void append_escaped(std::string& out, const Name& name, Shown where);

// ["Nat","rec",3]
void append_json(std::string& out, const Name& name);

// Lean's Name.isInternal: some text of it begins with an underscore.
bool is_internal(const Name& name);

// True if Lean reads `text` as one component without «».
bool is_identifier(std::string_view text);

}  // namespace assay::olean
