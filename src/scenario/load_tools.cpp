// Tools of the scenario's own: their parameters, what they change, what they answer.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "scenario/blanks.h"
#include "scenario/scenario_loader.h"
#include "world/arguments.h"
#include "world/email.h"
#include "world/shell.h"

namespace assay {
namespace {

const std::vector<std::string> scalar_types = {"string", "integer", "number", "boolean"};

std::string with_all(const std::vector<std::string>& names) { return joined(names, ", "); }

std::vector<std::string> names_of(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

// What a value of the state is, in words.
std::string kind_of_value(const Json& value) {
  if (value.is_number_integer()) return "a whole number";
  if (value.is_boolean()) return "true or false";
  if (value.is_array()) return "a list";
  return "a text";
}

std::string kind_of_argument(const Json& schema) {
  const std::string type = schema.value("type", "string");
  if (type == "integer") return "a whole number";
  if (type == "boolean") return "true or false";
  if (type == "array") return "a list";
  return type == "number" ? "a number" : "a text";
}

// Where `args` or `state` is spoken of inside braces; npos where it is not.
size_t spoken_of(std::string_view text, std::string_view word) {
  for (size_t open = 0; (open = text.find('{', open)) != std::string_view::npos; ++open) {
    if (open + 1 >= text.size() || (text[open + 1] != '{' && text[open + 1] != '%')) continue;
    size_t close = text.find(text[open + 1] == '{' ? "}}" : "%}", open);
    for (size_t at = open; (at = text.find(word, at)) < close; ++at) {
      unsigned char before = static_cast<unsigned char>(text[at - 1]);
      if (!std::isalnum(before) && before != '_' && before != '.' && before != '\'' && before != '"' &&
          text.substr(at + word.size()).starts_with('.'))
        return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

// --- The state ---

void ScenarioLoader::state(const YamlNode& node) {
  if (!made_.custom)
    return mistake(node, "the state is for tools that a scenario declares in `tools`, and this one declares none");
  each(node, "state", [&](const YamlNode& key, const YamlNode& value) {
    StateEntry entry;
    entry.name = key.text;
    entry.place = key.origin.place;
    if (!is_word(key.text))
      mistake(key, fmt::format("a name in the state has letters, digits and _ and begins with no digit; found '{}'",
                               key.text));
    bool flat = value.kind == YamlNode::Kind::text || value.kind == YamlNode::Kind::list;
    for (const YamlNode& item : value.items) flat = flat && item.kind == YamlNode::Kind::text;
    if (flat && value.items.size() <= most_state_items) {
      entry.value = to_json(value);
      templates(value, "", entry.texts);
    } else {  // it is there all the same, as null, for what speaks of it
      mistake(value.kind == YamlNode::Kind::nothing ? key : value,
              fmt::format("'{}' must be a whole number, a text, true, false or a list of at most {} of these", key.text,
                          most_state_items));
    }
    made_.custom->state.push_back(std::move(entry));
  });
}

std::vector<std::string> ScenarioLoader::state_names() const {
  std::vector<std::string> names;
  for (const StateEntry& entry : made_.custom->state) names.push_back(entry.name);
  return names;
}

const StateEntry* ScenarioLoader::state_named(const YamlNode& node) {
  if (!as_text(node, "a name of the state", diagnostics_)) return nullptr;
  for (const StateEntry& entry : made_.custom->state)
    if (entry.name == node.text) return entry.value.is_null() ? nullptr : &entry;
  mistake(node, fmt::format("`world: state:` has no '{}'; {}", node.text, guess(node.text, state_names())));
  return nullptr;
}

// --- The parameters ---

void ScenarioLoader::custom_tool(const YamlNode& node) {
  const size_t before = diagnostics_.size();
  CustomToolPlan made;
  Fields fields(node, "a tool", {"name", "description", "parameters", "refuse", "effects", "reply", "exec", "seconds"},
                {"name", "description"}, diagnostics_);
  made.exec = program(fields);
  if (made.exec) {
    for (const char* key : {"effects", "reply"})
      if (auto* n = fields.get(key)) mistake(*n, fmt::format("the program answers; leave {} out", key));
  } else if (fields.is_map() && !fields.get("reply")) {
    mistake(node, "a tool needs the key 'reply', or a program that answers (exec)");
  }
  if (auto* name = fields.get("name"); name && as_text(*name, "name", diagnostics_)) {
    const size_t unnamed = diagnostics_.size();
    made.spec.name = name->text;
    std::vector<const ToolSpec*> others;
    for (const auto* list : {&email_tools(), &shell_tools(), &static_cast<const std::vector<ToolSpec>&>(made_.tools)})
      for (const ToolSpec& tool : *list) others.push_back(&tool);
    if (!is_label(name->text))
      mistake(*name,
              fmt::format("a tool's name has letters, digits, - and _ only, at most 64; found '{}'", name->text));
    else if (name->text == "say" || name->text == "raw")
      mistake(*name,
              fmt::format("a tool cannot be named '{}': in steps that is the word for what is said", name->text));
    else if (std::any_of(others.begin(), others.end(),
                         [&](const ToolSpec* other) { return other->name == name->text; }))
      mistake(*name, fmt::format("there is already a tool '{}'", name->text));
    if (diagnostics_.size() > unnamed) made.spec.name.clear();
  }
  if (auto* description = fields.get("description")) {
    made.spec.description = std::string(trimmed(as_text(*description, "description", diagnostics_).value_or("")));
    if (made.spec.description.find("{{") != std::string::npos)
      mistake(*description,
              "a tool's description is no template: it stands in front of the prompt, the same in all cells");
  }
  auto* given = fields.get("parameters");
  made.spec.parameters = given ? parameters(*given)
                               : Json{{"type", "object"},
                                      {"properties", Json::object()},
                                      {"required", Json::array()},
                                      {"additionalProperties", false}};
  const Json& properties = made.spec.parameters["properties"];
  auto items = [&](const char* key, auto visit) {
    const YamlNode* list = fields.get(key);
    if (!list) return;
    if (list->kind != YamlNode::Kind::list)
      return mistake(*list, fmt::format("{} must be a list; found {}", key, list->kind_name()));
    for (const YamlNode& item : list->items) visit(item);
  };
  items("refuse", [&](const YamlNode& item) {
    if (auto rule = refusal(item, properties)) made.refusals.push_back(std::move(*rule));
  });
  items("effects", [&](const YamlNode& item) {
    if (auto change = effect(item, properties)) made.changes.push_back(std::move(*change));
  });
  if (auto* reply = fields.get("reply")) {
    made.reply = blank_text(*reply, "reply", properties);
    if (reply->kind == YamlNode::Kind::text && trimmed(reply->text).empty())
      mistake(*reply, "an empty reply; a tool answers something, such as Done.");
  }
  if (diagnostics_.size() > before) unsure_tools_.insert(made.spec.name);
  if (!made.spec.name.empty()) made_.tools.push_back(made.spec);
  made_.custom->tools.push_back(std::move(made));
}

Json ScenarioLoader::parameters(const YamlNode& node) {
  Json properties = Json::object(), required = Json::array();
  Fields fields(node, "parameters", {"type", "properties", "required", "additionalProperties"}, {}, diagnostics_);
  if (auto* type = fields.get("type"); type && type->text != "object")
    mistake(*type, fmt::format("the type of parameters is object; found '{}'", type->text));
  if (auto* more = fields.get("additionalProperties"); more && more->text != "false")
    mistake(*more, "a tool takes the arguments that it names and no others: additionalProperties: false, or left out");
  if (auto* list = fields.get("properties"))
    each(*list, "properties", [&](const YamlNode& key, const YamlNode& value) {
      if (!is_word(key.text))
        mistake(key, fmt::format("an argument's name has letters, digits and _ and begins with no digit; found '{}'",
                                 key.text));
      properties[key.text] = property(value, key.text, false);
    });
  if (auto* names = fields.get("required"))
    for (const YamlNode* name : as_names(*names, "required", diagnostics_)) {
      if (properties.contains(name->text))
        required.push_back(name->text);
      else
        mistake(*name,
                fmt::format("there is no property '{}'; {}", name->text, guess(name->text, names_of(properties))));
    }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

Json ScenarioLoader::property(const YamlNode& node, const std::string& name, bool item) {
  std::vector<std::string> known = {"type", "description", "enum", "minimum", "maximum"}, types = scalar_types;
  if (!item) known.push_back("items"), types.push_back("array");
  Json made = {{"type", "string"}};
  Fields fields(node, fmt::format("{} '{}'", item ? "an item of the argument" : "the argument", name), known, {"type"},
                diagnostics_);
  if (auto* type = fields.get("type"); type && as_text(*type, "type", diagnostics_)) {
    if (std::find(types.begin(), types.end(), type->text) == types.end())
      return mistake(*type, fmt::format("a type is one of {}; found '{}'", with_all(types), type->text)), made;
    made["type"] = type->text;
  }
  const std::string type = made["type"];
  if (auto* description = fields.get("description"))
    if (auto text = as_text(*description, "description", diagnostics_)) made["description"] = *text;
  if (auto* items = fields.get("items")) {
    made["items"] = property(*items, name, true);
    if (type != "array") mistake(*items, fmt::format("only an array has items; '{}' is of type {}", name, type));
  } else if (type == "array") {
    made["items"] = {{"type", "string"}};
  }
  if (auto* values = fields.get("enum")) allowed_values(*values, type, made);
  for (const char* bound : {"minimum", "maximum"})
    if (auto* limit = fields.get(bound)) {
      if (type != "integer")
        mistake(*limit, fmt::format("{} is for arguments of type integer; '{}' is of type {}", bound, name, type));
      else if (auto number = as_integer(*limit, bound, -1'000'000'000, 1'000'000'000, diagnostics_))
        made[bound] = *number;
    }
  if (made.contains("minimum") && made.contains("maximum") && made["maximum"] < made["minimum"])
    mistake(*fields.get("maximum"), fmt::format("maximum ({}) is less than minimum ({}), so no value fits",
                                                to_line(made["maximum"]), to_line(made["minimum"])));
  return made;
}

void ScenarioLoader::allowed_values(const YamlNode& node, const std::string& type, Json& schema) {
  if (type != "string" && type != "integer")
    return mistake(node, fmt::format("enum is for arguments of type string or integer; this is of type {}", type));
  if (node.kind == YamlNode::Kind::list && node.items.empty()) mistake(node, "an enum needs at least one value");
  for (const YamlNode* value : as_names(node, "enum", diagnostics_)) {
    if (type == "string")
      schema["enum"].push_back(value->text);
    else if (auto number = as_integer(*value, "a value of this enum", -1'000'000'000, 1'000'000'000, diagnostics_))
      schema["enum"].push_back(*number);
  }
}

// --- What it does ---

std::optional<StateChangePlan> ScenarioLoader::effect(const YamlNode& node, const Json& properties) {
  Fields fields(node, "an effect", {"set", "to", "add", "by", "append", "value"}, {}, diagnostics_);
  if (!fields.is_map()) return std::nullopt;
  const YamlNode *set = fields.get("set"), *add = fields.get("add"), *append = fields.get("append");
  const YamlNode *to = fields.get("to"), *by = fields.get("by"), *item = fields.get("value");
  if ((set != nullptr) + (add != nullptr) + (append != nullptr) != 1 || (set && !to) || (append && !item) ||
      (to && !set) || (by && !add) || (item && !append)) {
    mistake(node, "an effect is {set: NAME, to: VALUE}, {add: NAME, by: NUMBER} or {append: NAME, value: VALUE}");
    return std::nullopt;
  }
  StateChangePlan made;
  const YamlNode& name = set ? *set : add ? *add : *append;
  const StateEntry* entry = state_named(name);
  made.name = name.text;
  if (add) {
    made.kind = StateChange::Kind::add;
    if (entry && !entry->value.is_number_integer())
      mistake(name, fmt::format("'{}' is {}; only to a whole number something is added", name.text,
                                kind_of_value(entry->value)));
    if (by) made.by = as_integer(*by, "by", -1'000'000'000, 1'000'000'000, diagnostics_).value_or(1);
    return made;
  }
  made.value = value(set ? *to : *item, set ? "to" : "value", properties);
  if (append) {
    made.kind = StateChange::Kind::append;
    if (entry && !entry->value.is_array())
      mistake(name,
              fmt::format("'{}' is {}; only to a list something is appended", name.text, kind_of_value(entry->value)));
    return made;
  }
  if (!entry) return made;
  if (entry->value.is_array()) mistake(name, fmt::format("'{}' is a list, which is appended to, not set", name.text));
  // What it would become must be what it is.
  const std::string kind = kind_in_words(made.value, properties);
  if (!entry->value.is_array() && !kind.empty() && kind != kind_of_value(entry->value))
    mistake(*to, fmt::format("'{}' is {}, and this is {}", name.text, kind_of_value(entry->value), kind));
  return made;
}

std::optional<RefusalPlan> ScenarioLoader::refusal(const YamlNode& node, const Json& properties) {
  Fields fields(node, "a rule of `refuse`", {"if", "is", "has", "reply"}, {"if", "reply"}, diagnostics_);
  if (!fields.is_map()) return std::nullopt;
  RefusalPlan made;
  if (auto* condition = fields.get("if"))
    if (auto what = subject(*condition, properties)) made.subject = std::move(*what);
  const YamlNode *is = fields.get("is"), *has = fields.get("has");
  if ((is != nullptr) + (has != nullptr) != 1)
    mistake(node,
            "a rule of `refuse` is {if: state.NAME, is: VALUE, reply: TEXT}, or with `has` for an item of a list");
  else
    made.value = value(is ? *is : *has, is ? "is" : "has", properties);
  made.among = has != nullptr;
  if (!made.subject.text.empty() && (is || has)) comparable(made, is ? *is : *has, properties);
  if (auto* reply = fields.get("reply")) made.reply = blank_text(*reply, "reply", properties);
  return made;
}

// A rule that compares what is never of one kind would refuse nothing.
void ScenarioLoader::comparable(const RefusalPlan& rule, const YamlNode& value, const Json& properties) {
  std::string subject = kind_in_words(rule.subject, properties);
  const std::string name = (rule.subject.from == TextPart::From::argument ? "args." : "state.") + rule.subject.text;
  if (subject.empty()) return;  // it has a mistake of its own
  if (rule.among && subject != "a list")
    return mistake(value, fmt::format("{} is {}; only a list has items: is: VALUE", name, subject));
  if (rule.among) {
    if (rule.subject.from == TextPart::From::state) return;  // its items may be of any kind
    subject = kind_of_argument(properties[rule.subject.text].value("items", Json::object()));
  } else if (subject == "a list") {
    return mistake(value, fmt::format("{} is a list; a rule speaks of its items: has: VALUE", name));
  }
  const std::string kind = kind_in_words(rule.value, properties);
  const bool numbers = subject.ends_with("number") && kind.ends_with("number");
  if (!kind.empty() && subject != kind && !numbers)
    mistake(value, fmt::format("{}{} is {}, and this is {}: they are never the same", rule.among ? "an item of " : "",
                               name, subject, kind));
}

std::string ScenarioLoader::kind_in_words(const TextPart& blank, const Json& properties) const {
  if (blank.from == TextPart::From::argument && properties.contains(blank.text))
    return kind_of_argument(properties[blank.text]);
  if (blank.from == TextPart::From::state)
    for (const StateEntry& entry : made_.custom->state)
      if (entry.name == blank.text) return entry.value.is_null() ? "" : kind_of_value(entry.value);
  return "";
}

std::string ScenarioLoader::kind_in_words(const ValuePlan& value, const Json& properties) const {
  const BlankText blanks = blanks_in(value.text.text());
  const bool one = blanks.size() == 1 && blanks[0].from != TextPart::From::text;
  return one ? kind_in_words(blanks[0], properties) : kind_of_value(value.fixed);
}

std::optional<TextPart> ScenarioLoader::subject(const YamlNode& node, const Json& properties) {
  if (!as_text(node, "if", diagnostics_)) return std::nullopt;
  const bool argument = node.text.starts_with("args.");
  if (!argument && !node.text.starts_with("state.")) {
    mistake(node, fmt::format("`if` looks at args.NAME or state.NAME; found '{}'", node.text));
    return std::nullopt;
  }
  std::string name = node.text.substr(argument ? 5 : 6);
  const std::vector<std::string> known = argument ? names_of(properties) : state_names();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    mistake(node, fmt::format("there is no {}; {}", node.text, guess(name, known)));
    return std::nullopt;
  }
  return TextPart{argument ? TextPart::From::argument : TextPart::From::state, std::move(name)};
}

// A template with blanks for the call.
Template ScenarioLoader::blank_text(const YamlNode& node, const std::string& what, const Json& properties) {
  if (!as_text(node, what, diagnostics_)) return {};
  auto wrong = [&](size_t offset, std::string message) {
    diagnostics_.add(node.origin.at(node.text, offset), std::move(message), node.origin.source);
  };
  const size_t before = diagnostics_.size();
  std::string aside = blanks_aside(node.text, [&](const TextPart& blank, size_t offset) {
    const bool argument = blank.from == TextPart::From::argument;
    const std::vector<std::string> known = argument ? names_of(properties) : state_names();
    if (std::find(known.begin(), known.end(), blank.text) == known.end())
      wrong(offset,
            fmt::format("there is no {}.{}; {}", argument ? "args" : "state", blank.text, guess(blank.text, known)));
  });
  for (const char* word : {"args", "state"})
    if (size_t at = spoken_of(aside, word); at != std::string::npos && !names_.values.count(word))
      wrong(at, fmt::format("{0} can only be put in as it is, {{{{ {0}.NAME }}}}, without filters, functions or `if`",
                            word));
  if (diagnostics_.size() > before) return {};
  return Template::compile(std::move(aside), node.origin, names_, diagnostics_);
}

ValuePlan ScenarioLoader::value(const YamlNode& node, const std::string& what, const Json& properties) {
  ValuePlan made;
  if (node.kind != YamlNode::Kind::text) {
    mistake(node, fmt::format("{} must be a whole number, a text, true or false; found {}", what, node.kind_name()));
    return made;
  }
  made.fixed = to_json(node);
  if (made.fixed.is_string()) made.text = blank_text(node, what, properties);
  return made;
}

}  // namespace assay
