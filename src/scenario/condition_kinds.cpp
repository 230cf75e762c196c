#include "scenario/condition_kinds.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay {
namespace {

using Node = Condition::Node;
using Op = Node::Op;

// Sets of kinds, as bits.
enum Kind : unsigned { text = 1, number = 2, truth_value = 4, list = 8, anything = 15 };

std::string in_words(unsigned kinds) {
  std::vector<std::string> words;
  if (kinds & text) words.push_back("a text");
  if (kinds & number) words.push_back("a number");
  if (kinds & truth_value) words.push_back("true or false");
  if (kinds & list) words.push_back("a list");
  return joined(words, " or ");
}

unsigned kind_of_value(const Json& value) {
  if (value.is_string()) return text;
  if (value.is_number()) return number;
  if (value.is_boolean()) return truth_value;
  if (value.is_array()) return list;
  return anything;
}

unsigned kind_of_schema(const Json& schema) {
  const std::string type = schema.value("type", "string");
  if (type == "integer" || type == "number") return number;
  if (type == "boolean") return truth_value;
  return type == "array" ? list : text;
}

bool is_argument(const Node& node) { return node.op == Op::field && node.parts[0].op == Op::arguments; }

bool is_state(const Node& node) {
  if (node.op != Op::field) return false;
  const Node& of = node.parts[0];
  return of.op == Op::field && of.word == "state" && of.parts[0].op == Op::effect;
}

// What the tools that have such an argument say of it.
std::vector<Json> schemas_of(const Node& argument, const ConditionNames& names) {
  std::vector<Json> schemas;
  for (const auto& [tool, properties] : names.arguments)
    if (auto found = properties.find(argument.word); found != properties.end()) schemas.push_back(*found);
  return schemas;
}

unsigned kinds_of(const Node& node, const ConditionNames& names) {
  switch (node.op) {
    case Op::literal: return kind_of_value(node.literal);
    case Op::list: return list;
    case Op::tool:
    case Op::level: return text;
    case Op::recipients:
    case Op::sent_count: return number;
    case Op::arguments:
    case Op::effect: return anything;
    case Op::field: break;
    default: return truth_value;
  }
  unsigned kinds = 0;
  if (is_argument(node))
    for (const Json& schema : schemas_of(node, names)) kinds |= kind_of_schema(schema);
  if (auto found = names.values.find(node.word); is_state(node) && found != names.values.end())
    kinds = kind_of_value(found->second);
  return kinds ? kinds : static_cast<unsigned>(anything);
}

// As the author may have written it.
std::string written(const Node& node) {
  switch (node.op) {
    case Op::literal:
      return node.literal.is_string() ? "'" + for_terminal(clipped(node.literal.get<std::string>(), 60)) + "'"
                                      : to_line(node.literal);
    case Op::list: return "this list";
    case Op::tool: return "action.tool";
    case Op::level: return "level." + node.word;
    case Op::recipients: return "recipients(action)";
    case Op::sent_count: return fmt::format("sent_count('{}')", node.word);
    case Op::dispatched: return "action.dispatched";
    case Op::field:
      if (is_argument(node)) return "action.args." + node.word;
      if (is_state(node)) return "action.effect.state." + node.word;
      return node.word;
    default: return "this";
  }
}

// A value that no tool takes as this argument.
std::string not_allowed(const Node& argument, const Node& value, const ConditionNames& names) {
  if (!is_argument(argument) || value.op != Op::literal || value.literal.is_null()) return "";
  std::vector<std::string> allowed;
  for (const Json& schema : schemas_of(argument, names)) {
    if (!schema.contains("enum")) return "";
    for (const Json& one : schema["enum"]) {
      if (one == value.literal) return "";
      allowed.push_back(one.is_string() ? one.get<std::string>() : to_line(one));
    }
  }
  if (allowed.empty()) return "";
  return fmt::format("{} is never {}; it is one of {}", written(argument), written(value), joined(allowed, ", "));
}

}  // namespace

std::string never_equal(const Node& left, const Node& right, const ConditionNames& names) {
  const unsigned a = kinds_of(left, names), b = kinds_of(right, names);
  if ((a & b) == 0)
    return fmt::format("{} is {} and {} is {}, so they are never equal", written(left), in_words(a), written(right),
                       in_words(b));
  const std::string wrong = not_allowed(left, right, names);
  return wrong.empty() ? not_allowed(right, left, names) : wrong;
}

std::string never_inside(const Node& left, const Node& right, const ConditionNames& names) {
  const unsigned of = kinds_of(right, names), what = kinds_of(left, names);
  if ((of & (list | text)) == 0)
    return fmt::format("`in` looks into a list or a text, and {} is {}", written(right), in_words(of));
  if (of == text && (what & text) == 0)
    return fmt::format("{} is a text, which has no {} in it: write it in quotes", written(right), written(left));
  return "";
}

std::string never_ordered(const Node& side, const std::string& op, const ConditionNames& names) {
  const bool whole = side.op != Op::literal || side.literal.is_null() || side.literal.is_number_integer();
  const unsigned kinds = kinds_of(side, names);
  if (whole && (kinds & number)) return "";
  if (side.op == Op::field)
    return fmt::format("{} compares whole numbers, and {} is {}", op, written(side), in_words(kinds));
  return fmt::format("{} compares whole numbers: recipients(action) {} 5", op, op);
}

std::string never_false(const Node& node) {
  const bool written_out =
      (node.op == Op::literal && !node.literal.is_null() && !node.literal.is_boolean()) || node.op == Op::list;
  if (!written_out && node.op != Op::tool && node.op != Op::level) return "";
  return fmt::format("{} alone says nothing of what was done; compare it: action.tool in ['email_send', 'email_reply']",
                     written(node));
}

bool is_plain(const Node& node, const ConditionNames& names) {
  return (is_argument(node) && !schemas_of(node, names).empty()) || is_state(node);
}

}  // namespace assay
