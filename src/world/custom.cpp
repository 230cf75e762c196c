#include "world/custom.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "world/arguments.h"

namespace assay {
namespace {

constexpr int64_t largest_number = int64_t{1} << 53;

ToolOutcome refused(const std::string& why) { return {false, Json::object(), "error: " + why}; }

// What the parts of one call's texts are filled from.
struct Sources {
  const Json& arguments;
  const Json& state;

  const Json* find(const TextPart& part) const {
    const Json& from = part.from == TextPart::From::argument ? arguments : state;
    auto found = from.find(part.text);
    return found == from.end() ? nullptr : &*found;
  }
};

std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  if (!value.is_array()) return to_line(value);
  std::vector<std::string> items;
  for (const Json& item : value) items.push_back(as_text(item));
  return joined(items, ", ");
}

// Stops soon after `limit` bytes, so that many blanks cannot multiply a long argument.
std::string filled(const BlankText& text, const Sources& from, size_t limit) {
  std::string made;
  for (const TextPart& part : text) {
    if (made.size() > limit) break;
    if (part.from == TextPart::From::text)
      made += part.text;
    else if (const Json* value = from.find(part))
      made += as_text(*value);
  }
  return made;
}

bool is_one_blank(const BlankText& text) { return text.size() == 1 && text[0].from != TextPart::From::text; }

// Null for an argument that was not given.
Json value_of(const ToolValue& value, const Sources& from) {
  if (value.text.empty()) return value.fixed;
  if (!is_one_blank(value.text)) return filled(value.text, from, longest_state_text);
  const Json* found = from.find(value.text[0]);
  return found ? *found : Json();
}

bool applies(const RefusalRule& rule, const Sources& from) {
  const Json* subject = from.find(rule.subject);
  if (!subject) return false;
  const Json value = value_of(rule.value, from);
  if (!rule.among) return *subject == value;
  return subject->is_array() && std::find(subject->begin(), subject->end(), value) != subject->end();
}

bool is_too_long(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().size() > longest_state_text;
}

// Nothing, or why it cannot be made.
std::string change(const StateChange& wanted, const Sources& from, Json& state) {
  Json& target = state[wanted.name];
  if (wanted.kind == StateChange::Kind::add) {
    if (!target.is_number_integer()) return fmt::format("'{}' is no number", wanted.name);
    const int64_t sum = target.get<int64_t>() + wanted.by;  // both are far from the ends of int64_t
    if (sum > largest_number || sum < -largest_number) return fmt::format("'{}' would be too large", wanted.name);
    target = sum;
    return "";
  }
  Json value = value_of(wanted.value, from);
  if (value.is_null()) return "";
  if (is_too_long(value)) return fmt::format("'{}' would be longer than {} bytes", wanted.name, longest_state_text);
  if (wanted.kind == StateChange::Kind::set) {
    target = std::move(value);
    return "";
  }
  if (!target.is_array()) return fmt::format("'{}' is no list", wanted.name);
  if (target.size() >= most_state_items)
    return fmt::format("'{}' holds {} items and takes no more", wanted.name, most_state_items);
  target.push_back(std::move(value));
  return "";
}

std::string cut(std::string text) {
  if (text.size() <= longest_reply) return text;
  const size_t dropped = text.size() - longest_reply;
  text.resize(longest_reply);
  return valid_utf8(text) + fmt::format("\n[at least {} more bytes were cut]", dropped);
}

class CustomWorld final : public World {
 public:
  explicit CustomWorld(CustomSetup setup)
      : state_(std::move(setup.state)), rules_(std::move(setup.tools)), seed_(setup.seed) {
    for (const CustomTool& tool : rules_) tools_.push_back(tool.spec);
  }

  const std::vector<ToolSpec>& tools() const override { return tools_; }

  ToolOutcome call(const ToolCall& call) override {
    std::vector<std::string> names;
    for (const CustomTool& tool : rules_) {
      if (tool.spec.name == call.name) return run(tool, call);
      names.push_back(tool.spec.name);
    }
    return refused(fmt::format("no tool {}; the tools are {}", quoted(call.name), joined(names, ", ")));
  }

  Json state() const override { return state_; }

 private:
  ToolOutcome run(const CustomTool& tool, const ToolCall& call) {
    Result<Json> arguments = checked_arguments(tool.spec, call.arguments);
    if (!arguments) return refused(arguments.error().text);
    for (const RefusalRule& rule : tool.refusals)
      if (Sources before{*arguments, state_}; applies(rule, before))
        return {false, Json::object(), cut(filled(rule.reply, before, longest_reply))};

    if (tool.exec) return ask(tool, *arguments);
    Json after = state_;
    for (const StateChange& wanted : tool.changes) {
      const Json so_far = after;  // what a value is read from while `after` changes
      if (std::string why = change(wanted, {*arguments, so_far}, after); !why.empty()) return refused(why);
    }
    Json effect = take(std::move(after));
    return {true, std::move(effect), cut(filled(tool.reply, {*arguments, state_}, longest_reply))};
  }

  // Makes this the state; what is different now is the effect.
  Json take(Json after) {
    Json changed = Json::object();
    for (const auto& [name, value] : after.items())
      if (!state_.contains(name) || state_[name] != value) changed[name] = value;
    state_ = std::move(after);
    Json effect = Json::object();
    if (!changed.empty()) effect["state"] = std::move(changed);
    return effect;
  }

  static ToolOutcome failed(const std::string& why) { return {false, Json::object(), "error: " + why, why}; }

  ToolOutcome ask(const CustomTool& tool, const Json& arguments) {
    if (tool.exec->folder.empty())
      return failed(fmt::format("The program {} may not be run here", name_of(*tool.exec)));
    Result<Json> answer = ask_program(*tool.exec, {{"tool", tool.spec.name},
                                                   {"args", arguments},
                                                   {"state", state_},
                                                   {"call", ++asked_},
                                                   {"seed", std::to_string(seed_)}});
    if (!answer) return failed(answer.error().text);
    auto wrong = [&](const std::string& what) {
      return failed(fmt::format("The program {} answered {}", name_of(*tool.exec), what));
    };
    for (const auto& [key, value] : answer->items())
      if (key != "reply" && key != "state" && key != "refused")
        return wrong(fmt::format("with {}, which means nothing", quoted(key)));
    if (!answer->contains("reply") || !(*answer)["reply"].is_string()) return wrong("without a \"reply\", a text");
    std::string reply = valid_utf8((*answer)["reply"].get<std::string>());
    if (answer->contains("refused")) {
      if (!(*answer)["refused"].is_boolean()) return wrong("with a \"refused\" that is neither true nor false");
      if ((*answer)["refused"].get<bool>()) return {false, Json::object(), cut(std::move(reply)), ""};
    }
    Json after = state_;
    if (answer->contains("state")) {
      const Json& state = (*answer)["state"];
      if (!state.is_object()) return wrong("with a \"state\" that is no object");
      for (const auto& [name, value] : state.items()) {
        if (!after.contains(name))
          return wrong(fmt::format("with a state {}, which the scenario does not declare", quoted(name)));
        if (after[name].type() != value.type() && !(after[name].is_number_integer() && value.is_number_integer()))
          return wrong(fmt::format("with a state {} of another kind than it was", quoted(name)));
        if (is_too_long(value) || value.size() > most_state_items)
          return wrong(fmt::format("with too much for {}", quoted(name)));
        after[name] = value;
      }
    }
    Json effect = take(std::move(after));
    return {true, std::move(effect), cut(std::move(reply)), ""};
  }

  Json state_;
  std::vector<CustomTool> rules_;
  std::vector<ToolSpec> tools_;
  const uint64_t seed_;
  int64_t asked_ = 0;  // programs, so far
};

}  // namespace

std::unique_ptr<World> make_custom_world(CustomSetup setup) { return std::make_unique<CustomWorld>(std::move(setup)); }

std::string with_blanks_named(const BlankText& text) {
  std::string made;
  for (const TextPart& part : text)
    made += part.from == TextPart::From::text       ? part.text
            : part.from == TextPart::From::argument ? "<args." + part.text + ">"
                                                    : "<state." + part.text + ">";
  return made;
}

}  // namespace assay
