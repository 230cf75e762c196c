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

// One row per option drives reading, the list in messages, and help.
struct Option {
  const char* key;
  const char* value;  // what stands behind the =
  const char* help;   // one sentence, without a capital and a point
  Status (*read)(const std::string& key, const std::string& value, GgufOptions& options);
};

using Str = const std::string&;
const Option table[] = {
    {"ctx", "N",
     "tokens of one conversation, at most; without it the context that the model was trained on, but no more than 8192",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 256, 1 << 20), o.context); }},
    {"threads", "N", "threads that compute; without it one for each core",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 1, 512), o.threads); }},
    {"temperature", "T", "of sampling, 0 always takes the likeliest token; without it 1",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 0.0, 10.0), o.temperature); }},
    {"top_p", "P", "samples only from the likeliest tokens that together have this probability; without it 1: from all",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 0.001, 1.0), o.top_p); }},
    {"min_p", "P", "never samples a token of less than this share of the likeliest one's probability; without it 0",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 0.0, 1.0), o.min_p); }},
    {"max_tokens", "N", "tokens of one reply, at most; without it the scenario's own limit alone",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 1, 1 << 20), o.max_tokens); }},
    {"grammar", "on|off", "on holds every reply to a grammar, so that each tool call can be read; without it off",
     [](Str k, Str v, GgufOptions& o) -> Status {
       if (v != "on" && v != "off") return expected(k, v, "on or off");
       o.grammar = v == "on";
       return Done{};
     }},
    {"mode", "fast|exact",
     "exact computes an episode to the bit the same whatever is computed beside it, and more slowly; without it fast",
     [](Str k, Str v, GgufOptions& o) -> Status {
       if (v != "fast" && v != "exact") return expected(k, v, "fast or exact");
       o.mode = v == "exact" ? GgufOptions::Mode::exact : GgufOptions::Mode::fast;
       return Done{};
     }},
    {"hold", "auto|unified|streams",
     "how conversations lie in memory, for measurements: in one cache, or each in its own; without it auto",
     [](Str k, Str v, GgufOptions& o) -> Status {
       using enum GgufOptions::Hold;
       if (v != "auto" && v != "unified" && v != "streams") return expected(k, v, "auto, unified or streams");
       o.hold = v == "unified" ? unified : v == "streams" ? streams : automatic;
       return Done{};
     }},
    {"memory", "MB",
     "for the keys and values of all conversations; without it 2048, or a quarter of the machine if that is less",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 16, 1 << 24), o.memory); }},
    {"gpu_layers", "N",
     "layers on an accelerator, where assay was built for one; without it all, and none in mode=exact",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, 0, 10000), o.gpu_layers); }},
    {"lora", "FILE", "an adapter (GGUF) on top of the model",
     [](Str k, Str v, GgufOptions& o) -> Status {
       if (v.empty()) return expected(k, v, "an adapter's file");
       o.lora = v;
       return Done{};
     }},
    {"lora_scale", "X", "how strongly the adapter counts; without it 1",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, -100.0, 100.0), o.lora_scale); }},
    {"control", "FILE", "a control vector (GGUF) that is added to the residual stream at every position",
     [](Str k, Str v, GgufOptions& o) -> Status {
       if (v.empty()) return expected(k, v, "a control vector's file");
       o.control = v;
       return Done{};
     }},
    {"control_scale", "X", "how strongly the control vector counts, negative turns it round; without it 1",
     [](Str k, Str v, GgufOptions& o) { return store(number(k, v, -1000.0, 1000.0), o.control_scale); }},
    {"control_layers", "A-B",
     "the layers behind which it is added, counted from 1; without it all for which it has a direction",
     [](Str k, Str v, GgufOptions& o) -> Status {
       const size_t dash = v.find('-');
       if (dash == v.npos) return expected(k, v, "two layers, as in 8-12");
       if (Status from = store(number(k, v.substr(0, dash), 1, 10000), o.control_from); !from) return from;
       if (Status to = store(number(k, v.substr(dash + 1), 1, 10000), o.control_to); !to) return to;
       return o.control_from <= o.control_to ? Status(Done{}) : expected(k, v, "the lower layer first");
     }},
    {"template", "native|generic|auto",
     "how the model is told of its tools: by its own chat template, or in plain JSON; without it native where its "
     "template can",
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

Status fits_machine(const GgufOptions& options, bool has_accelerator) {
  if (has_accelerator && options.mode == GgufOptions::Mode::exact && options.gpu_layers > 0)
    return Error{"cannot have mode=exact on an accelerator, as it is proved on the CPU alone; leave gpu_layers out."};
  return Done{};
}

std::vector<GgufOptionHelp> gguf_options_help() {
  std::vector<GgufOptionHelp> all;
  for (const Option& option : table) all.push_back({option.key, option.value, option.help});
  return all;
}

Result<GgufOptions> parse_gguf_options(const std::string& text, const std::string& scheme) {
  GgufOptions options;
  size_t question = text.rfind('?');
  options.path = text.substr(0, question);
  if (options.path.empty() && scheme == "gguf")
    return Error{"gguf: names no file; write gguf:PATH, for example gguf:model.gguf?ctx=4096"};
  if (question == text.npos) return options;
  std::set<std::string> given;
  for (const std::string& assignment : split(std::string_view(text).substr(question + 1), '&')) {
    const std::string key = assignment.substr(0, assignment.find('='));
    Status status = set(assignment, options);
    if (status && !given.insert(key).second) status = Error{fmt::format("option '{}' is given twice", key)};
    if (!status) return Error{fmt::format("{}:{}: {}", scheme, for_terminal(options.path), status.error().text)};
  }
  return options;
}

}  // namespace assay
