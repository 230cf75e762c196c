#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace assay {
namespace {

// What must be known of a text before the parser may have it. Never wrong for valid JSON; what it says of other texts
// does not matter, since the parser stops at the first mistake, and up to there the text is the beginning of valid
// JSON.
struct Shape {
  int depth = 0;  // of the deepest nesting
  int keys = 0;   // of the object with most
};

Shape shape_of(std::string_view text, int deepest) {
  Shape shape;
  std::vector<int> keys = {0};  // of each object that is open here
  outside_strings(text, [&](size_t i) {
    char c = text[i];
    if (c == ':') {
      shape.keys = std::max(shape.keys, ++keys.back());
    } else if (c == '[' || c == '{') {
      shape.depth = std::max(shape.depth, static_cast<int>(keys.size()));
      keys.push_back(0);
    } else if ((c == ']' || c == '}') && keys.size() > 1) {
      keys.pop_back();
    }
    return shape.depth <= deepest;
  });
  return shape;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes)
    return Error{fmt::format("JSON of {} bytes; the limit is {}", text.size(), limits.bytes)};
  const Shape shape = shape_of(text, limits.depth);
  if (shape.depth > limits.depth) return Error{fmt::format("JSON is nested deeper than {} levels", limits.depth)};
  if (shape.keys > limits.keys) return Error{fmt::format("a JSON object has more than {} keys", limits.keys)};
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
