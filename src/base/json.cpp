#include "base/json.h"

#include <fmt/format.h>

namespace assay {
namespace {

// The deepest nesting of a text, strings skipped; enough to refuse what would exhaust the parser's stack.
int nesting(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) return Error{fmt::format("JSON of {} bytes; the limit is {}", text.size(), limits.bytes)};
  if (nesting(text) > limits.depth) return Error{fmt::format("JSON is nested deeper than {} levels", limits.depth)};
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    return Error{fmt::format("not valid JSON at byte {}", e.byte)};
  } catch (const Json::exception& e) {
    return Error{fmt::format("not valid JSON: {}", e.what())};
  }
}

std::string to_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace assay
