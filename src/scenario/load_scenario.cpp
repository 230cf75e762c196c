#include "scenario/load_scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "world/email.h"

namespace assay {
namespace {

constexpr int largest_grid = 64;
const std::vector<std::string> roles = {"developer", "owner", "operator", "user"};
const std::vector<std::string> channels = {"system", "user", "training", "none"};
const std::set<std::string> reserved = {"level", "loop", "true", "false", "none", "include", "slug",
                                        "not",   "and",  "or",   "in",    "if",   "else"};

// A name that templates and conditions can speak.
bool is_word(const std::string& name) {
  return !name.empty() && name.size() <= 64 && !(name[0] >= '0' && name[0] <= '9') &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

// A name that files, tables and commands can show: letters, digits, dash and underscore.
bool is_label(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

class ScenarioLoader {
 public:
  ScenarioLoader(const std::string& key, const YamlNode& root, const Sources& sources,
                 const std::map<std::string, std::string>& kinds, Diagnostics& diagnostics)
      : root_(root), sources_(sources), kinds_(kinds), diagnostics_(diagnostics) {
    made_.file = key;
    size_t slash = key.rfind('/');
    folder_ = slash == std::string::npos ? "" : key.substr(0, slash + 1);
  }

  // The order is that of dependence: what later parts may name is known before they are read.
  Scenario load() {
    Fields top(root_, "a scenario",
               {"scenario", "family", "title", "variants", "principals", "affected", "outsiders", "secrets", "factors",
                "default", "tools", "system", "turns", "world", "limits", "task", "acts", "prelude", "agents"},
               {"scenario", "principals", "system", "turns", "world", "task", "agents"}, diagnostics_);
    if (!top.is_map()) return std::move(made_);
    identity(top);
    if (auto* node = top.get("variants")) variants(*node);
    if (auto* node = top.get("factors")) factor_names(*node);
    includes();
    if (auto* node = top.get("factors")) levels(*node);
    grid(top);
    if (auto* node = top.get("principals")) parties(*node, Party::Kind::principal);
    if (auto* node = top.get("affected")) parties(*node, Party::Kind::affected);
    if (auto* node = top.get("outsiders")) parties(*node, Party::Kind::outsider);
    if (auto* node = top.get("secrets")) secrets(*node);
    if (auto* node = top.get("tools")) tools(*node);
    if (auto* node = top.get("system")) made_.system = text(*node, "system");
    if (auto* node = top.get("turns")) turns(*node);
    if (auto* node = top.get("world")) world(*node);
    if (auto* node = top.get("limits")) limits(*node);
    condition_names();
    if (auto* node = top.get("task")) task(*node);
    if (auto* node = top.get("acts")) acts(*node);
    if (auto* node = top.get("prelude")) made_.prelude = steps(*node, "prelude", true);
    if (auto* node = top.get("agents")) agents(*node);
    return std::move(made_);
  }

 private:
  void mistake(const YamlNode& node, std::string message) { complain(node, std::move(message), diagnostics_); }

  std::string guess(const std::string& word, const std::vector<std::string>& known) {
    std::string near = nearest(word, known);
    if (!near.empty()) return fmt::format("did you mean '{}'?", near);
    return known.empty() ? "there are none" : "there are " + joined(known, ", ");
  }

  Template text(const YamlNode& node, const std::string& what) {
    if (!as_text(node, what, diagnostics_)) return {};
    return Template::compile(node.text, node.origin, names_, diagnostics_);
  }

  // Calls `visit` for each entry of a map of named things.
  void each(const YamlNode& node, const std::string& what,
            const std::function<void(const YamlNode&, const YamlNode&)>& visit) {
    if (node.kind != YamlNode::Kind::map)
      return mistake(node, fmt::format("{} must be a map of names; found {}", what, node.kind_name()));
    for (const auto& [key, value] : node.entries) visit(key, value);
  }

  void identity(const Fields& top) {
    if (auto* node = top.get("scenario"))
      if (auto name = as_text(*node, "scenario", diagnostics_)) {
        if (!is_label(*name))
          mistake(*node, fmt::format("a scenario's name has letters, digits, - and _ only; found '{}'", *name));
        made_.name = *name;
      }
    if (auto* node = top.get("family")) made_.family = as_text(*node, "family", diagnostics_).value_or("");
    if (auto* node = top.get("title")) made_.title = as_text(*node, "title", diagnostics_).value_or("");
  }

  bool new_name(const YamlNode& key, const std::string& what) {
    if (!is_word(key.text))
      return mistake(key, fmt::format("{} needs a name of letters, digits and _ (templates speak it); found '{}'", what,
                                      key.text)),
             false;
    if (reserved.count(key.text))
      return mistake(key, fmt::format("'{}' is a word of the template language; choose another name", key.text)), false;
    if (!names_.values.insert(key.text).second)
      return mistake(key, fmt::format("'{}' is already the name of a variant; names are shared by variants and factors",
                                      key.text)),
             false;
    return true;
  }

  void variants(const YamlNode& node) {
    each(node, "variants", [&](const YamlNode& key, const YamlNode& value) {
      if (!new_name(key, "a variant")) return;
      Variant variant{key.text, {}};
      if (value.kind != YamlNode::Kind::list || value.items.empty())
        return mistake(value, fmt::format("variant '{}' must be a list of values", key.text));
      for (const YamlNode& item : value.items) {
        if (item.kind == YamlNode::Kind::text) {
          variant.values.emplace_back(item.text);
        } else if (item.kind == YamlNode::Kind::map) {
          Json fields = Json::object();
          for (const auto& [name, field] : item.entries) {
            if (!is_word(name.text)) mistake(name, "a field needs a name of letters, digits and _");
            fields[name.text] = as_text(field, fmt::format("{}.{}", key.text, name.text), diagnostics_).value_or("");
          }
          variant.values.push_back(std::move(fields));
        } else {
          mistake(item, fmt::format("a value of '{}' must be a text or a map of texts; found {}", key.text,
                                    item.kind_name()));
          continue;
        }
        const Json& first = variant.values.front();
        const Json& last = variant.values.back();
        auto fields_of = [](const Json& json) {
          std::set<std::string> fields;
          if (json.is_object())
            for (const auto& [name, field] : json.items()) fields.insert(name);
          return fields;
        };
        if (first.is_object() != last.is_object() || fields_of(first) != fields_of(last))
          mistake(item, fmt::format("every value of '{}' must have the same fields as its first", key.text));
        if (first.is_object()) names_.fields[key.text] = fields_of(first);
      }
      made_.variants.push_back(std::move(variant));
    });
    variant_names_ = names_;
  }

  // A factor is a map of levels, or {levels: {...}, branches: true}.
  static const YamlNode* levels_of(const YamlNode& value) {
    const YamlNode* inner = value.find("levels");
    return inner && inner->kind == YamlNode::Kind::map ? inner : &value;
  }

  void factor_names(const YamlNode& node) {
    each(node, "factors", [&](const YamlNode& key, const YamlNode& value) {
      if (!new_name(key, "a factor")) return;
      Factor factor;
      factor.name = key.text;
      factor.place = key.origin.place;
      if (value.kind != YamlNode::Kind::map)
        return mistake(value, fmt::format("factor '{}' must be a map of two or more levels; found {}", key.text,
                                          value.kind_name()));
      const YamlNode* levels = levels_of(value);
      if (levels != &value) {
        Fields fields(value, fmt::format("factor '{}'", key.text), {"levels", "branches"}, {}, diagnostics_);
        if (auto* branches = fields.get("branches")) {
          if (branches->text == "true")
            factor.branches = true;
          else if (branches->text != "false")
            mistake(*branches, "branches must be true or false");
        }
      }
      if (levels->entries.size() < 2)
        mistake(value.entries.empty() ? key : *levels, fmt::format("factor '{}' needs at least two levels", key.text));
      (factor.branches ? names_.levels : names_.unbranched).insert(key.text);
      made_.factors.push_back(std::move(factor));
    });
  }

  void includes() {
    std::vector<std::pair<std::string, const SourceFile*>> files;
    for (const auto& [key, file] : sources_)
      if (key.starts_with(folder_) && !key.starts_with("../") && !key.ends_with(".yaml"))
        files.emplace_back(key.substr(folder_.size()), &file);
    names_.functions = {"slug", "include"};
    for (const auto& [name, file] : files) names_.files.insert(name);
    variant_names_.functions = names_.functions;
    variant_names_.files = names_.files;
    // A file is compiled, and its mistakes told, only if this scenario includes it: a folder may serve several.
    std::function<void(const std::string&)> scan = [&](const std::string& name) {
      auto found = std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.first == name; });
      if (found == files.end() || made_.includes.count(name)) return;
      const SourceFile& file = *found->second;
      TextOrigin origin{{file.name, 1, 1}, true, 0, file.text};
      Template compiled = Template::compile(file.text, origin, names_, diagnostics_);
      std::set<std::string> uses = compiled.uses();
      made_.includes[name] = std::move(compiled);
      for (const std::string& use : uses)
        if (use.starts_with("include:")) scan(use.substr(8));
    };
    std::function<void(const YamlNode&)> walk = [&](const YamlNode& node) {
      for (size_t at = node.text.find("include("); at != std::string::npos; at = node.text.find("include(", at + 1)) {
        size_t open = node.text.find_first_of("'\"", at),
               close = open == std::string::npos ? open : node.text.find(node.text[open], open + 1);
        if (close != std::string::npos) scan(node.text.substr(open + 1, close - open - 1));
      }
      for (const YamlNode& item : node.items) walk(item);
      for (const auto& [key, value] : node.entries) walk(value);
    };
    walk(root_);
    for (const auto& [name, file] : made_.includes) find_cycle(name, {});
  }

  void find_cycle(const std::string& name, std::vector<std::string> path) {
    if (std::find(path.begin(), path.end(), name) != path.end()) {
      const Template& file = made_.includes[name];
      diagnostics_.add(file.origin().place,
                       fmt::format("this file includes itself: {} -> {}", joined(path, " -> "), name),
                       file.origin().source);
      made_.includes[name] = Template();
      return;
    }
    path.push_back(name);
    auto found = made_.includes.find(name);
    if (found == made_.includes.end()) return;
    std::set<std::string> uses = found->second.uses();
    for (const std::string& use : uses)
      if (use.starts_with("include:")) find_cycle(use.substr(8), path);
  }

  // The factors that an included file speaks of, directly or through others.
  std::set<std::string> factors_in(const std::string& file) {
    std::set<std::string> found;
    auto include = made_.includes.find(file);
    if (include == made_.includes.end()) return found;
    for (const std::string& use : include->second.uses()) {
      std::string name = use.starts_with("level.") ? use.substr(6) : use;
      if (made_.factor(name)) found.insert(name);
      if (use.starts_with("include:")) found.merge(factors_in(use.substr(8)));
    }
    return found;
  }

  void levels(const YamlNode& node) {
    for (const auto& [key, value] : node.entries) {
      auto found =
          std::find_if(made_.factors.begin(), made_.factors.end(), [&](const Factor& f) { return f.name == key.text; });
      if (found == made_.factors.end() || !found->levels.empty()) continue;
      for (const auto& [name, wording] : levels_of(value)->entries) {
        Level level;
        level.name = name.text;
        level.place = name.origin.place;
        if (!is_label(name.text))
          mistake(name, fmt::format("a level's name has letters, digits, - and _ only; found '{}'", name.text));
        if (wording.kind == YamlNode::Kind::nothing) {
          level.wordings.emplace_back();
        } else {
          // A level's text may use variants only: it is rendered before the places that use it.
          for (const YamlNode* item :
               as_texts(wording, fmt::format("level '{}' of '{}'", name.text, key.text), diagnostics_)) {
            Template made = Template::compile(item->text, item->origin, variant_names_, diagnostics_);
            for (const std::string& use : made.uses())
              if (use.starts_with("include:"))
                for (const std::string& factor : factors_in(use.substr(8)))
                  mistake(*item, fmt::format("{} uses the factor '{}'; a level's text may use variants only",
                                             use.substr(8), factor));
            level.wordings.push_back(std::move(made));
          }
        }
        if (level.wordings.empty()) level.wordings.emplace_back();
        found->levels.push_back(std::move(level));
      }
    }
  }

  void grid(const Fields& top) {
    const YamlNode* node = top.get("default");
    if (node) {
      for (Factor& factor : made_.factors) factor.crossed = false;
      for (const YamlNode* item : as_texts(*node, "default", diagnostics_)) {
        auto found = std::find_if(made_.factors.begin(), made_.factors.end(),
                                  [&](const Factor& f) { return f.name == item->text; });
        if (found == made_.factors.end())
          mistake(*item,
                  fmt::format("default names no factor: '{}'; {}", item->text, guess(item->text, factor_list())));
        else
          found->crossed = true;
      }
    }
    size_t cells = 1;
    for (const Factor& factor : made_.factors) {
      if (factor.crossed) cells *= std::max<size_t>(1, factor.levels.size());
      if (cells > 1'000'000) break;
    }
    if (cells > largest_grid) {
      const YamlNode* where = node ? node : top.get("factors");
      mistake(*where,
              fmt::format("the default grid has {}{} cells; at most {} are allowed: name fewer factors under default:",
                          cells > 1'000'000 ? "over " : "", std::min<size_t>(cells, 1'000'000), largest_grid));
    }
  }

  std::vector<std::string> factor_list() const {
    std::vector<std::string> list;
    for (const Factor& factor : made_.factors) list.push_back(factor.name);
    return list;
  }

  void parties(const YamlNode& node, Party::Kind kind) {
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
                                            ? std::vector<std::string>{"rank", "channel", "members"}
                                            : std::vector<std::string>{"members"};
        Fields fields(value, fmt::format("the party '{}'", key.text), keys, {}, diagnostics_);
        members = fields.get("members");
        if (auto* rank = fields.get("rank")) party.rank = as_integer(*rank, "rank", 1, 9, diagnostics_).value_or(0);
        if (auto* channel = fields.get("channel")) {
          party.channel = as_text(*channel, "channel", diagnostics_).value_or("none");
          if (std::find(channels.begin(), channels.end(), party.channel) == channels.end())
            mistake(*channel, fmt::format("a channel is one of {}; found '{}'", joined(channels, ", "), party.channel));
        }
      }
      if (members)
        for (const YamlNode* item : as_texts(*members, "members", diagnostics_))
          party.members.push_back(text(*item, "a member"));
      made_.parties.push_back(std::move(party));
    });
  }

  void secrets(const YamlNode& node) {
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

  void tools(const YamlNode& node) {
    for (const YamlNode* item : as_texts(node, "tools", diagnostics_))
      if (item->text != "email") mistake(*item, fmt::format("there are no tools '{}'; there is email", item->text));
  }

  void turns(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::list || node.items.empty())
      return mistake(node, "turns must be a list with at least one: - user: Please go through the inbox.");
    for (const YamlNode& item : node.items) {
      if (item.kind == YamlNode::Kind::text) {
        made_.turns.push_back(text(item, "a turn"));
      } else {
        Fields fields(item, "a turn", {"user"}, {"user"}, diagnostics_);
        if (auto* user = fields.get("user")) made_.turns.push_back(text(*user, "user"));
      }
    }
  }

  void world(const YamlNode& node) {
    Fields fields(node, "world", {"email"}, {"email"}, diagnostics_);
    const YamlNode* email = fields.get("email");
    if (!email) return;
    Fields mail(*email, "the email world", {"me", "inbox", "contacts"}, {"me", "inbox"}, diagnostics_);
    if (auto* me = mail.get("me")) made_.email.me = text(*me, "me");
    if (auto* inbox = mail.get("inbox"))
      for (const YamlNode* item : as_texts(*inbox, "inbox", diagnostics_))
        made_.email.inbox.push_back(text(*item, "a message"));
    const YamlNode* contacts = mail.get("contacts");
    if (!contacts) return;
    if (contacts->kind != YamlNode::Kind::list)
      return mistake(*contacts, "contacts must be a list: - {name: The board, address: board@firm.example}");
    for (const YamlNode& item : contacts->items) {
      Fields entry(item, "a contact", {"name", "address"}, {"name", "address"}, diagnostics_);
      if (entry.get("name") && entry.get("address"))
        made_.email.contacts.push_back({text(*entry.get("name"), "name"), text(*entry.get("address"), "address")});
    }
  }

  void limits(const YamlNode& node) {
    Fields fields(node, "limits", {"turns", "actions", "tokens"}, {}, diagnostics_);
    if (auto* n = fields.get("turns"))
      made_.limits.turns = as_integer(*n, "limits.turns", 1, 1000, diagnostics_).value_or(8);
    if (auto* n = fields.get("actions"))
      made_.limits.actions = as_integer(*n, "limits.actions", 1, 10'000, diagnostics_).value_or(20);
    if (auto* n = fields.get("tokens"))
      made_.limits.tokens = as_integer(*n, "limits.tokens", 1, 10'000'000, diagnostics_).value_or(4000);
  }

  void condition_names() {
    for (const Factor& factor : made_.factors)
      for (const Level& level : factor.levels) conditions_.levels[factor.name].push_back(level.name);
    for (const Party& party : made_.parties) conditions_.parties.push_back(party.name);
    for (const Secret& secret : made_.secrets) conditions_.secrets.push_back(secret.name);
    for (const ToolSpec& tool : email_tools()) conditions_.tools.push_back(tool.name);
  }

  Condition condition(const YamlNode& node, const std::string& what) {
    if (!as_text(node, what, diagnostics_)) return {};
    return Condition::compile(node.text, node.origin, conditions_, diagnostics_);
  }

  void task(const YamlNode& node) {
    Fields fields(node, "task", {"when", "declined"}, {"when", "declined"}, diagnostics_);
    if (auto* when = fields.get("when")) made_.task.when = condition(*when, "task.when");
    if (auto* declined = fields.get("declined"))
      made_.task.declined = as_text(*declined, "task.declined", diagnostics_).value_or("");
  }

  void acts(const YamlNode& node) {
    std::vector<std::string> known_kinds, wrongable;
    for (const auto& [kind, sentence] : kinds_) known_kinds.push_back(kind);
    for (const Party& party : made_.parties)
      if (party.kind != Party::Kind::outsider) wrongable.push_back(party.name);
    each(node, "acts", [&](const YamlNode& key, const YamlNode& value) {
      ActRule act;
      act.name = key.text;
      act.place = key.origin.place;
      if (!is_label(key.text))
        mistake(key, fmt::format("an act's name has letters, digits, - and _ only; found '{}'", key.text));
      Fields fields(value, fmt::format("the act '{}'", key.text), {"kind", "when", "ask", "wrongs"}, {"when"},
                    diagnostics_);
      if (!fields.is_map()) return;
      const YamlNode* kind = fields.get("kind");
      act.kind = kind ? as_text(*kind, "kind", diagnostics_).value_or("") : key.text;
      if (!kinds_.count(act.kind)) {
        if (kind)
          mistake(*kind, fmt::format("there is no kind of act '{}'; {}", act.kind, guess(act.kind, known_kinds)));
        else
          mistake(key, fmt::format("the act '{}' needs a kind (only an act that is named as a kind may leave it out)",
                                   key.text));
      }
      if (auto* when = fields.get("when")) act.when = condition(*when, "when");
      if (auto* ask = fields.get("ask")) {
        act.ask = as_text(*ask, "ask", diagnostics_).value_or("");
        if (trimmed(act.ask).empty()) mistake(*ask, "an empty question; leave `ask` out where the rule alone decides");
      }
      if (auto* wrongs = fields.get("wrongs"))
        for (const YamlNode* item : as_texts(*wrongs, "wrongs", diagnostics_)) {
          if (std::find(wrongable.begin(), wrongable.end(), item->text) == wrongable.end())
            mistake(*item, fmt::format("there is no principal or affected party '{}'; {}", item->text,
                                       guess(item->text, wrongable)));
          act.wrongs.push_back(item->text);
        }
      made_.acts.push_back(std::move(act));
    });
  }

  std::vector<Step> steps(const YamlNode& node, const std::string& what, bool prelude) {
    std::vector<Step> made;
    if (node.kind != YamlNode::Kind::list) {
      mistake(node, fmt::format("{} must be a list of steps: - email_list: {{}}", what));
      return made;
    }
    for (const YamlNode& item : node.items) {
      if (item.kind != YamlNode::Kind::map || item.entries.size() != 1) {
        mistake(item, "a step is one call or words: - email_read: {id: 1}   or   - say: Done.");
        continue;
      }
      const auto& [name, value] = item.entries[0];
      Step step;
      step.place = name.origin.place;
      if (name.text == "say") {
        if (prelude) mistake(name, "a prelude holds calls only");
        step.say = text(value, "say");
      } else {
        const ToolSpec* tool = nullptr;
        for (const ToolSpec& candidate : email_tools())
          if (candidate.name == name.text) tool = &candidate;
        std::vector<std::string> known = conditions_.tools;
        if (!prelude) known.push_back("say");
        if (!tool) {
          mistake(name, fmt::format("there is no tool '{}'; {}", name.text, guess(name.text, known)));
          continue;
        }
        step.tool = name.text;
        arguments(value, *tool, step, prelude);
      }
      made.push_back(std::move(step));
    }
    return made;
  }

  void arguments(const YamlNode& value, const ToolSpec& tool, Step& step, bool prelude) {
    if (value.kind == YamlNode::Kind::nothing) {
      step.arguments = Json::object();
      return;
    }
    if (value.kind != YamlNode::Kind::map)
      return mistake(value, fmt::format("the arguments of {} must be a map; found {}", tool.name, value.kind_name()));
    std::vector<std::string> known;
    if (tool.parameters.contains("properties"))
      for (const auto& [name, schema] : tool.parameters["properties"].items()) known.push_back(name);
    for (const auto& [key, argument] : value.entries)
      if (std::find(known.begin(), known.end(), key.text) == known.end())
        mistake(key, fmt::format("{} has no argument '{}'; {}", tool.name, key.text, guess(key.text, known)));
    step.arguments = to_json(value);
    if (!prelude)
      if (const YamlNode* id = value.find("id"); id && id->text == "all")
        mistake(*id, "`id: all` is for a prelude; name one message");
    templates(value, "", step);
  }

  void templates(const YamlNode& node, const std::string& pointer, Step& step) {
    if (node.kind == YamlNode::Kind::text && node.text.find('{') != std::string::npos)
      step.texts[pointer] = text(node, "an argument");
    for (size_t i = 0; i < node.items.size(); ++i) templates(node.items[i], fmt::format("{}/{}", pointer, i), step);
    for (const auto& [key, value] : node.entries) {
      std::string escaped = key.text;  // RFC 6901
      for (size_t at = 0; (at = escaped.find_first_of("~/", at)) != std::string::npos; at += 2)
        escaped.replace(at, 1, escaped[at] == '~' ? "~0" : "~1");
      templates(value, pointer + "/" + escaped, step);
    }
  }

  void agents(const YamlNode& node) {
    std::vector<std::string> known_acts;
    for (const ActRule& act : made_.acts) known_acts.push_back(act.name);
    each(node, "agents", [&](const YamlNode& key, const YamlNode& value) {
      Agent agent;
      agent.name = key.text;
      agent.place = key.origin.place;
      if (!is_label(key.text))
        mistake(key, fmt::format("an agent's name has letters, digits, - and _ only; found '{}'", key.text));
      Fields fields(value, fmt::format("the agent '{}'", key.text), {"steps", "expect", "when"}, {"steps", "expect"},
                    diagnostics_);
      if (!fields.is_map()) return;
      if (auto* list = fields.get("steps")) agent.steps = steps(*list, "steps", false);
      if (auto* expect = fields.get("expect"); expect && expect->kind != YamlNode::Kind::nothing) {
        Fields expected(*expect, "expect", {"acts", "task"}, {}, diagnostics_);
        if (auto* list = expected.get("acts"))
          for (const YamlNode* item : as_texts(*list, "expect.acts", diagnostics_)) {
            if (!made_.act(item->text))
              mistake(*item, fmt::format("there is no act '{}'; {}", item->text, guess(item->text, known_acts)));
            agent.expected_acts.push_back(item->text);
          }
        if (auto* state = expected.get("task")) {
          if (state->text == "done")
            agent.expected_task = TaskState::done;
          else if (state->text == "declined")
            agent.expected_task = TaskState::declined;
          else if (state->text != "open")
            mistake(*state, fmt::format("expect.task is done, declined or open; found '{}'", state->text));
        }
      }
      if (auto* when = fields.get("when")) agent.when = level_filter(*when);
      made_.agents.push_back(std::move(agent));
    });
    for (const ActRule& act : made_.acts) {
      bool reached = std::any_of(made_.agents.begin(), made_.agents.end(), [&](const Agent& agent) {
        return std::find(agent.expected_acts.begin(), agent.expected_acts.end(), act.name) != agent.expected_acts.end();
      });
      if (!reached)
        diagnostics_.add(
            act.place,
            fmt::format(
                "no agent expects the act '{}': write one, so that it is proved to be reachable and graded right",
                act.name),
            root_.origin.source);
    }
  }

  std::map<std::string, std::vector<std::string>> level_filter(const YamlNode& node) {
    std::map<std::string, std::vector<std::string>> filter;
    each(node, "when", [&](const YamlNode& key, const YamlNode& value) {
      if (!made_.factor(key.text))
        return mistake(key, fmt::format("there is no factor '{}'; {}", key.text, guess(key.text, factor_list())));
      for (const YamlNode* item : as_texts(value, "a level", diagnostics_)) {
        const std::vector<std::string>& levels = conditions_.levels[key.text];
        if (std::find(levels.begin(), levels.end(), item->text) == levels.end())
          mistake(*item,
                  fmt::format("factor '{}' has no level '{}'; {}", key.text, item->text, guess(item->text, levels)));
        filter[key.text].push_back(item->text);
      }
    });
    return filter;
  }

  const YamlNode& root_;
  const Sources& sources_;
  const std::map<std::string, std::string>& kinds_;
  Diagnostics& diagnostics_;
  Scenario made_;
  std::string folder_;
  TemplateNames names_, variant_names_;
  ConditionNames conditions_;
};

}  // namespace

Scenario load_scenario(const std::string& key, const YamlNode& root, const Sources& sources,
                       const std::map<std::string, std::string>& kinds, Diagnostics& diagnostics) {
  return ScenarioLoader(key, root, sources, kinds, diagnostics).load();
}

}  // namespace assay
