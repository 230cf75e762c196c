#include "model/scripted_model.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/hash.h"
#include "model/generic_tools.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

constexpr size_t most_steps = 1000;

Reply words(std::string text) { return reply_of({.role = Role::assistant, .text = std::move(text)}); }

Reply call(const std::string& tool, Json arguments) {
  return reply_of({.role = Role::assistant, .calls = {{"", tool, std::move(arguments)}}});
}

}  // namespace

Script parse_script(const SourceFile& file, Diagnostics& diagnostics) {
  Script script;
  script.hash = sha256(file.text);
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return script;
  Fields top(*root, "a script", {"scripted", "steps", "takes"}, {"scripted", "steps"}, diagnostics);
  if (auto* node = top.get("scripted")) script.name = as_text(*node, "scripted", diagnostics).value_or("");
  if (auto* node = top.get("takes")) {
    Fields takes(*node, "takes", {"seconds", "cost"}, {}, diagnostics);
    if (auto* n = takes.get("seconds")) script.seconds = as_number(*n, "seconds", 0, 60, diagnostics).value_or(0);
    if (auto* n = takes.get("cost")) script.cost = as_number(*n, "cost", 0, 1000, diagnostics).value_or(0);
  }
  const YamlNode* steps = top.get("steps");
  if (!steps) return script;
  if (steps->kind != YamlNode::Kind::list || steps->items.size() > most_steps) {
    complain(*steps, fmt::format("steps must be a list of at most {} steps", most_steps), diagnostics);
    return script;
  }
  for (const YamlNode& item : steps->items) {
    if (item.kind != YamlNode::Kind::map || item.entries.size() != 1) {
      complain(item, "a step is one call, say: or raw:, for example - email_read: {id: 1}", diagnostics);
      continue;
    }
    const auto& [what, value] = item.entries[0];
    if (what.text == "say" || what.text == "raw") {
      std::optional<std::string> text = as_text(value, what.text, diagnostics);
      if (text) script.replies.push_back(what.text == "say" ? words(*text) : parse_generic(*text, false));
    } else if (value.kind != YamlNode::Kind::map && value.kind != YamlNode::Kind::nothing) {
      complain(value,
               fmt::format("the arguments of {} must be a map: {{id: 1}}, or {{}} where there are none", what.text),
               diagnostics);
    } else {
      script.replies.push_back(call(what.text, value.entries.empty() ? Json::object() : to_json(value)));
    }
  }
  return script;
}

Json ScriptedModel::settings() const {
  return {{"backend", "scripted"}, {"script", script_.name}, {"script_sha256", script_.hash}};
}

ModelCard ScriptedModel::card() const {
  ModelCard card = Model::card();
  const size_t steps = script_.replies.size();
  card.what = fmt::format("says and does the same in every episode, in {} step{}", steps, steps == 1 ? "" : "s");
  return card;
}

Result<Reply> ScriptedModel::answer(const Request& request) {
  const size_t turn = static_cast<size_t>(request.turn);
  Reply reply = turn < script_.replies.size() ? script_.replies[turn] : words("Done.");
  reply.usage.cost = script_.cost;
  if (script_.seconds > 0) std::this_thread::sleep_for(std::chrono::duration<double>(script_.seconds));
  return reply;
}

}  // namespace assay
