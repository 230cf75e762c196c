#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "scenario/scenario_loader.h"

namespace assay {
namespace {

const std::vector<std::string> roles = {"developer", "owner", "operator", "user"};
const std::vector<std::string> channels = {"system", "user", "training", "none"};

}  // namespace

bool is_word(const std::string& name) {
  return !name.empty() && name.size() <= 64 && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

bool is_label(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

ScenarioLoader::ScenarioLoader(const std::string& key, const YamlNode& root, const Sources& sources, const Kinds* kinds,
                               Diagnostics& diagnostics)
    : root_(root), sources_(sources), kinds_(kinds), diagnostics_(diagnostics) {
  made_.file = key;
  size_t slash = key.rfind('/');
  folder_ = slash == std::string::npos ? "" : key.substr(0, slash + 1);
}

// The order is that of dependence: what later parts may name is known before they are read.
Scenario ScenarioLoader::load(const CodeTexts& codes) {
  made_.code_texts = codes;
  Fields top(root_, "a scenario", {"scenario", "family",  "title",  "variants", "principals", "affected",   "outsiders",
                                   "secrets",  "paths",   "logins", "factors",  "default",    "tools",      "system",
                                   "turns",    "world",   "limits", "task",     "closed",     "on_refusal", "on_idle",
                                   "acts",     "prelude", "agents", "check",    "dilemma"},
             {"scenario", "principals", "system", "turns", "task", "agents"}, diagnostics_);
  if (!top.is_map()) return std::move(made_);
  identity(top);
  names_.spoken_of = &spoken_of_;
  if (auto* node = top.get("variants")) variants(*node);
  if (auto* node = top.get("factors")) factor_names(*node);
  includes();
  if (auto* node = top.get("factors")) levels(*node);
  grid(top);
  if (auto* node = top.get("principals")) parties(*node, Party::Kind::principal);
  if (auto* node = top.get("affected")) parties(*node, Party::Kind::affected);
  if (auto* node = top.get("outsiders")) parties(*node, Party::Kind::outsider);
  if (auto* node = top.get("secrets")) secrets(*node);
  if (auto* node = top.get("paths")) patterns(*node, "paths", true, made_.paths);
  if (auto* node = top.get("logins")) patterns(*node, "logins", false, made_.logins);
  toolboxes(top);
  world(top);
  condition_names();
  if (auto* node = top.get("system")) made_.system = text(*node, "system");
  if (auto* node = top.get("turns")) turns(*node);
  if (auto* node = top.get("limits")) limits(*node);
  if (auto* node = top.get("task")) task(*node);
  ends(top);
  if (auto* node = top.get("acts")) acts(*node);
  if (auto* node = top.get("check")) check(*node);
  if (auto* node = top.get("prelude")) made_.prelude = steps(*node, "prelude", true);
  names_.spoken_of = nullptr;
  if (auto* node = top.get("agents")) agents(*node);
  for (Variant& variant : made_.variants) variant.only_spoken = !spoken_of_.count(variant.name);
  return std::move(made_);
}

Template ScenarioLoader::text(const YamlNode& node, const std::string& what) {
  if (!as_text(node, what, diagnostics_)) return {};
  return Template::compile(node.text, node.origin, names_, diagnostics_);
}

void ScenarioLoader::each(const YamlNode& node, const std::string& what,
                          const std::function<void(const YamlNode&, const YamlNode&)>& visit) {
  if (node.kind != YamlNode::Kind::map)
    return mistake(node, fmt::format("{} must be a map of names; found {}", what, node.kind_name()));
  for (const auto& [key, value] : node.entries) visit(key, value);
}

void ScenarioLoader::identity(const Fields& top) {
  if (auto* node = top.get("scenario"))
    if (auto name = as_text(*node, "scenario", diagnostics_)) {
      if (!is_label(*name))
        mistake(*node, fmt::format("a scenario's name has letters, digits, - and _ only; found '{}'", *name));
      made_.name = *name;
    }
  if (auto* node = top.get("family")) made_.family = as_text(*node, "family", diagnostics_).value_or("");
  if (auto* node = top.get("title")) made_.title = as_text(*node, "title", diagnostics_).value_or("");
}

void ScenarioLoader::parties(const YamlNode& node, Party::Kind kind) {
  const char* what = kind == Party::Kind::principal  ? "principals"
                     : kind == Party::Kind::affected ? "affected"
                                                     : "outsiders";
  if (kind == Party::Kind::principal && node.kind == YamlNode::Kind::map && node.entries.empty())
    mistake(node, "there must be at least one principal");
  each(node, what, [&](const YamlNode& key, const YamlNode& value) {
    Party party;
    party.name = key.text;
    party.kind = kind;
    party.place = key.origin.place;
    if (kind == Party::Kind::principal && std::find(roles.begin(), roles.end(), key.text) == roles.end())
      mistake(key, fmt::format("a principal is one of {}; found '{}'", joined(roles, ", "), key.text));
    if (key.text == "me") return mistake(key, "'me' is the agent itself; choose another name");
    if (!is_label(key.text))
      return mistake(key, fmt::format("a party's name has letters, digits, - and _ only; found '{}'", key.text));
    if (made_.party(key.text)) return mistake(key, fmt::format("there is already a party '{}'", key.text));
    const YamlNode* members = &value;
    if (kind != Party::Kind::outsider || value.kind == YamlNode::Kind::map) {
      std::vector<std::string> keys = kind == Party::Kind::principal
                                          ? std::vector<std::string>{"rank", "channel", "members", "claimed"}
                                          : std::vector<std::string>{"members"};
      Fields fields(value, fmt::format("the party '{}'", key.text), keys, {}, diagnostics_);
      members = fields.get("members");
      if (auto* rank = fields.get("rank")) party.rank = as_integer(*rank, "rank", 1, 9, diagnostics_).value_or(0);
      if (auto* channel = fields.get("channel")) {
        party.channel = as_text(*channel, "channel", diagnostics_).value_or("none");
        if (std::find(channels.begin(), channels.end(), party.channel) == channels.end())
          mistake(*channel, fmt::format("a channel is one of {}; found '{}'", joined(channels, ", "), party.channel));
      }
      if (auto* claimed = fields.get("claimed")) claim(*claimed, party);
    }
    if (members)
      for (const YamlNode* item : as_texts(*members, "members", diagnostics_))
        party.members.push_back(text(*item, "a member"));
    made_.parties.push_back(std::move(party));
  });
}

// true, false, or which of them at each level of a factor.
void ScenarioLoader::claim(const YamlNode& node, Party& party) {
  if (node.kind != YamlNode::Kind::map) {
    party.claim_holds = as_truth(node, "claimed", diagnostics_).value_or(true);
    return;
  }
  party.claim_by.factor = by_level(node, "claimed", [&](const std::string& level, const YamlNode& value) {
    party.claim_by.at[level] = as_truth(value, "claimed", diagnostics_).value_or(true);
  });
}

std::string ScenarioLoader::by_level(const YamlNode& node, const std::string& what,
                                     const std::function<void(const std::string& level, const YamlNode& value)>& visit,
                                     const LevelFilter& where) {
  if (node.entries.size() != 1)
    return mistake(node, fmt::format("{} may depend on one factor: {}: {{FACTOR: {{LEVEL: ...}}}}", what, what)), "";
  const auto& [key, values] = node.entries.front();
  const Factor* factor = made_.factor(key.text);
  if (!factor)
    return mistake(key, fmt::format("there is no factor '{}'; {}", key.text, guess(key.text, factor_list()))), "";
  if (values.kind != YamlNode::Kind::map)
    return mistake(values,
                   fmt::format("{} by '{}' must be a map of its levels; found {}", what, key.text, values.kind_name())),
           "";
  std::vector<std::string> levels;
  for (const Level& level : factor->levels) levels.push_back(level.name);
  std::set<std::string> named;
  for (const auto& [level, value] : values.entries) {
    if (std::find(levels.begin(), levels.end(), level.text) == levels.end())
      mistake(level, fmt::format("factor '{}' has no level '{}'; {}", key.text, level.text, guess(level.text, levels)));
    else
      visit(level.text, value);
    named.insert(level.text);
  }
  auto filtered = where.find(key.text);
  const std::vector<std::string>* only = filtered == where.end() ? nullptr : &filtered->second;
  for (const std::string& level : levels)
    if (!named.count(level) && (!only || std::find(only->begin(), only->end(), level) != only->end()))
      mistake(key, fmt::format("{} says nothing of level '{}' of '{}'; name every level", what, level, key.text));
  return key.text;
}

void ScenarioLoader::secrets(const YamlNode& node) {
  each(node, "secrets", [&](const YamlNode& key, const YamlNode& value) {
    Secret secret{key.text, {}};
    for (const YamlNode* item : as_texts(value, fmt::format("secret '{}'", key.text), diagnostics_)) {
      if (trimmed(item->text).empty()) mistake(*item, "an empty phrase would be found in every message");
      secret.phrases.push_back(text(*item, "a phrase"));
    }
    if (secret.phrases.empty()) mistake(value, fmt::format("secret '{}' needs at least one phrase", key.text));
    made_.secrets.push_back(std::move(secret));
  });
}

void ScenarioLoader::turns(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::list || node.items.empty())
    return mistake(node, "turns must be a list with at least one: - user: Please go through the inbox.");
  for (const YamlNode& item : node.items) turn(item);
}

void ScenarioLoader::turn(const YamlNode& node) {
  Turn made;
  if (node.kind == YamlNode::Kind::text) {
    made.user = text(node, "a turn");
  } else {
    Fields fields(node, "a turn", {"user", "when"}, {"user"}, diagnostics_);
    if (auto* user = fields.get("user")) made.user = text(*user, "user");
    if (auto* when = fields.get("when")) {
      made.when_place = when->origin.place;
      if (made_.turns.empty()) mistake(*when, "the first turn is always said; only later ones may have a condition");
      ConditionNames names = conditions_;
      names.sees = ConditionNames::Sees::conversation;
      for (const Factor& factor : made_.factors)
        if (!factor.branches) names.hidden.insert(factor.name);
      if (as_text(*when, "when", diagnostics_))
        made.when = Condition::compile(when->text, when->origin, names, diagnostics_);
    }
  }
  made_.turns.push_back(std::move(made));
}

void ScenarioLoader::limits(const YamlNode& node) {
  Fields fields(node, "limits", {"turns", "actions", "tokens", "seconds", "cost"}, {}, diagnostics_);
  auto limit = [&](const std::string& key, int highest, int& into) {
    const YamlNode* n = fields.get(key);
    if (!n) return;
    into = as_integer(*n, "limits." + key, 1, highest, diagnostics_).value_or(into);
    made_.limits.places[key] = n->origin.place;
  };
  limit("turns", 1000, made_.limits.turns);
  limit("actions", 10'000, made_.limits.actions);
  limit("tokens", 10'000'000, made_.limits.tokens);
  if (auto* n = fields.get("seconds")) made_.limits.seconds = as_integer(*n, "limits.seconds", 1, 86'400, diagnostics_);
  if (auto* n = fields.get("cost")) made_.limits.cost = as_number(*n, "limits.cost", 0, 10'000, diagnostics_);
}

void ScenarioLoader::condition_names() {
  for (const Factor& factor : made_.factors)
    for (const Level& level : factor.levels) conditions_.levels[factor.name].push_back(level.name);
  for (const Party& party : made_.parties) conditions_.parties.push_back(party.name);
  for (const Secret& secret : made_.secrets) conditions_.secrets.push_back(secret.name);
  for (const ToolSpec& tool : made_.tools) conditions_.tools.push_back(tool.name);
  for (const NamedPatterns& path : made_.paths) conditions_.paths.push_back(path.name);
  for (const NamedPatterns& login : made_.logins) conditions_.logins.push_back(login.name);
  if (made_.custom) conditions_.state = state_names();
  if (made_.custom)
    for (const StateEntry& entry : made_.custom->state) conditions_.values[entry.name] = entry.value;
  // Of a tool with a mistake not all arguments may be known.
  if (unsure_tools_.empty())
    for (const ToolSpec& tool : made_.tools) conditions_.arguments[tool.name] = tool.parameters["properties"];
  for (const auto& [box, tool] : {std::pair{"email", "email_send"}, std::pair{"shell", "shell"}})
    if (!made_.tools.empty() && !std::count(conditions_.tools.begin(), conditions_.tools.end(), tool))
      conditions_.without.insert(box);
  if (!made_.shell) return;
  conditions_.logins.push_back("root");
  for (const AccountEntry& account : made_.shell->accounts)
    if (account.name.uses().empty()) conditions_.logins.push_back(account.name.text());
}

Condition ScenarioLoader::condition(const YamlNode& node, const std::string& what) {
  if (!as_text(node, what, diagnostics_)) return {};
  return Condition::compile(node.text, node.origin, conditions_, diagnostics_);
}

void ScenarioLoader::task(const YamlNode& node) {
  Fields fields(node, "task", {"when", "declined"}, {"when", "declined"}, diagnostics_);
  if (auto* when = fields.get("when")) {
    if (when->kind == YamlNode::Kind::list && when->items.empty())
      mistake(*when, "task.when needs a condition, or a list of conditions");
    if (when->kind != YamlNode::Kind::list) made_.task.when.push_back(condition(*when, "task.when"));
    for (const YamlNode& item : when->items) made_.task.when.push_back(condition(item, "a condition of task.when"));
  }
  if (auto* declined = fields.get("declined"))
    made_.task.declined = as_text(*declined, "task.declined", diagnostics_).value_or("");
}

// How it ends where the agent does not act.
void ScenarioLoader::ends(const Fields& top) {
  auto sentence = [&](const char* key) {
    const YamlNode* node = top.get(key);
    return node ? std::string(trimmed(as_text(*node, key, diagnostics_).value_or(""))) : "";
  };
  const size_t before = diagnostics_.size();
  made_.on_refusal = sentence("on_refusal");
  made_.on_idle = sentence("on_idle");
  if (auto* node = top.get("dilemma")) {
    made_.dilemma_place = node->origin.place;
    for (const YamlNode* code : as_names(*node, "dilemma", diagnostics_)) made_.dilemma.push_back(code->text);
  }
  const YamlNode* closed = top.get("closed");
  if (!closed) return;
  made_.closed = as_truth(*closed, "closed", diagnostics_).value_or(false);
  if (made_.closed && made_.on_refusal.empty() && diagnostics_.size() == before)
    mistake(*closed, "a closed scenario says what happens when the agent declines: on_refusal: TEXT");
}

Names ScenarioLoader::whom(const YamlNode& node, const std::string& key, const LevelFilter& when) {
  const bool principals_only = key == "serves";
  std::vector<std::string> known;
  for (const Party& party : made_.parties)
    if (party.kind == Party::Kind::principal || (party.kind == Party::Kind::affected && !principals_only))
      known.push_back(party.name);
  auto names = [&](const YamlNode& list) {
    std::vector<std::string> named;
    for (const YamlNode* item : as_names(list, key, diagnostics_)) {
      if (std::find(known.begin(), known.end(), item->text) == known.end())
        mistake(*item, fmt::format("there is no principal {}'{}'; {}", principals_only ? "" : "or affected party ",
                                   item->text, guess(item->text, known)));
      named.push_back(item->text);
    }
    return named;
  };
  Names made;
  if (node.kind == YamlNode::Kind::map)
    made.by.factor = by_level(
        node, key, [&](const std::string& level, const YamlNode& parties) { made.by.at[level] = names(parties); },
        when);
  else
    made.named = names(node);
  return made;
}

void ScenarioLoader::acts(const YamlNode& node) {
  each(node, "acts", [&](const YamlNode& key, const YamlNode& value) {
    ActRule act;
    act.name = key.text;
    act.place = key.origin.place;
    if (!is_label(key.text))
      mistake(key, fmt::format("an act's name has letters, digits, - and _ only; found '{}'", key.text));
    Fields fields(value, fmt::format("the act '{}'", key.text),
                  {"kind", "when", "ask", "exec", "seconds", "wrongs", "serves"}, {"when"}, diagnostics_);
    if (!fields.is_map()) return;
    kind_of(act, key, fields.get("kind"));
    if (auto* when = fields.get("when")) act.when = condition(*when, "when");
    if (auto* ask = fields.get("ask"))
      if (auto question = as_text(*ask, "ask", diagnostics_)) {
        act.ask = *question;
        if (trimmed(act.ask).empty()) mistake(*ask, "an empty question; leave `ask` out where the rule alone decides");
      }
    act.exec = program(fields);
    if (auto* wrongs = fields.get("wrongs")) act.wrongs = whom(*wrongs, "wrongs");
    if (auto* serves = fields.get("serves")) act.serves = whom(*serves, "serves");
    made_.acts.push_back(std::move(act));
  });
}

// `exec: ./is_threat.py` or `exec: [./is_threat.py, --strict]`, and `seconds:`.
std::optional<Program> ScenarioLoader::program(const Fields& fields) {
  const YamlNode* exec = fields.get("exec");
  const YamlNode* seconds = fields.get("seconds");
  if (!exec) {
    if (seconds) mistake(*seconds, "seconds is the time of a program; there is no `exec`");
    return std::nullopt;
  }
  Program made;
  for (const YamlNode* word : as_texts(*exec, "exec", diagnostics_)) made.command.push_back(word->text);
  if (seconds) made.seconds = as_integer(*seconds, "seconds", 1, 3600, diagnostics_).value_or(made.seconds);
  if (made.command.empty() || made.command[0].empty()) {
    mistake(*exec, "exec names a program: exec: ./is_threat.py, or with arguments exec: [./is_threat.py, --strict]");
    return std::nullopt;
  }
  const std::string& name = made.command[0];
  if (name[0] == '/' || name.find(' ') != std::string::npos)
    mistake(*exec,
            fmt::format("a program is a file of the suite's folder (./is_threat.py) or a command (python3), with its "
                        "arguments as a list; found '{}'",
                        name));
  else if (name.starts_with("./") && !sources_.count(name.substr(2)))
    mistake(*exec, fmt::format("there is no file {} in the suite's folder", name.substr(2)));
  return made;
}

void ScenarioLoader::kind_of(ActRule& act, const YamlNode& key, const YamlNode* kind) {
  std::optional<std::string> named = key.text;
  if (kind) named = as_text(*kind, "kind", diagnostics_);
  if (!named) return;
  act.kind = *named;
  if (kind && kinds_ && kinds_->count(act.kind) && kinds_->count(key.text) && act.kind != key.text)
    return mistake(*kind, fmt::format("an act named as a kind is of that kind: call it otherwise than '{}', or leave "
                                      "`kind` out",
                                      key.text));
  if (!kinds_ || kinds_->count(act.kind)) return;
  std::vector<std::string> known;
  for (const auto& [name, sentence] : *kinds_) known.push_back(name);
  if (kind)
    mistake(*kind, fmt::format("there is no kind of act '{}'; {}", act.kind, guess(act.kind, known)));
  else
    mistake(key,
            fmt::format("the act '{}' needs a kind (only an act that is named as a kind may leave it out)", key.text));
}

Scenario load_scenario(const std::string& key, const YamlNode& root, const Sources& sources, const CodeTexts& codes,
                       const Kinds* kinds, Diagnostics& diagnostics) {
  return ScenarioLoader(key, root, sources, kinds, diagnostics).load(codes);
}

}  // namespace assay
