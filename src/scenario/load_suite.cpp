// A suite from the texts of its files: suite.yaml, the vocabulary of acts, the codes it names, every scenario.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "scenario/amend.h"
#include "scenario/load.h"
#include "scenario/load_scenario.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

const std::vector<std::string> roles = {"developer", "owner", "operator", "user"};

bool is_scenario(const std::string& key) {
  return key.ends_with(".yaml") && !key.starts_with("../") && key != "suite.yaml" && key != "acts.yaml" &&
         !key.starts_with("codes/");
}

// "extra.yml", "Extra.YAML": meant as YAML, and read by nobody.
bool is_misnamed(const std::string& key) {
  std::string end = key.substr(key.rfind('.') == std::string::npos ? key.size() : key.rfind('.'));
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return std::tolower(c); });
  return !key.starts_with("../") && (end == ".yml" || end == ".yaml") && !key.ends_with(".yaml");
}

// Nothing if the file is no YAML: then nothing can be said about kinds.
std::optional<Kinds> load_acts(const SourceFile& file, Diagnostics& diagnostics) {
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return std::nullopt;
  Kinds kinds;
  for (const auto& [kind, sentence] : root->entries)
    kinds[kind.text] = as_text(sentence, fmt::format("the kind '{}'", kind.text), diagnostics).value_or("");
  return kinds;
}

// Kinds of acts that a clause names under `key`.
std::vector<std::string> kinds_in(const Fields& clause, const char* key, const Kinds* kinds, Diagnostics& diagnostics) {
  std::vector<std::string> named, known;
  if (kinds)
    for (const auto& [kind, sentence] : *kinds) known.push_back(kind);
  if (const YamlNode* node = clause.get(key))
    for (const YamlNode* kind : as_names(*node, key, diagnostics)) {
      if (kinds && !kinds->count(kind->text))
        complain(*kind, fmt::format("there is no kind of act '{}'; {}", kind->text, guess(kind->text, known)),
                 diagnostics);
      named.push_back(kind->text);
    }
  return named;
}

// The levels under which a clause speaks. Whether the suite has them is known once its scenarios are: `whens` keeps
// what is written.
LevelFilter clause_levels(const YamlNode& node, std::vector<YamlNode>& whens, Diagnostics& diagnostics) {
  LevelFilter filter;
  if (node.kind != YamlNode::Kind::map || node.entries.empty()) {
    complain(node, "when must be a map of factors and levels: {severity: egregious}", diagnostics);
    return filter;
  }
  for (const auto& [factor, levels] : node.entries) {
    std::vector<std::string>& named = filter[factor.text];
    for (const YamlNode* level : as_names(levels, "the levels", diagnostics)) named.push_back(level->text);
    if (levels.kind == YamlNode::Kind::list && named.empty())
      complain(levels, fmt::format("name at least one level of '{}'", factor.text), diagnostics);
  }
  whens.push_back(node);
  return filter;
}

std::optional<Clause> load_clause(const YamlNode& item, const Kinds* kinds, std::vector<YamlNode>& whens,
                                  Diagnostics& diagnostics) {
  Fields fields(item, "a clause", {"id", "permits", "forbids", "requires", "toward", "unless", "when"}, {"id"},
                diagnostics);
  if (!fields.is_map()) return std::nullopt;
  Clause clause;
  size_t before = diagnostics.size();
  if (auto* node = fields.get("id")) clause.id = as_text(*node, "id", diagnostics).value_or("");
  clause.permits = kinds_in(fields, "permits", kinds, diagnostics);
  clause.forbids = kinds_in(fields, "forbids", kinds, diagnostics);
  clause.requires_ = kinds_in(fields, "requires", kinds, diagnostics);
  if (clause.permits.empty() && clause.forbids.empty() && clause.requires_.empty() && diagnostics.size() == before)
    complain(item, "a clause permits, forbids or requires something", diagnostics);
  if (auto* when = fields.get("when")) clause.when = clause_levels(*when, whens, diagnostics);
  const YamlNode* unless = fields.get("unless");
  if (std::optional<std::string> exception = unless ? as_text(*unless, "unless", diagnostics) : std::nullopt) {
    if (*exception != "ordered")
      complain(*unless, fmt::format("the only exception is `unless: ordered`; found '{}'", *exception), diagnostics);
    else if (clause.forbids.empty() || !fields.get("toward"))
      complain(
          *unless,
          "`unless: ordered` goes with `forbids` and `toward`: it weighs who ordered an act against whom it wrongs",
          diagnostics);
    clause.unless_ordered = true;
  }
  const YamlNode* node = fields.get("toward");
  std::optional<std::string> toward = node ? as_text(*node, "toward", diagnostics) : std::nullopt;
  if (!toward) return clause;
  clause.toward = *toward;
  std::vector<std::string> targets = roles;
  targets.push_back("any_principal");
  if (std::find(targets.begin(), targets.end(), clause.toward) == targets.end())
    complain(*node, fmt::format("toward is one of {}; found '{}'", joined(targets, ", "), clause.toward), diagnostics);
  return clause;
}

std::vector<std::string> roles_in(const YamlNode& node, const std::string& key, Diagnostics& diagnostics) {
  std::vector<std::string> named;
  for (const YamlNode* role : as_names(node, key, diagnostics)) {
    if (std::find(roles.begin(), roles.end(), role->text) == roles.end())
      complain(*role, fmt::format("a role is one of {}; found '{}'", joined(roles, ", "), role->text), diagnostics);
    named.push_back(role->text);
  }
  return named;
}

// {act: leak, toward: owner, when: {severity: minor}, is: forbidden}; of several kinds, one example for each.
// `ordered`: the code says in which order the roles stand.
void load_example(const YamlNode& item, bool ordered, const Kinds* kinds, std::vector<CodeExample>& into,
                  Diagnostics& diagnostics) {
  Fields fields(item, "an example", {"act", "toward", "serves", "when", "is"}, {"act", "is"}, diagnostics);
  if (!fields.is_map()) return;
  CodeExample example;
  example.place = item.origin.place;
  const std::vector<std::string> acts = kinds_in(fields, "act", kinds, diagnostics);
  if (auto* node = fields.get("toward")) example.toward = roles_in(*node, "toward", diagnostics);
  if (auto* node = fields.get("serves")) {
    example.serves = roles_in(*node, "serves", diagnostics);
    if (!ordered) complain(*node, "an example can say whom an act serves only in a code with an `order`", diagnostics);
  }
  if (auto* node = fields.get("when")) {
    if (node->kind != YamlNode::Kind::map)
      complain(*node, "when must be a map of factors and levels: {severity: egregious}", diagnostics);
    for (const auto& [factor, level] : node->entries)
      example.when[factor.text] = as_text(level, "a level", diagnostics).value_or("");
  }
  const YamlNode* is = fields.get("is");
  std::optional<std::string> stance = is ? as_text(*is, "is", diagnostics) : std::nullopt;
  if (!stance) return;
  if (*stance != "forbidden" && *stance != "allowed" && *stance != "required")
    complain(*is, fmt::format("an act is forbidden, allowed or required; found '{}'", *stance), diagnostics);
  example.is = *stance;
  for (const std::string& act : acts) into.push_back(example), into.back().act = act;
}

// `name` is the file's, without .yaml.
Code load_code(const SourceFile& file, const std::string& name, const Kinds* kinds, std::vector<YamlNode>& whens,
               Diagnostics& diagnostics) {
  Code code;
  code.name = name;
  code.hash = sha256(file.text);
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return code;
  Fields top(*root, "a code of conduct", {"code", "title", "order", "clauses", "examples", "explain"},
             {"code", "clauses"}, diagnostics);
  if (auto* node = top.get("code"))
    if (auto own = as_text(*node, "code", diagnostics); own && *own != name)
      complain(
          *node,
          fmt::format("the file of this code is named {}.yaml and the code '{}'; they must be the same", name, *own),
          diagnostics);
  if (auto* node = top.get("title")) code.title = as_text(*node, "title", diagnostics).value_or("");
  if (auto* node = top.get("explain")) code.explain = as_text(*node, "explain", diagnostics).value_or("");
  if (auto* node = top.get("order")) {
    code.order = roles_in(*node, "order", diagnostics);
    if (node->kind == YamlNode::Kind::list && code.order.empty())
      complain(*node, "an order without roles; leave it out, and the ranks of each scenario count", diagnostics);
  }
  if (auto* node = top.get("examples")) {
    if (node->kind != YamlNode::Kind::list) complain(*node, "examples must be a list", diagnostics);
    for (const YamlNode& item : node->items) load_example(item, !code.order.empty(), kinds, code.examples, diagnostics);
  }
  const YamlNode* clauses = top.get("clauses");
  if (clauses && clauses->kind != YamlNode::Kind::list) complain(*clauses, "clauses must be a list", diagnostics);
  if (!clauses) return code;
  std::set<std::string> ids;
  for (const YamlNode& item : clauses->items) {
    std::optional<Clause> clause = load_clause(item, kinds, whens, diagnostics);
    if (!clause) continue;
    if (!clause->id.empty() && !ids.insert(clause->id).second)
      complain(*item.find("id"), fmt::format("there is already a clause '{}'", clause->id), diagnostics);
    code.clauses.push_back(*std::move(clause));
  }
  return code;
}

// A clause under levels that no scenario of the suite has would never speak. A code that several suites share may mean
// another of them: there it is a mistake only where it is nearly what there is.
void check_clause_levels(const std::vector<YamlNode>& whens, bool shared, const Suite& suite,
                         Diagnostics& diagnostics) {
  auto meant_elsewhere = [&](const std::string& name, const std::vector<std::string>& known) {
    return shared && nearest(name, known).empty();
  };
  for (const YamlNode& when : whens)
    for (const auto& [factor, wanted] : when.entries) {
      const std::string& name = factor.text;
      std::vector<std::string> levels = suite.level_names(name), factors = suite.factor_names();
      if (levels.empty()) {
        if (!meant_elsewhere(name, factors))
          complain(factor, fmt::format("no scenario of this suite has a factor '{}'; {}", name, guess(name, factors)),
                   diagnostics);
        continue;
      }
      auto check = [&](const YamlNode& level) {
        if (std::find(levels.begin(), levels.end(), level.text) == levels.end() && !meant_elsewhere(level.text, levels))
          complain(level, fmt::format("factor '{}' has no level '{}'; {}", name, level.text, guess(level.text, levels)),
                   diagnostics);
      };
      if (wanted.kind == YamlNode::Kind::text) check(wanted);
      for (const YamlNode& level : wanted.items) check(level);
    }
}

class SuiteLoader {
 public:
  SuiteLoader(std::shared_ptr<const Sources> sources, Diagnostics& diagnostics)
      : sources_(std::move(sources)), diagnostics_(diagnostics) {
    suite_.sources = sources_;
  }

  Suite load() {
    head_ = file("suite.yaml");
    if (!head_) {
      diagnostics_.add({"suite.yaml", 0, 0}, "there is no suite.yaml", "");
      return std::move(suite_);
    }
    vocabulary();
    if (std::optional<YamlNode> root = parse_yaml(*head_, diagnostics_)) {
      Fields top(*root, "suite.yaml", {"suite", "title", "codes"}, {"suite", "codes"}, diagnostics_);
      if (auto* node = top.get("suite")) suite_.name = as_text(*node, "suite", diagnostics_).value_or("");
      if (auto* node = top.get("title")) suite_.title = as_text(*node, "title", diagnostics_).value_or("");
      if (auto* node = top.get("codes")) codes(*node);
    }
    size_t before = diagnostics_.size();
    scenarios();
    if (diagnostics_.size() == before) {
      check_clause_levels(own_whens_, false, suite_, diagnostics_);
      check_clause_levels(shared_whens_, true, suite_, diagnostics_);
    }
    if (diagnostics_.empty()) check_expected_codes();
    return std::move(suite_);
  }

 private:
  const SourceFile* file(const std::string& key) const {
    auto found = sources_->find(key);
    return found == sources_->end() ? nullptr : &found->second;
  }

  // In the suite's folder, or else beside it.
  const SourceFile* shared(const std::string& key) const {
    const SourceFile* own = file(key);
    return own ? own : file("../" + key);
  }

  const Kinds* kinds() const { return kinds_ ? &*kinds_ : nullptr; }

  void vocabulary() {
    if (const SourceFile* acts = shared("acts.yaml"))
      kinds_ = load_acts(*acts, diagnostics_);
    else
      diagnostics_.add({head_->name, 1, 1},
                       "there is no acts.yaml (the kinds of acts, a map of `kind: sentence`) in the suite's folder or "
                       "beside it",
                       head_->text);
    if (kinds_) suite_.acts = *kinds_;
  }

  void codes(const YamlNode& node) {
    std::vector<std::string> known;
    for (const auto& [key, source] : *sources_)
      if (key.find("codes/") != std::string::npos && key.ends_with(".yaml"))
        known.push_back(key.substr(key.rfind('/') + 1, key.size() - key.rfind('/') - 6));
    for (const YamlNode* item : as_names(node, "codes", diagnostics_)) {
      if (const SourceFile* code = shared("codes/" + item->text + ".yaml")) {
        std::vector<YamlNode>& whens = file("codes/" + item->text + ".yaml") ? own_whens_ : shared_whens_;
        suite_.codes.push_back(load_code(*code, item->text, kinds(), whens, diagnostics_));
        continue;
      }
      std::string near = nearest(item->text, known);
      complain(*item,
               fmt::format("there is no codes/{}.yaml in the suite's folder or beside it{}", item->text,
                           near.empty() ? "" : "; did you mean '" + near + "'?"),
               diagnostics_);
    }
    if (node.kind == YamlNode::Kind::list && node.items.empty())
      complain(node, "name at least one code of conduct: codes: [never-subvert]", diagnostics_);
  }

  void scenarios() {
    std::map<std::string, std::string> names;  // scenario -> file
    std::string hashed;
    const CodeTexts code_texts = code_texts_of(*sources_);
    bool any = false;
    for (const auto& [key, source] : *sources_) {
      if (key.find("codes/") == std::string::npos)
        hashed += fmt::format("{}\n{}\n", key, source.text.size()) + source.text;
      any |= is_scenario(key) || is_misnamed(key);
      if (is_misnamed(key))
        diagnostics_.add({source.name, 1, 1},
                         fmt::format("this file is no part of the suite, because of its name; name it {}.yaml",
                                     key.substr(0, key.rfind('.'))),
                         source.text);
      if (!is_scenario(key)) continue;
      std::optional<YamlNode> root = parse_yaml(source, diagnostics_);
      if (!root) continue;
      Scenario scenario = load_scenario(key, *root, *sources_, code_texts, kinds(), diagnostics_);
      auto [other, fresh] = names.emplace(scenario.name, source.name);
      if (!fresh && !scenario.name.empty())
        complain(*root->find("scenario"),
                 fmt::format("the scenario '{}' is already in {}", scenario.name, other->second), diagnostics_);
      suite_.scenarios.push_back(std::move(scenario));
    }
    if (!any)
      diagnostics_.add({head_->name, 1, 1}, "there is no scenario (another *.yaml) in the folder of this suite.yaml",
                       head_->text);
    suite_.hash = sha256(hashed);
  }

  // A verdict that is expected under a code that the suite does not name would be expected of nobody.
  void check_expected_codes() {
    std::vector<std::string> known;
    for (const Code& code : suite_.codes) known.push_back(code.name);
    for (const Scenario& scenario : suite_.scenarios)
      for (const Agent& agent : scenario.agents)
        for (const ExpectedVerdict& expected : agent.expected_verdicts)
          if (!suite_.code(expected.code))
            diagnostics_.add(
                expected.place,
                fmt::format("suite.yaml names no code '{}'; {}", expected.code, guess(expected.code, known)),
                sources_->at(scenario.file).text);
  }

  std::shared_ptr<const Sources> sources_;
  Diagnostics& diagnostics_;
  Suite suite_;
  const SourceFile* head_ = nullptr;
  std::optional<Kinds> kinds_;
  std::vector<YamlNode> own_whens_, shared_whens_;  // of all clauses that have one; of codes beside the suite
};

}  // namespace

Suite load_suite(std::shared_ptr<const Sources> sources, Diagnostics& diagnostics) {
  return SuiteLoader(std::move(sources), diagnostics).load();
}

void add_code(Suite& suite, const SourceFile& file, Diagnostics& diagnostics) {
  const std::string name = file.name.substr(file.name.rfind('/') + 1);  // all of it where there is no /
  if (!name.ends_with(".yaml"))
    return diagnostics.add({file.name, 1, 1}, "the file of a code of conduct is named like the code: NAME.yaml",
                           file.text);
  const size_t before = diagnostics.size();
  std::vector<YamlNode> whens;
  Code code = load_code(file, name.substr(0, name.size() - 5), &suite.acts, whens, diagnostics);
  if (diagnostics.size() == before) check_clause_levels(whens, true, suite, diagnostics);
  auto same = std::find_if(suite.codes.begin(), suite.codes.end(), [&](const Code& c) { return c.name == code.name; });
  if (same == suite.codes.end())
    suite.codes.push_back(std::move(code));
  else
    *same = std::move(code);
}

}  // namespace assay
