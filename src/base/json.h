// JSON as the program knows it: one type whose objects keep the order in which keys were added, so that the same value
// is always the same bytes. The library is nlohmann/json, the copy that comes with llama.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t bytes = 16 << 20;  // longer texts are refused unread
  int depth = 64;           // deeper nesting is refused
  int keys = 2000;          // an object with more is refused: finding a key takes as long as there are keys before it
};

// Parses text from outside. Never throws; the error says what is wrong and at which byte. Duplicate keys: the last
// wins.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// Calls visit(i) for each byte of JSON text that belongs to no string, until it returns false. Any text will do: where
// it is not JSON, a string ends where JSON's would.
template <class Visit>
void outside_strings(std::string_view text, Visit visit) {
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        in_string = false;
    } else if (text[i] == '"') {
      in_string = true;
    } else if (!visit(i)) {
      return;
    }
  }
}

// One line, keys in stored order; bytes that are not UTF-8 become U+FFFD (never throws).
std::string to_line(const Json& json);

}  // namespace assay
