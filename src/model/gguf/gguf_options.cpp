#include "model/gguf/gguf_options.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "base/text.h"

namespace assay {
namespace {

// A number in [lowest, highest], or an error that says so.
template <class T>
Result<T> number(const std::string& key, const std::string& value, T lowest, T highest) {
  T n{};
  auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (failed != std::errc{} || end != value.data() + value.size() || !(n >= lowest && n <= highest))
    return Error{fmt::format("{}={}: expected a number from {} to {}.", key, for_terminal(value), lowest, highest)};
  return n;
}

Error expected(const std::string& key, const std::string& value, std::string_view words) {
  return {fmt::format("{}={}: expected {}.", key, for_terminal(value), words)};
}

template <class T, class To>
Status store(Result<T> value, To& to) {
  if (!value) return value.error();
  to = *value;
  return Done{};
}

// One row per option drives reading, and the list in messages.
struct Option {
  const char* key;
  Status (*read)(const std::string& key, const std::string& value, GgufOptions& options);
};

using Str = const std::string&;
const Option table[] = {
    {"ctx", [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 256, 1 << 20), o.context); }},
    {"threads", [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 1, 512), o.threads); }},
    {"temperature", [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 0.0, 10.0), o.temperature); }},
    {"top_p", [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 0.001, 1.0), o.top_p); }},
    {"max_tokens", [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 1, 1 << 20), o.max_tokens); }},
    {"grammar",
     [](Str k, Str v, GgufOptions& o) -> Status {
       if (v != "on" && v != "off") return expected(k, v, "on or off");
       o.grammar = v == "on";
       return Done{};
     }},
    {"template",
     [](Str k, Str v, GgufOptions& o) -> Status {
       using enum GgufOptions::Template;
       if (v != "native" && v != "generic" && v != "auto") return expected(k, v, "native, generic or auto");
       o.tool_format = v == "native" ? native : v == "generic" ? generic : automatic;
       return Done{};
     }},
};

Status set(const std::string& assignment, GgufOptions& options) {
  size_t equals = assignment.find('=');
  std::string key = assignment.substr(0, equals);
  std::vector<std::string> keys;
  for (const Option& option : table) {
    if (option.key == key) {
      if (equals == assignment.npos) return Error{fmt::format("option '{}' has no value; write {}=...", key, key)};
      return option.read(key, assignment.substr(equals + 1), options);
    }
    keys.push_back(option.key);
  }
  std::string meant = nearest(key, keys);
  return Error{fmt::format("unknown option '{}'; {}", for_terminal(key),
                           meant.empty() ? "understood are " + joined(keys, ", ") : "did you mean '" + meant + "'?")};
}

}  // namespace

Result<GgufOptions> parse_gguf_options(const std::string& text) {
  GgufOptions options;
  size_t question = text.rfind('?');
  options.path = text.substr(0, question);
  if (options.path.empty()) return Error{"gguf: names no file; write gguf:PATH, for example gguf:model.gguf?ctx=4096"};
  if (question == text.npos) return options;
  std::set<std::string> given;
  for (const std::string& assignment : split(std::string_view(text).substr(question + 1), '&')) {
    const std::string key = assignment.substr(0, assignment.find('='));
    Status status = set(assignment, options);
    if (status && !given.insert(key).second) status = Error{fmt::format("option '{}' is given twice", key)};
    if (!status) return Error{fmt::format("gguf:{}: {}", for_terminal(options.path), status.error().text)};
  }
  return options;
}

}  // namespace assay
