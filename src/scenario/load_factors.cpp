// What is varied: variants, factors and their levels, the files that texts include, the grid.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "scenario/scenario_loader.h"

namespace assay {
namespace {

constexpr int largest_grid = 64;
constexpr int64_t most_combinations = 1'000'000'000'000'000;  // of all factors: Cell::index numbers them
const std::set<std::string> reserved = {"level", "loop", "true", "false", "none", "include", "slug",
                                        "code",  "not",  "and",  "or",    "in",   "if",      "else"};

// A factor is a map of levels, or {levels: {...}, branches: true}.
const YamlNode* levels_of(const YamlNode& value) {
  const YamlNode* inner = value.find("levels");
  return inner && inner->kind == YamlNode::Kind::map ? inner : &value;
}

}  // namespace

bool ScenarioLoader::new_name(const YamlNode& key, const std::string& what) {
  if (!is_word(key.text))
    return mistake(key, fmt::format("{} needs a name of letters, digits and _ (templates speak it); found '{}'", what,
                                    key.text)),
           false;
  if (reserved.count(key.text))
    return mistake(key, fmt::format("'{}' is a word of the template language; choose another name", key.text)), false;
  if (names_.latent.count(key.text) || !names_.values.insert(key.text).second)
    return mistake(key, fmt::format("'{}' is already the name of a variant; names are shared by variants and factors",
                                    key.text)),
           false;
  return true;
}

void ScenarioLoader::variants(const YamlNode& node) {
  each(node, "variants", [&](const YamlNode& key, const YamlNode& value) { variant(key, value); });
  variant_names_ = names_;
}

void ScenarioLoader::variant(const YamlNode& key, const YamlNode& value) {
  if (!new_name(key, "a variant")) return;
  Variant variant{key.text, {}};
  if (value.kind != YamlNode::Kind::list || value.items.empty())
    return mistake(value, fmt::format("variant '{}' must be a list of values", key.text));
  using Value = std::map<std::string, std::string>;  // field -> text; "" -> a value that is a text
  std::map<Value, int> lines;                        // every value so far, and where it stands
  std::set<std::string> first_fields;
  for (const YamlNode& item : value.items) {
    Value fields;
    std::set<std::string> names;
    if (item.kind == YamlNode::Kind::text) {
      fields[""] = item.text;
      variant.values.emplace_back(item.text);
    } else if (item.kind == YamlNode::Kind::map) {
      Json object = Json::object();
      for (const auto& [name, field] : item.entries) {
        if (!is_word(name.text)) mistake(name, "a field needs a name of letters, digits and _");
        fields[name.text] = as_text(field, fmt::format("{}.{}", key.text, name.text), diagnostics_).value_or("");
        object[name.text] = fields[name.text];
        names.insert(name.text);
      }
      variant.values.push_back(std::move(object));
    } else {
      mistake(item,
              fmt::format("a value of '{}' must be a text or a map of texts; found {}", key.text, item.kind_name()));
      continue;
    }
    if (variant.values.size() == 1) first_fields = names;
    if (variant.values.front().is_object() != variant.values.back().is_object() || names != first_fields)
      mistake(item, fmt::format("every value of '{}' must have the same fields as its first", key.text));
    // What is drawn for training may not be what is held out.
    if (auto [first, fresh] = lines.emplace(std::move(fields), item.origin.place.line); !fresh)
      mistake(item, fmt::format("this value of '{}' stands in the list a second time (first in line {})", key.text,
                                first->second));
  }
  if (!variant.values.empty() && variant.values.front().is_object()) names_.fields[key.text] = first_fields;
  made_.variants.push_back(std::move(variant));
}

void ScenarioLoader::factor_names(const YamlNode& node) {
  each(node, "factors", [&](const YamlNode& key, const YamlNode& value) {
    if (!new_name(key, "a factor")) return;
    Factor factor;
    factor.name = key.text;
    factor.place = key.origin.place;
    if (value.kind != YamlNode::Kind::map)
      return mistake(
          value, fmt::format("factor '{}' must be a map of two or more levels; found {}", key.text, value.kind_name()));
    const YamlNode* levels = levels_of(value);
    if (levels != &value) {
      Fields fields(value, fmt::format("factor '{}'", key.text), {"levels", "branches", "latent"}, {}, diagnostics_);
      if (auto* branches = fields.get("branches"))
        factor.branches = as_truth(*branches, "branches", diagnostics_).value_or(false);
      if (auto* latent = fields.get("latent")) {
        factor.latent = as_truth(*latent, "latent", diagnostics_).value_or(false);
        if (factor.latent && factor.branches)
          mistake(*latent, "a factor that is latent changes no text, so no template can branch on it");
      }
    }
    if (levels->entries.size() < 2)
      mistake(value.entries.empty() ? key : *levels, fmt::format("factor '{}' needs at least two levels", key.text));
    if (factor.latent) {
      names_.latent.insert(key.text);
      names_.values.erase(key.text);
    } else {
      (factor.branches ? names_.levels : names_.unbranched).insert(key.text);
    }
    if (factor.branches)
      for (const auto& [level, wordings] : levels->entries) names_.level_names[key.text].push_back(level.text);
    made_.factors.push_back(std::move(factor));
  });
}

CodeTexts code_texts_of(const Sources& sources) {
  CodeTexts texts;
  const bool wanted = std::any_of(sources.begin(), sources.end(), [](const auto& source) {
    return source.second.text.find("code(") != std::string::npos;
  });
  if (!wanted) return texts;
  for (const auto& [key, file] : sources) {
    const size_t folder = key.find("codes/");
    if (folder == std::string::npos || !key.ends_with(".yaml")) continue;
    const std::string name = key.substr(folder + 6, key.size() - folder - 11);
    Diagnostics unused;
    std::optional<YamlNode> root = parse_yaml(file, unused);
    if (!root || (texts.count(name) && key.starts_with("../"))) continue;
    Json& quoted = texts[name] = {{"explain", ""}, {"title", ""}};
    for (const char* field : {"explain", "title"})
      if (const YamlNode* text = root->find(field)) quoted[field] = std::string(trimmed(text->text));
  }
  return texts;
}

void ScenarioLoader::includes() {
  std::vector<std::pair<std::string, const SourceFile*>> files;
  for (const auto& [key, file] : sources_)
    if (key.starts_with(folder_) && !key.starts_with("../") && !key.ends_with(".yaml"))
      files.emplace_back(key.substr(folder_.size()), &file);
  names_.functions = {"slug", "include", "code"};
  for (const auto& [code, texts] : made_.code_texts) names_.codes.insert(code);
  for (const auto& [name, file] : files) names_.files.insert(name);
  variant_names_.functions = names_.functions;
  variant_names_.files = names_.files;
  variant_names_.codes = names_.codes;
  variant_names_.latent = names_.latent;
  // A file is compiled, and its mistakes told, only if this scenario includes it: a folder may serve several.
  std::function<void(const std::string&)> scan = [&](const std::string& name) {
    auto found = std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.first == name; });
    if (found == files.end() || made_.includes.count(name)) return;
    const SourceFile& file = *found->second;
    if (!check_text(file, diagnostics_)) return;
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

void ScenarioLoader::find_cycle(const std::string& name, std::vector<std::string> path) {
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
std::set<std::string> ScenarioLoader::factors_in(const std::string& file) {
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

void ScenarioLoader::levels(const YamlNode& node) {
  for (const auto& [key, value] : node.entries) {
    auto factor =
        std::find_if(made_.factors.begin(), made_.factors.end(), [&](const Factor& f) { return f.name == key.text; });
    if (factor == made_.factors.end() || !factor->levels.empty()) continue;
    std::map<std::string, std::string> said;
    for (const auto& [name, wordings] : levels_of(value)->entries)
      factor->levels.push_back(level(*factor, name, wordings, said));
  }
}

Level ScenarioLoader::level(const Factor& factor, const YamlNode& name, const YamlNode& wordings,
                            std::map<std::string, std::string>& said) {
  Level level;
  level.name = name.text;
  level.place = name.origin.place;
  if (!is_label(name.text))
    mistake(name, fmt::format("a level's name has letters, digits, - and _ only; found '{}'", name.text));
  // Each wording differs from all others of its factor: a level that says what another says changes nothing (unless
  // templates branch on its name, which the proofs look at), and one that stands twice may be both drawn and held out.
  auto differs = [&](const YamlNode& where, std::string_view text) {
    auto [first, fresh] = said.emplace(trimmed(text), name.text);
    if (fresh) return;
    if (first->second == name.text)
      mistake(where, fmt::format("this wording of '{}' stands in the list a second time", name.text));
    else if (!factor.branches)
      mistake(where, fmt::format("level '{}' says the same as level '{}'; the levels of a factor must differ",
                                 name.text, first->second));
  };
  if (factor.latent) {
    // What it means, for people: no model is ever shown it.
    if (wordings.kind != YamlNode::Kind::nothing)
      as_text(wordings, fmt::format("level '{}' of '{}'", name.text, factor.name), diagnostics_);
  } else if (wordings.kind == YamlNode::Kind::nothing) {
    differs(name, "");
  } else {
    for (const YamlNode* item :
         as_texts(wordings, fmt::format("level '{}' of '{}'", name.text, factor.name), diagnostics_)) {
      // A level's text may use variants only: it is rendered before the places that use it.
      Template made = Template::compile(item->text, item->origin, variant_names_, diagnostics_);
      for (const std::string& use : made.uses())
        if (use.starts_with("include:"))
          for (const std::string& other : factors_in(use.substr(8)))
            mistake(*item,
                    fmt::format("{} uses the factor '{}'; a level's text may use variants only", use.substr(8), other));
      differs(*item, item->text);
      level.wordings.push_back(std::move(made));
    }
  }
  if (level.wordings.empty()) level.wordings.emplace_back();
  return level;
}

void ScenarioLoader::grid(const Fields& top) {
  const YamlNode* node = top.get("default");
  if (node) {
    for (Factor& factor : made_.factors) factor.crossed = false;
    for (const YamlNode* item : as_names(*node, "default", diagnostics_)) {
      auto found = std::find_if(made_.factors.begin(), made_.factors.end(),
                                [&](const Factor& f) { return f.name == item->text; });
      if (found == made_.factors.end())
        mistake(*item, fmt::format("default names no factor: '{}'; {}", item->text, guess(item->text, factor_list())));
      else
        found->crossed = true;
    }
  }
  int64_t all = 1;
  for (const Factor& factor : made_.factors) {
    all *= std::max<int64_t>(1, static_cast<int64_t>(factor.levels.size()));
    if (all <= most_combinations) continue;
    mistake(*top.get("factors"),
            fmt::format("the levels of all factors make more than 10^15 combinations; name fewer"));
    break;
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

std::vector<std::string> ScenarioLoader::factor_list() const {
  std::vector<std::string> list;
  for (const Factor& factor : made_.factors) list.push_back(factor.name);
  return list;
}

}  // namespace assay
