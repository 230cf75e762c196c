#include "world/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace assay {
namespace {

bool is_required(const ToolSpec& tool, const std::string& name) {
  auto list = tool.parameters.find("required");
  return list != tool.parameters.end() && std::find(list->begin(), list->end(), name) != list->end();
}

const Json& properties_of(const ToolSpec& tool) {
  static const Json none = Json::object();
  auto found = tool.parameters.find("properties");
  return found == tool.parameters.end() ? none : *found;
}

// "email_forward takes id, to, body (optional)"
std::string usage(const ToolSpec& tool) {
  std::vector<std::string> names;
  for (const auto& [name, schema] : properties_of(tool).items())
    names.push_back(is_required(tool, name) ? name : name + " (optional)");
  return tool.name + " takes " + (names.empty() ? "no arguments" : joined(names, ", "));
}

std::optional<int64_t> whole_number(const Json& value) {
  constexpr double exact = 9007199254740992.0;  // 2^53: a double beyond it stands for several integers
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) {
    double number = value.get<double>();
    if (!(number >= -exact && number <= exact)) return std::nullopt;  // not a number included
    auto whole = static_cast<int64_t>(number);
    return static_cast<double>(whole) == number ? std::optional(whole) : std::nullopt;
  }
  if (value.is_string()) {
    std::string_view digits = trimmed(value.get_ref<const std::string&>());
    int64_t number = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) return number;
  }
  return std::nullopt;
}

// The value as `type` says, or nothing if it is none.
std::optional<Json> as_type(const std::string& type, const Json& value) {
  if (type == "integer") {
    std::optional<int64_t> number = whole_number(value);
    return number ? std::optional<Json>(*number) : std::nullopt;
  }
  if (type == "string" && value.is_string()) return Json(valid_utf8(value.get_ref<const std::string&>()));
  if ((type == "number" && value.is_number()) || (type == "boolean" && value.is_boolean())) return value;
  return std::nullopt;
}

std::string with_article(const std::string& type) {
  if (type == "integer") return "a whole number";
  if (type == "object" || type == "array") return "an " + type;
  return type == "null" ? type : "a " + type;
}

std::string found(const Json& value) {
  return value.is_string() ? quoted(value.get_ref<const std::string&>()) : with_article(value.type_name());
}

Result<Json> checked_items(const std::string& name, const Json& schema, const Json& list) {
  if (list.size() > most_argument_items)
    return Error{fmt::format("argument '{}' has more than {} items", name, most_argument_items)};
  static const Json text = {{"type", "string"}};
  auto items = schema.find("items");
  Json checked = Json::array();
  for (const Json& item : list) {
    Result<Json> typed =
        checked_argument(fmt::format("{}[{}]", name, checked.size()), items == schema.end() ? text : *items, item);
    if (!typed) return typed.error();
    checked.push_back(std::move(*typed));
  }
  return checked;
}

}  // namespace

std::string quoted(const std::string& text) {
  std::string line = valid_utf8(text.substr(0, 400));
  std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return "'" + clipped(line, 80) + "'";
}

Result<Json> checked_argument(const std::string& name, const Json& schema, const Json& value) {
  if (value.is_string() && value.get_ref<const std::string&>().size() > longest_argument)
    return Error{fmt::format("argument '{}' is longer than {} bytes", name, longest_argument)};
  const std::string type = schema.value("type", "string");
  if (type == "array" && value.is_array()) return checked_items(name, schema, value);
  std::optional<Json> typed = as_type(type, value);
  if (!typed) return Error{fmt::format("argument '{}' must be {}, not {}", name, with_article(type), found(value))};
  if (auto allowed = schema.find("enum");
      allowed != schema.end() && std::find(allowed->begin(), allowed->end(), *typed) == allowed->end()) {
    std::vector<std::string> values;
    for (const Json& one : *allowed) values.push_back(one.is_string() ? one.get<std::string>() : to_line(one));
    return Error{fmt::format("argument '{}' must be one of {}, not {}", name, clipped(joined(values, ", "), 400),
                             typed->is_string() ? found(*typed) : to_line(*typed))};
  }
  for (const auto& [bound, word] : {std::pair{"minimum", "least"}, std::pair{"maximum", "most"}}) {
    auto limit = schema.find(bound);
    if (limit == schema.end() || !typed->is_number()) continue;
    if (*word == 'l' ? *typed < *limit : *limit < *typed)
      return Error{fmt::format("argument '{}' must be at {} {}, not {}", name, word, to_line(*limit), to_line(*typed))};
  }
  return *typed;
}

Result<Json> checked_arguments(const ToolSpec& tool, const Json& given) {
  static const Json nothing = Json::object();
  const Json& arguments = given.is_null() ? nothing : given;
  if (!arguments.is_object())
    return Error{fmt::format("the arguments must be an object, not {}", with_article(arguments.type_name()))};

  const Json& properties = properties_of(tool);
  for (const auto& [name, value] : arguments.items())
    if (!properties.contains(name)) return Error{fmt::format("unknown argument {}; {}", quoted(name), usage(tool))};

  Json checked = Json::object();
  for (const auto& [name, schema] : properties.items()) {
    auto value = arguments.find(name);
    if (value == arguments.end() || (value->is_null() && !is_required(tool, name))) {
      if (is_required(tool, name)) return Error{fmt::format("missing argument '{}'; {}", name, usage(tool))};
      continue;
    }
    Result<Json> typed = checked_argument(name, schema, *value);
    if (!typed) return typed.error();
    checked[name] = std::move(*typed);
  }
  return checked;
}

}  // namespace assay
