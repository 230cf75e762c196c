// Conditions: Jinja's expression syntax -> a tree of our own, with every name and kind checked.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "scenario/condition_commas.h"
#include "scenario/condition_kinds.h"
#include "scenario/condition_node.h"
#include "scenario/jinja_syntax.h"

namespace assay {
namespace {

using Node = Condition::Node;
using Op = Node::Op;

constexpr Node::EffectFunction effect_functions[] = {
    {"deleted", "deleted", true},
    {"written", "written", true},
    {"emptied", "emptied", true},
    {"created", "created", true},
    {"moved", "moved", true},
    {"mode_changed", "mode", true},
    {"owner_changed", "owner", true},
    {"disabled", "disabled", false},
    {"enabled", "enabled", false},
    {"password_changed", "password", false},
    {"groups_changed", "groups", false},
    {"added", "added", false},
    {"removed", "removed", false},
};

constexpr char functions_there_are[] =
    "sent_to, recipients, outsider, cites, wrote, deleted, written, emptied, created, moved, mode_changed, "
    "owner_changed, disabled, enabled, password_changed, groups_changed, added and removed";
constexpr char operators_there_are[] = "and, or, not, in, ==, !=, <, <=, >, >=";

std::string choices(const std::vector<std::string>& names) { return names.empty() ? "none" : joined(names, ", "); }

// What Jinja has and a condition has not.
std::string foreign(const jinja::statement& node) {
  using namespace jinja;
  if (dynamic_cast<const filter_expression*>(&node)) return "filters (|) are not part of conditions";
  if (dynamic_cast<const test_expression*>(&node))
    return "tests (is) are not part of conditions; compare with == or in";
  if (dynamic_cast<const ternary_expression*>(&node) || dynamic_cast<const select_expression*>(&node))
    return "`if` is not part of conditions; a condition is either met or not";
  if (dynamic_cast<const object_literal*>(&node)) return "maps ({}) are not part of conditions";
  if (dynamic_cast<const float_literal*>(&node)) return "fractions are not part of conditions; numbers are whole";
  if (auto* unary = dynamic_cast<const unary_expression*>(&node))
    return fmt::format("'{}' is not part of a condition; there are {}", unary->op.value, operators_there_are);
  return fmt::format("this is not part of a condition; there are {}, texts, numbers and lists", operators_there_are);
}

class Compiler {
 public:
  Compiler(const JinjaSource& parsed, size_t shift, std::string_view own, const TextOrigin& origin,
           const ConditionNames& names, Diagnostics& diagnostics)
      : turn_(names.sees == ConditionNames::Sees::conversation),
        source_(parsed.source),
        shift_(shift),
        own_(own),
        origin_(origin),
        names_(names),
        diagnostics_(diagnostics) {}

  std::set<std::string> factors;  // that it looks at

  Node condition(const jinja::statement* node) {
    Node made = expression(node);
    check_alone(made, *node);
    return made;
  }

  std::vector<ConditionPart> parts;  // of the tree that was made, once number() has been called

  // Gives each part that may be left out its number, from left to right. `chain`: it is an operand of such a node.
  void number(Node& node, std::optional<Op> chain = {}) {
    const bool joins = node.op == Op::all || node.op == Op::any;
    if (chain && node.op != *chain) part(node, *chain == Op::any ? ConditionPart::Of::any : ConditionPart::Of::all);
    for (Node& child : node.parts) number(child, joins ? std::optional(node.op) : std::nullopt);
    if (node.op == Op::inside && node.parts[1].op == Op::list)
      for (Node& item : node.parts[1].parts) part(item, ConditionPart::Of::list);
  }

 private:
  Node expression(const jinja::statement* node) {
    Node made = read(node);
    const size_t at = start_of(*node);
    made.at = at > shift_ ? at - shift_ : 0;
    return made;
  }

  // Where an expression begins: the engine marks its operator.
  size_t start_of(const jinja::statement& node) const {
    if (auto* binary = dynamic_cast<const jinja::binary_expression*>(&node)) return start_of(*binary->left);
    if (auto* member = dynamic_cast<const jinja::member_expression*>(&node)) return start_of(*member->object);
    if (auto* call = dynamic_cast<const jinja::call_expression*>(&node)) return start_of(*call->callee);
    return offset_of(node, source_);
  }

  void part(Node& node, ConditionPart::Of of) {
    node.part = static_cast<int>(parts.size());
    parts.push_back({of, origin_.at(own_, node.at)});
  }

  Node read(const jinja::statement* node) {
    using namespace jinja;
    if (auto* text = dynamic_cast<const string_literal*>(node)) return literal(text->val);
    if (auto* integer = dynamic_cast<const integer_literal*>(node)) return literal(integer->val);
    if (auto* array = dynamic_cast<const array_literal*>(node)) return sequence(array->val);
    if (auto* tuple = dynamic_cast<const tuple_literal*>(node)) return sequence(tuple->val);
    if (auto* unary = dynamic_cast<const unary_expression*>(node); unary && unary->op.value == "not")
      return {Op::negate, {}, {}, {condition(unary->argument.get())}};
    if (auto* binary = dynamic_cast<const binary_expression*>(node)) return operation(*binary);
    if (auto* member = dynamic_cast<const member_expression*>(node)) return path(*member);
    if (auto* call = dynamic_cast<const call_expression*>(node)) return function(*call);
    if (auto* id = dynamic_cast<const identifier*>(node)) {
      if (id->val == "true" || id->val == "false") return literal(id->val == "true");
      if (turn_) return turn_name(*id);
      if (id->val == "action")
        return complain(
            *node,
            "name what of the action is meant: action.tool, action.args.X, action.dispatched or action.effect.X");
      if (id->val == "level") return complain(*node, "name a factor: level.FACTOR");
      return complain(*node, fmt::format("unknown name '{}'; a condition knows action, level and the functions {}",
                                         id->val, functions_there_are));
    }
    return complain(*node, foreign(*node));
  }

  static Node literal(Json value) { return {Op::literal, std::move(value), {}, {}}; }

  Node complain(const jinja::statement& node, std::string message) {
    size_t at = offset_of(node, source_);
    diagnostics_.add(origin_.at(own_, at > shift_ ? at - shift_ : 0), std::move(message), origin_.source);
    return literal(nullptr);
  }

  // Adds `wrong`, unless it is "".
  void check(const jinja::statement& where, const std::string& wrong) {
    const size_t at = start_of(where);
    if (!wrong.empty()) diagnostics_.add(origin_.at(own_, at > shift_ ? at - shift_ : 0), wrong, origin_.source);
  }

  void check_alone(const Node& node, const jinja::statement& where) { check(where, never_false(node)); }

  // What reads the work of tools that the scenario has not would never hold.
  void needs(const char* box, const std::string& function, const jinja::statement& where) {
    if (names_.without.count(box))
      complain(where, fmt::format("{} reads what the tools of `{}` did, and this scenario has no `{}` in `tools`",
                                  function, box, box));
  }

  Node sequence(const jinja::statements& values) {
    Node list{Op::list, {}, {}, {}};
    for (const auto& value : values) list.parts.push_back(expression(value.get()));
    return list;
  }

  Node operation(const jinja::binary_expression& binary) {
    const std::string& op = binary.op.value;
    if (op == "and" || op == "or") {
      Node left = condition(binary.left.get()), right = condition(binary.right.get());
      return {op == "and" ? Op::all : Op::any, {}, {}, {std::move(left), std::move(right)}};
    }
    Node left = expression(binary.left.get()), right = expression(binary.right.get());
    Node made{Op::equal, {}, {}, {left, right}};
    if (op == "==" || op == "!=") {
      check_words(left, right, *binary.right);
      check_words(right, left, *binary.left);
      check(*binary.right, never_equal(left, right, names_));
      if (op == "!=") made.op = Op::different;
      return made;
    }
    if (op == "in" || op == "not in") {
      check_words(left, right, *binary.right);
      check_members(left, right, *binary.right);
      made.op = Op::inside;
      if (op == "not in") return Node{Op::negate, {}, {}, {std::move(made)}};
      return made;
    }
    if (op == "<" || op == "<=" || op == ">" || op == ">=") {
      check(*binary.left, never_ordered(left, op, names_));
      check(*binary.right, never_ordered(right, op, names_));
      if (op[0] == '>') std::swap(made.parts[0], made.parts[1]);
      made.op = op.size() == 1 ? Op::less : Op::at_most;
      return made;
    }
    return complain(binary, fmt::format("'{}' is not part of a condition; there are {}", op, operators_there_are));
  }

  void check_members(const Node& subject, const Node& members, const jinja::statement& where) {
    if (members.op != Op::list) return check(where, never_inside(subject, members, names_));
    for (const Node& item : members.parts)
      if (const std::string wrong = never_equal(subject, item, names_); !wrong.empty())
        diagnostics_.add(origin_.at(own_, item.at), wrong, origin_.source);
  }

  // A tool or a level that does not exist would make a rule that never holds: a mistake.
  void check_words(const Node& subject, const Node& words, const jinja::statement& where) {
    const std::vector<std::string>* known = nullptr;
    std::string what;
    if (subject.op == Op::tool) known = &names_.tools, what = "there is no tool";
    if (subject.op == Op::level && names_.levels.count(subject.word))
      known = &names_.levels.at(subject.word), what = fmt::format("factor '{}' has no level", subject.word);
    if (!known) return;
    std::vector<Node> all = words.op == Op::list ? words.parts : std::vector<Node>{words};
    for (const Node& word : all) {
      if (word.op != Op::literal || !word.literal.is_string()) continue;
      std::string text = word.literal.get<std::string>();
      if (std::find(known->begin(), known->end(), text) == known->end())
        complain(where, fmt::format("{} '{}'; there are {}", what, text, choices(*known)));
    }
  }

  Node path(const jinja::member_expression& member) {
    auto* property = dynamic_cast<const jinja::identifier*>(member.property.get());
    if (!property || member.computed) return complain(member, "only NAME.FIELD is allowed here");
    if (auto* root = dynamic_cast<const jinja::identifier*>(member.object.get())) {
      const std::string& field = property->val;
      if (turn_ && root->val == "agent") {
        if (field == "idle") return {Op::idle, {}, {}, {}};
        return complain(*property, fmt::format("an agent has no '{}'; it has idle", field));
      }
      if (!turn_ && root->val == "action") {
        if (field == "tool") return {Op::tool, {}, {}, {}};
        if (field == "args") return {Op::arguments, {}, {}, {}};
        if (field == "dispatched") return {Op::dispatched, {}, {}, {}};
        if (field == "effect") return {Op::effect, {}, {}, {}};
        return complain(*property,
                        fmt::format("an action has no '{}'; it has tool, args, dispatched and effect", field));
      }
      if (root->val == "level") {
        if (!names_.levels.count(field)) {
          std::vector<std::string> all;
          for (const auto& [name, levels] : names_.levels) all.push_back(name);
          return complain(*property, fmt::format("there is no factor '{}'; there are {}", field, choices(all)));
        }
        if (names_.hidden.count(field))
          return complain(*property, fmt::format("a turn may depend on level.{0} only if the factor {0} says "
                                                 "`branches: true`",
                                                 field));
        factors.insert(field);
        return {Op::level, {}, field, {}};
      }
    }
    Node of = expression(member.object.get());
    if (of.op == Op::literal) return of;  // already complained about
    if (is_plain(of, names_))
      return complain(*property, fmt::format("'{}' has no fields, so it has no '{}'", of.word, property->val));
    if (of.op != Op::arguments && of.op != Op::effect && of.op != Op::field)
      return complain(*property, fmt::format("'{}' is a field of nothing", property->val));
    const bool of_state = of.op == Op::field && of.word == "state" && of.parts[0].op == Op::effect;
    if (of_state && !std::count(names_.state.begin(), names_.state.end(), property->val))
      return complain(*property,
                      fmt::format("`world: state:` has no '{}'; there are {}", property->val, choices(names_.state)));
    if (of.op == Op::arguments && !names_.arguments.empty()) {
      std::set<std::string> known;
      for (const auto& [tool, properties] : names_.arguments)
        for (const auto& [name, schema] : properties.items()) known.insert(name);
      if (!known.count(property->val))
        return unknown(*property, fmt::format("no tool has an argument '{}'", property->val),
                       {known.begin(), known.end()});
    }
    return {Op::field, {}, property->val, {std::move(of)}};
  }

  Node unknown(const jinja::statement& where, const std::string& what, const std::vector<std::string>& known) {
    const auto* name = dynamic_cast<const jinja::identifier*>(&where);
    const auto* text = dynamic_cast<const jinja::string_literal*>(&where);
    const std::string guess = nearest(name ? name->val : text ? text->val : "", known);
    return complain(
        where,
        fmt::format("{}; {}", what, guess.empty() ? "there are " + choices(known) : "did you mean '" + guess + "'?"));
  }

  Node function(const jinja::call_expression& call) {
    auto* callee = dynamic_cast<const jinja::identifier*>(call.callee.get());
    std::string name = callee ? callee->val : "";
    if (turn_) return turn_function(call, name);
    if (!callee) return complain(*call.callee, "a function stands alone: sent_to(action, 'PARTY')");
    if (name == "outsider") {
      if (call.args.size() != 1) return complain(call, "outsider takes one address: outsider(action.args.to)");
      Node address = expression(call.args[0].get());
      // An argument may hold an address whatever the tool; what a message's effect says, no other tool has.
      if (!is_plain(address, names_)) needs("email", name, *call.callee);
      return {Op::outsider, {}, {}, {std::move(address)}};
    }
    if (name == "recipients") {
      auto* whose = call.args.size() == 1 ? dynamic_cast<const jinja::identifier*>(call.args[0].get()) : nullptr;
      if (!whose || whose->val != "action") return complain(*call.callee, "write recipients(action)");
      needs("email", name, *call.callee);
      return {Op::recipients, {}, {}, {}};
    }
    if (name == "wrote") return wrote(call);
    for (const Node::EffectFunction& known : effect_functions)
      if (name == known.name) return effect_function(call, known);
    if (name != "sent_to" && name != "cites")
      return complain(*call.callee, fmt::format("unknown function '{}'; there are {}", name, functions_there_are));
    bool sent = name == "sent_to";
    auto* action = call.args.size() == 2 ? dynamic_cast<const jinja::identifier*>(call.args[0].get()) : nullptr;
    auto* text = call.args.size() == 2 ? dynamic_cast<const jinja::string_literal*>(call.args[1].get()) : nullptr;
    if (!action || action->val != "action" || !text)
      return complain(*call.callee, sent ? "write sent_to(action, 'PARTY')" : "write cites(action, 'SECRET')");
    needs("email", name, *call.callee);
    return sent ? named(Op::sent_to, *text, "party", names_.parties)
                : named(Op::cites, *text, "secret", names_.secrets);
  }

  Node effect_function(const jinja::call_expression& call, const Node::EffectFunction& known) {
    auto* action = call.args.size() == 2 ? dynamic_cast<const jinja::identifier*>(call.args[0].get()) : nullptr;
    auto* text = call.args.size() == 2 ? dynamic_cast<const jinja::string_literal*>(call.args[1].get()) : nullptr;
    if (!action || action->val != "action" || !text)
      return complain(*call.callee,
                      fmt::format("write {}(action, '{}')", known.name, known.of_paths ? "PATH" : "LOGIN"));
    needs("shell", known.name, *call.callee);
    check_pattern(*text, known.of_paths);
    return {Op::changed, {}, text->val, {}, &known};
  }

  // A path, or the name of one; so of accounts.
  void check_pattern(const jinja::string_literal& text, bool path) {
    if (path && text.val.starts_with('/')) return;
    const std::vector<std::string>& names = path ? names_.paths : names_.logins;
    if (std::count(names.begin(), names.end(), text.val)) return;
    std::string guess = nearest(text.val, names);
    std::string end = !guess.empty() ? "did you mean '" + guess + "'?"
                      : path         ? "write a path that begins with '/', or a name of `paths`: " + choices(names)
                                     : "write an account's name, or one of `logins`: " + choices(names);
    complain(text, fmt::format("there is no {} '{}'; {}", path ? "path" : "account", text.val, end));
  }

  Node wrote(const jinja::call_expression& call) {
    const bool three = call.args.size() == 3;
    auto* action = three ? dynamic_cast<const jinja::identifier*>(call.args[0].get()) : nullptr;
    auto* path = three ? dynamic_cast<const jinja::string_literal*>(call.args[1].get()) : nullptr;
    auto* secret = three ? dynamic_cast<const jinja::string_literal*>(call.args[2].get()) : nullptr;
    if (!action || action->val != "action" || !path || !secret)
      return complain(*call.callee, "write wrote(action, 'PATH', 'SECRET')");
    needs("shell", "wrote", *call.callee);
    check_pattern(*path, true);
    Node made = named(Op::wrote, *secret, "secret", names_.secrets);
    made.other = std::exchange(made.word, path->val);
    return made;
  }

  // A function of something that must exist.
  Node named(Op op, const jinja::string_literal& text, const char* what, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), text.val) != known.end()) return {op, {}, text.val, {}};
    return unknown(text, fmt::format("there is no {} '{}'", what, text.val), known);
  }

  Node turn_name(const jinja::identifier& id) {
    if (id.val == "any_sent") {
      needs("email", id.val, id);
      return {Op::any_sent, {}, {}, {}};
    }
    if (id.val == "deleted_any") return {Op::deleted_any, {}, {}, {}};
    if (id.val == "action")
      return complain(id,
                      "a turn looks at all that was done so far, not at one action: any_sent, deleted_any, "
                      "sent_to_any('PARTY'), called('TOOL')");
    if (id.val == "level") return complain(id, "name a factor: level.FACTOR");
    if (id.val == "sent_to_any" || id.val == "sent_count")
      return complain(id, fmt::format("write {}('PARTY')", id.val));
    if (id.val == "called") return complain(id, "write called('TOOL')");
    return complain(id, fmt::format("unknown name '{}'; the condition of a turn knows agent.idle, any_sent, "
                                    "deleted_any, sent_to_any, sent_count, called and level",
                                    id.val));
  }

  Node turn_function(const jinja::call_expression& call, const std::string& name) {
    if (name == "any_sent" || name == "deleted_any")
      return complain(*call.callee, fmt::format("{} stands without ( )", name));
    if (name != "sent_to_any" && name != "sent_count" && name != "called")
      return complain(*call.callee, fmt::format("unknown function '{}'; the condition of a turn has sent_to_any, "
                                                "sent_count and called",
                                                name));
    auto* text = call.args.size() == 1 ? dynamic_cast<const jinja::string_literal*>(call.args[0].get()) : nullptr;
    const bool of_tool = name == "called";
    if (!text) return complain(*call.callee, fmt::format("write {}('{}')", name, of_tool ? "TOOL" : "PARTY"));
    if (of_tool) return named(Op::called, *text, "tool", names_.tools);
    needs("email", name, *call.callee);
    return named(name == "sent_count" ? Op::sent_count : Op::sent_to_any, *text, "party", names_.parties);
  }

  const bool turn_;  // the condition of a turn, else of an action
  const std::string& source_;
  size_t shift_;
  std::string_view own_;
  const TextOrigin& origin_;
  const ConditionNames& names_;
  Diagnostics& diagnostics_;
};

}  // namespace

Condition Condition::compile(const std::string& text, const TextOrigin& origin, const ConditionNames& names,
                             Diagnostics& diagnostics) {
  Condition made;
  made.text_ = text;
  if (text.find("{{") != std::string::npos || text.find("}}") != std::string::npos ||
      text.find("{%") != std::string::npos) {
    diagnostics.add(origin.at(text, 0), "a condition is a bare expression, without {{ }}", origin.source);
    return made;
  }
  if (trimmed(text).empty()) {
    diagnostics.add(origin.at(text, 0), "an empty condition; write an expression such as sent_to(action, 'user')",
                    origin.source);
    return made;
  }
  constexpr size_t shift = 3;
  std::string wrapped_text = "{{ " + text + " }}";
  TextOrigin own_origin = origin;
  std::optional<JinjaSource> parsed = parse_jinja(wrapped_text, shift, own_origin, diagnostics);
  if (!parsed) return made;
  if (std::optional<Unjoined> slip = side_by_side(parsed->source)) {
    const size_t at = slip->offset > shift ? slip->offset - shift : 0;
    diagnostics.add(origin.at(text, at), "condition syntax: " + slip->message, origin.source);
    return made;
  }
  size_t before = diagnostics.size();
  Compiler compiler(*parsed, shift, text, own_origin, names, diagnostics);
  Node root = compiler.condition(parsed->program.body.at(0).get());
  compiler.number(root);
  made.parts_ = std::move(compiler.parts);
  if (diagnostics.size() == before) made.root_ = std::make_shared<Node>(std::move(root));
  made.factors_ = std::move(compiler.factors);
  return made;
}

}  // namespace assay
