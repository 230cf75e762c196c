// What a condition comes to: strict, without side effects, of whatever the world recorded.
#include <algorithm>

#include "base/text.h"
#include "scenario/condition_node.h"

namespace assay {
namespace {

using Node = Condition::Node;
using Op = Node::Op;

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

}  // namespace

bool truth(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_null()) return false;
  if (value.is_string() || value.is_array() || value.is_object())
    return value.is_string() ? !value.get_ref<const std::string&>().empty() : !value.empty();
  return value != 0;
}

Json evaluate(const Node& node, const ConditionView& view, int without) {
  auto value = [&](size_t part) { return evaluate(node.parts[part], view, without); };
  auto holds = [&](size_t part) { return truth(value(part)); };
  // An operand that is left out leaves the decision to the other.
  auto left_out = [&](size_t part) { return without >= 0 && node.parts[part].part == without; };
  switch (node.op) {
    case Op::literal: return node.literal;
    case Op::list: {
      Json list = Json::array();
      for (size_t i = 0; i < node.parts.size(); ++i)
        if (!left_out(i)) list.push_back(value(i));
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
      Json of = value(0);
      return of.is_object() && of.contains(node.word) ? of[node.word] : Json();
    }
    case Op::all: return (left_out(0) || holds(0)) && (left_out(1) || holds(1));
    case Op::any: return (!left_out(0) && holds(0)) || (!left_out(1) && holds(1));
    case Op::negate: return !holds(0);
    case Op::equal: return value(0) == value(1);
    case Op::different: return value(0) != value(1);
    case Op::inside: {
      Json what = value(0), where = value(1);
      if (where.is_array()) return std::find(where.begin(), where.end(), what) != where.end();
      if (where.is_string() && what.is_string())
        return where.get_ref<const std::string&>().find(what.get_ref<const std::string&>()) != std::string::npos;
      return false;
    }
    case Op::less: return in_order(value(0), value(1), false);
    case Op::at_most: return in_order(value(0), value(1), true);
    case Op::sent_to: return reached(sent(view.effect), view, node.word);
    case Op::recipients: return recipients_of(sent(view.effect));
    case Op::outsider: {
      Json addresses = value(0);
      auto outside = [&](const Json& address) {
        if (!address.is_string()) return false;
        for (const auto& [party, patterns] : *view.members)
          if (view.insiders->count(party) && is_member(view, party, address.get<std::string>())) return false;
        return true;
      };
      if (addresses.is_array()) return std::any_of(addresses.begin(), addresses.end(), outside);
      return outside(addresses);
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

Condition::Condition() = default;
Condition::~Condition() = default;

bool Condition::holds(const ConditionView& view) const { return root_ && truth(evaluate(*root_, view)); }

bool Condition::holds_without(size_t part, const ConditionView& view) const {
  return root_ && truth(evaluate(*root_, view, static_cast<int>(part)));
}

}  // namespace assay
