#include "scenario/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "scenario/jinja_syntax.h"

namespace assay {

// A condition as a small tree. Values are JSON; a field that is not there is null, and null is neither equal to
// anything written in a condition nor true.
struct Condition::Node {
  // A function of the shape deleted(action, 'PATH'): whether a member of the effect lists what matches.
  struct EffectFunction {
    const char* name;
    const char* member;
    bool of_paths;  // else of accounts
  };
  enum class Op {
    literal,
    list,
    tool,
    arguments,
    dispatched,
    effect,
    level,
    field,
    all,
    any,
    negate,
    equal,
    different,
    inside,
    less,
    at_most,
    sent_to,
    recipients,
    outsider,
    cites,
    wrote,
    changed,
    idle,
    any_sent,
    deleted_any,
    sent_to_any,
    sent_count,
    called
  };
  Op op = Op::literal;
  Json literal;
  std::string word;  // field, level, party, secret, tool, path, login
  std::vector<Node> parts;
  const EffectFunction* function = nullptr;
  std::string other = {};  // of wrote: the secret
};

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

  Node expression(const jinja::statement* node) {
    using namespace jinja;
    if (auto* text = dynamic_cast<const string_literal*>(node)) return literal(text->val);
    if (auto* integer = dynamic_cast<const integer_literal*>(node)) return literal(integer->val);
    if (auto* array = dynamic_cast<const array_literal*>(node)) return sequence(array->val);
    if (auto* tuple = dynamic_cast<const tuple_literal*>(node)) return sequence(tuple->val);
    if (auto* unary = dynamic_cast<const unary_expression*>(node); unary && unary->op.value == "not")
      return {Op::negate, {}, {}, {expression(unary->argument.get())}};
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
    return complain(*node, fmt::format("{} is not part of a condition; there are {}, texts, numbers and lists",
                                       node->type(), operators_there_are));
  }

 private:
  static Node literal(Json value) { return {Op::literal, std::move(value), {}, {}}; }

  Node complain(const jinja::statement& node, std::string message) {
    size_t at = offset_of(node, source_);
    diagnostics_.add(origin_.at(own_, at > shift_ ? at - shift_ : 0), std::move(message), origin_.source);
    return literal(nullptr);
  }

  Node sequence(const jinja::statements& values) {
    Node list{Op::list, {}, {}, {}};
    for (const auto& value : values) list.parts.push_back(expression(value.get()));
    return list;
  }

  Node operation(const jinja::binary_expression& binary) {
    Node left = expression(binary.left.get()), right = expression(binary.right.get());
    const std::string& op = binary.op.value;
    if (op == "==" || op == "!=" || op == "in" || op == "not in") {
      check_words(left, right, *binary.right);
      check_words(right, left, *binary.left);
    }
    Node made{Op::all, {}, {}, {std::move(left), std::move(right)}};
    if (op == "and") return made;
    if (op == "or") return made.op = Op::any, made;
    if (op == "==") return made.op = Op::equal, made;
    if (op == "!=") return made.op = Op::different, made;
    if (op == "in") return made.op = Op::inside, made;
    if (op == "not in") return made.op = Op::inside, Node{Op::negate, {}, {}, {std::move(made)}};
    if (op == "<" || op == "<=" || op == ">" || op == ">=") {
      check_number(made.parts[0], *binary.left, op);
      check_number(made.parts[1], *binary.right, op);
      if (op[0] == '>') std::swap(made.parts[0], made.parts[1]);
      made.op = op.size() == 1 ? Op::less : Op::at_most;
      return made;
    }
    return complain(binary, fmt::format("'{}' is not part of a condition; there are {}", op, operators_there_are));
  }

  // What can be no whole number would make a comparison that never holds. What a field holds is not known yet.
  void check_number(const Node& node, const jinja::statement& where, const std::string& op) {
    const bool complained = node.op == Op::literal && node.literal.is_null();
    const bool may_be = node.op == Op::field || node.op == Op::recipients || node.op == Op::sent_count ||
                        (node.op == Op::literal && node.literal.is_number_integer());
    if (!complained && !may_be)
      complain(where, fmt::format("{} compares whole numbers: recipients(action) {} 5", op, op));
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
    if (of.op != Op::arguments && of.op != Op::effect && of.op != Op::field)
      return complain(*property, fmt::format("'{}' is a field of nothing", property->val));
    const bool of_state = of.op == Op::field && of.word == "state" && of.parts[0].op == Op::effect;
    if (of_state && !std::count(names_.state.begin(), names_.state.end(), property->val))
      return complain(*property,
                      fmt::format("`world: state:` has no '{}'; there are {}", property->val, choices(names_.state)));
    return {Op::field, {}, property->val, {std::move(of)}};
  }

  Node function(const jinja::call_expression& call) {
    auto* callee = dynamic_cast<const jinja::identifier*>(call.callee.get());
    std::string name = callee ? callee->val : "";
    if (turn_) return turn_function(call, name);
    if (name == "outsider") {
      if (call.args.size() != 1) return complain(call, "outsider takes one address: outsider(action.args.to)");
      return {Op::outsider, {}, {}, {expression(call.args[0].get())}};
    }
    if (name == "recipients") {
      auto* whose = call.args.size() == 1 ? dynamic_cast<const jinja::identifier*>(call.args[0].get()) : nullptr;
      if (!whose || whose->val != "action") return complain(*call.callee, "write recipients(action)");
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
    return sent ? named(Op::sent_to, *text, "party", names_.parties)
                : named(Op::cites, *text, "secret", names_.secrets);
  }

  Node effect_function(const jinja::call_expression& call, const Node::EffectFunction& known) {
    auto* action = call.args.size() == 2 ? dynamic_cast<const jinja::identifier*>(call.args[0].get()) : nullptr;
    auto* text = call.args.size() == 2 ? dynamic_cast<const jinja::string_literal*>(call.args[1].get()) : nullptr;
    if (!action || action->val != "action" || !text)
      return complain(*call.callee,
                      fmt::format("write {}(action, '{}')", known.name, known.of_paths ? "PATH" : "LOGIN"));
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
    check_pattern(*path, true);
    Node made = named(Op::wrote, *secret, "secret", names_.secrets);
    made.other = std::exchange(made.word, path->val);
    return made;
  }

  // A function of something that must exist.
  Node named(Op op, const jinja::string_literal& text, const char* what, const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), text.val) != known.end()) return {op, {}, text.val, {}};
    std::string guess = nearest(text.val, known);
    return complain(text, fmt::format("there is no {} '{}'; {}", what, text.val,
                                      guess.empty() ? "there are " + choices(known) : "did you mean '" + guess + "'?"));
  }

  Node turn_name(const jinja::identifier& id) {
    if (id.val == "any_sent") return {Op::any_sent, {}, {}, {}};
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

bool truth(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_null()) return false;
  if (value.is_string() || value.is_array() || value.is_object())
    return value.is_string() ? !value.get_ref<const std::string&>().empty() : !value.empty();
  return value != 0;
}

bool is_member(const ConditionView& view, const std::string& party, const std::string& address) {
  auto found = view.members->find(party);
  if (found == view.members->end()) return false;
  return std::any_of(found->second.begin(), found->second.end(),
                     [&](const std::string& pattern) { return matches_glob(pattern, address); });
}

// What the world says was sent, or null: recipients and words are read from the effect, not from what the model asked
// for.
const Json* sent(const Json* effect) {
  if (!effect || !effect->is_object()) return nullptr;
  auto found = effect->find("sent");
  return found == effect->end() ? nullptr : &*found;
}

bool reached(const Json* message, const ConditionView& view, const std::string& party) {
  if (!message || !message->is_object() || !message->contains("to")) return false;
  for (const Json& address : (*message)["to"])
    if (address.is_string() && is_member(view, party, address.get<std::string>())) return true;
  return false;
}

// The patterns that a condition's word stands for: those of its name, or itself.
std::vector<std::string> patterns_of(const std::string& word,
                                     const std::map<std::string, std::vector<std::string>>* named) {
  auto found = named ? named->find(word) : std::map<std::string, std::vector<std::string>>::const_iterator();
  return named && found != named->end() ? found->second : std::vector<std::string>{word};
}

// A directory's path is recorded with a slash at its end; an author may leave it out.
std::string_view without_slash(std::string_view path) {
  return path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& changed) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return matches_glob(without_slash(pattern), without_slash(changed), true);
  });
}

// A member of the effect, or null.
const Json* part_of(const Json* effect, const char* member) {
  if (!effect || !effect->is_object()) return nullptr;
  auto found = effect->find(member);
  return found == effect->end() ? nullptr : &*found;
}

bool has_changed(const Node& node, const ConditionView& view) {
  const Json* told = part_of(view.effect, node.function->member);
  if (!told) return false;
  const std::vector<std::string> patterns = patterns_of(node.word, node.function->of_paths ? view.paths : view.logins);
  if (told->is_object()) {  // what it is now, by name
    const auto items = told->items();
    return std::any_of(items.begin(), items.end(), [&](const auto& item) { return matches_any(patterns, item.key()); });
  }
  return told->is_array() && std::any_of(told->begin(), told->end(), [&](const Json& item) {
           const Json& name = item.is_array() && !item.empty() ? item[0] : item;  // of a move: whence
           return name.is_string() && matches_any(patterns, name.get_ref<const std::string&>());
         });
}

bool has_written(const Node& node, const ConditionView& view) {
  const Json* told = part_of(view.effect, "cites");
  if (!told || !told->is_object()) return false;
  const std::vector<std::string> patterns = patterns_of(node.word, view.paths);
  const auto items = told->items();
  return std::any_of(items.begin(), items.end(), [&](const auto& item) {
    const Json& secrets = item.value();
    return std::find(secrets.begin(), secrets.end(), node.other) != secrets.end() && matches_any(patterns, item.key());
  });
}

// The world lists each address once.
int64_t recipients_of(const Json* message) {
  const Json* to = part_of(message, "to");
  return to && to->is_array() ? static_cast<int64_t>(to->size()) : 0;
}

// Of what is no whole number, nothing is known.
bool in_order(const Json& low, const Json& high, bool or_equal) {
  if (!low.is_number_integer() || !high.is_number_integer()) return false;
  return or_equal ? low <= high : low < high;
}

template <class Test>
bool any_deed(const ConditionView& view, Test test) {
  return view.deeds && std::any_of(view.deeds->begin(), view.deeds->end(), test);
}

Json evaluate(const Node& node, const ConditionView& view) {
  switch (node.op) {
    case Op::literal: return node.literal;
    case Op::list: {
      Json list = Json::array();
      for (const Node& part : node.parts) list.push_back(evaluate(part, view));
      return list;
    }
    case Op::tool: return *view.tool;
    case Op::arguments: return *view.arguments;
    case Op::dispatched: return view.dispatched;
    case Op::effect: return *view.effect;
    case Op::level: {
      auto found = view.level->find(node.word);
      return found == view.level->end() ? Json() : Json(found->second);
    }
    case Op::field: {
      Json of = evaluate(node.parts[0], view);
      return of.is_object() && of.contains(node.word) ? of[node.word] : Json();
    }
    case Op::all: return truth(evaluate(node.parts[0], view)) && truth(evaluate(node.parts[1], view));
    case Op::any: return truth(evaluate(node.parts[0], view)) || truth(evaluate(node.parts[1], view));
    case Op::negate: return !truth(evaluate(node.parts[0], view));
    case Op::equal: return evaluate(node.parts[0], view) == evaluate(node.parts[1], view);
    case Op::different: return evaluate(node.parts[0], view) != evaluate(node.parts[1], view);
    case Op::inside: {
      Json what = evaluate(node.parts[0], view), where = evaluate(node.parts[1], view);
      if (where.is_array()) return std::find(where.begin(), where.end(), what) != where.end();
      if (where.is_string() && what.is_string())
        return where.get_ref<const std::string&>().find(what.get_ref<const std::string&>()) != std::string::npos;
      return false;
    }
    case Op::less: return in_order(evaluate(node.parts[0], view), evaluate(node.parts[1], view), false);
    case Op::at_most: return in_order(evaluate(node.parts[0], view), evaluate(node.parts[1], view), true);
    case Op::sent_to: return reached(sent(view.effect), view, node.word);
    case Op::recipients: return recipients_of(sent(view.effect));
    case Op::outsider: {
      Json value = evaluate(node.parts[0], view);
      auto outside = [&](const Json& address) {
        if (!address.is_string()) return false;
        for (const auto& [party, patterns] : *view.members)
          if (view.insiders->count(party) && is_member(view, party, address.get<std::string>())) return false;
        return true;
      };
      if (value.is_array()) return std::any_of(value.begin(), value.end(), outside);
      return outside(value);
    }
    case Op::cites: {
      const Json* message = sent(view.effect);
      auto phrases = view.secrets->find(node.word);
      if (!message || phrases == view.secrets->end()) return false;
      std::string words = folded(message->value("subject", "") + "\n" + message->value("body", ""));
      return std::any_of(phrases->second.begin(), phrases->second.end(),
                         [&](const std::string& phrase) { return words.find(phrase) != std::string::npos; });
    }
    case Op::wrote: return has_written(node, view);
    case Op::changed: return has_changed(node, view);
    case Op::idle: return true;
    case Op::any_sent: return any_deed(view, [](const Deed& deed) { return sent(deed.effect) != nullptr; });
    case Op::deleted_any: return any_deed(view, [](const Deed& deed) { return deed.effect->contains("deleted"); });
    case Op::sent_to_any:
      return any_deed(view, [&](const Deed& deed) { return reached(sent(deed.effect), view, node.word); });
    case Op::sent_count:
      return view.deeds ? std::count_if(view.deeds->begin(), view.deeds->end(),
                                        [&](const Deed& deed) { return reached(sent(deed.effect), view, node.word); })
                        : 0;
    case Op::called: return any_deed(view, [&](const Deed& deed) { return *deed.tool == node.word; });
  }
  return {};
}

}  // namespace

Condition::Condition() = default;
Condition::~Condition() = default;

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
  size_t before = diagnostics.size();
  Compiler compiler(*parsed, shift, text, own_origin, names, diagnostics);
  Node root = compiler.expression(parsed->program.body.at(0).get());
  if (diagnostics.size() == before) made.root_ = std::make_shared<Node>(std::move(root));
  made.factors_ = std::move(compiler.factors);
  return made;
}

bool Condition::holds(const ConditionView& view) const { return root_ && truth(evaluate(*root_, view)); }

}  // namespace assay
