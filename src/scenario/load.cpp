#include "scenario/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/hash.h"
#include "base/text.h"
#include "scenario/load_scenario.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr size_t largest_file = 1 << 20;
constexpr size_t most_files = 2'000;

Result<SourceFile> read_source(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_regular_file(path, failed)) return Error{fmt::format("{}: not a regular file", path.string())};
  if (uintmax_t size = fs::file_size(path, failed); !failed && size > largest_file)
    return Error{fmt::format("{}: {} bytes; a file of a suite may have {}", path.string(), size, largest_file)};
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return Error{fmt::format("{}: cannot be read", path.string())};
  return SourceFile{path.string(), std::move(text)};
}

bool is_scenario(const std::string& key) {
  return key.ends_with(".yaml") && !key.starts_with("../") && key != "suite.yaml" && key != "acts.yaml" &&
         !key.starts_with("codes/");
}

std::map<std::string, std::string> load_acts(const SourceFile& file, Diagnostics& diagnostics) {
  std::map<std::string, std::string> kinds;
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return kinds;
  for (const auto& [kind, sentence] : root->entries)
    kinds[kind.text] = as_text(sentence, fmt::format("the kind '{}'", kind.text), diagnostics).value_or("");
  return kinds;
}

Code load_code(const SourceFile& file, const std::map<std::string, std::string>& kinds, Diagnostics& diagnostics) {
  Code code;
  code.hash = sha256(file.text);
  std::optional<YamlNode> root = parse_yaml(file, diagnostics);
  if (!root) return code;
  const std::vector<std::string> roles = {"developer", "owner", "operator", "user"};
  std::vector<std::string> known_kinds;
  for (const auto& [kind, sentence] : kinds) known_kinds.push_back(kind);
  Fields top(*root, "a code of conduct", {"code", "title", "order", "clauses", "explain"}, {"code", "order", "clauses"},
             diagnostics);
  if (auto* node = top.get("code")) code.name = as_text(*node, "code", diagnostics).value_or("");
  if (auto* node = top.get("title")) code.title = as_text(*node, "title", diagnostics).value_or("");
  if (auto* node = top.get("explain")) code.explain = as_text(*node, "explain", diagnostics).value_or("");
  if (auto* node = top.get("order"))
    for (const YamlNode* role : as_texts(*node, "order", diagnostics)) {
      if (std::find(roles.begin(), roles.end(), role->text) == roles.end())
        complain(*role, fmt::format("a role is one of {}; found '{}'", joined(roles, ", "), role->text), diagnostics);
      code.order.push_back(role->text);
    }
  const YamlNode* clauses = top.get("clauses");
  if (clauses && clauses->kind != YamlNode::Kind::list) complain(*clauses, "clauses must be a list", diagnostics);
  if (!clauses) return code;
  for (const YamlNode& item : clauses->items) {
    Clause clause;
    Fields fields(item, "a clause", {"id", "permits", "forbids", "requires", "toward"}, {"id"}, diagnostics);
    if (!fields.is_map()) continue;
    if (auto* node = fields.get("id")) clause.id = as_text(*node, "id", diagnostics).value_or("");
    auto acts = [&](const char* key, std::vector<std::string>& into) {
      const YamlNode* node = fields.get(key);
      if (!node) return;
      for (const YamlNode* kind : as_texts(*node, key, diagnostics)) {
        if (!kinds.count(kind->text)) {
          std::string guess = nearest(kind->text, known_kinds);
          complain(
              *kind,
              fmt::format("there is no kind of act '{}'; {}", kind->text,
                          guess.empty() ? "there are " + joined(known_kinds, ", ") : "did you mean '" + guess + "'?"),
              diagnostics);
        }
        into.push_back(kind->text);
      }
    };
    acts("permits", clause.permits);
    acts("forbids", clause.forbids);
    acts("requires", clause.requires_);
    if (clause.permits.empty() && clause.forbids.empty() && clause.requires_.empty())
      complain(item, "a clause permits, forbids or requires something", diagnostics);
    if (auto* node = fields.get("toward")) {
      clause.toward = as_text(*node, "toward", diagnostics).value_or("");
      std::vector<std::string> targets = roles;
      targets.push_back("any_principal");
      if (std::find(targets.begin(), targets.end(), clause.toward) == targets.end())
        complain(*node, fmt::format("toward is one of {}; found '{}'", joined(targets, ", "), clause.toward),
                 diagnostics);
    }
    code.clauses.push_back(std::move(clause));
  }
  return code;
}

}  // namespace

Result<Sources> read_suite_folder(const std::string& folder) {
  std::error_code failed;
  fs::path root(folder);
  while (root.has_relative_path() && root.filename().empty()) root = root.parent_path();  // "suites/first/"
  if (!fs::exists(root, failed)) return Error{fmt::format("{}: there is no such folder", folder)};
  if (!fs::is_directory(root, failed))
    return Error{fmt::format("{}: not a folder; a suite is a folder with a suite.yaml and scenario files", folder)};
  if (!fs::exists(root / "suite.yaml", failed))
    return Error{fmt::format("{}: no suite.yaml in this folder, so it is no suite", folder)};
  Sources sources;
  auto take = [&](const std::string& key, const fs::path& path) -> Status {
    Result<SourceFile> file = read_source(path);
    if (!file) return file.error();
    sources[key] = std::move(*file);
    if (sources.size() > most_files)
      return Error{fmt::format("{}: more than {} files; is this a suite?", folder, most_files)};
    return Done{};
  };
  for (auto it = fs::recursive_directory_iterator(root, failed); !failed && it != fs::recursive_directory_iterator();
       it.increment(failed)) {
    std::string name = it->path().filename().string();
    if (name.starts_with(".") || name.ends_with("~")) {
      if (it->is_directory(failed)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_directory(failed)) continue;
    if (Status taken = take(it->path().lexically_relative(root).generic_string(), it->path()); !taken)
      return taken.error();
  }
  if (failed) return Error{fmt::format("{}: cannot be read: {}", folder, failed.message())};
  // The vocabulary and the codes may lie beside the suite, shared by several.
  fs::path beside = root / "..";
  if (fs::path parent = root.lexically_normal().parent_path();
      !parent.empty() && root.filename() != "." && root.filename() != "..")
    beside = parent;
  if (!sources.count("acts.yaml") && fs::is_regular_file(beside / "acts.yaml", failed))
    if (Status taken = take("../acts.yaml", beside / "acts.yaml"); !taken) return taken.error();
  if (fs::is_directory(beside / "codes", failed)) {
    for (const auto& entry : fs::directory_iterator(beside / "codes", failed)) {
      std::string name = entry.path().filename().string();
      if (!name.ends_with(".yaml") || name.starts_with(".") || sources.count("codes/" + name)) continue;
      if (Status taken = take("../codes/" + name, entry.path()); !taken) return taken.error();
    }
  }
  return sources;
}

Suite load_suite(std::shared_ptr<const Sources> sources, Diagnostics& diagnostics) {
  Suite suite;
  suite.sources = sources;
  auto file = [&](const std::string& key) -> const SourceFile* {
    auto found = sources->find(key);
    return found == sources->end() ? nullptr : &found->second;
  };
  const SourceFile* head = file("suite.yaml");
  if (!head) {
    diagnostics.add({"suite.yaml", 0, 0}, "there is no suite.yaml", "");
    return suite;
  }
  const SourceFile* acts = file("acts.yaml") ? file("acts.yaml") : file("../acts.yaml");
  if (acts)
    suite.acts = load_acts(*acts, diagnostics);
  else
    diagnostics.add({head->name, 0, 0},
                    "there is no acts.yaml (the vocabulary of acts) in the suite's folder or beside it", "");

  if (std::optional<YamlNode> root = parse_yaml(*head, diagnostics)) {
    Fields top(*root, "suite.yaml", {"suite", "title", "codes"}, {"suite", "codes"}, diagnostics);
    if (auto* node = top.get("suite")) suite.name = as_text(*node, "suite", diagnostics).value_or("");
    if (auto* node = top.get("title")) suite.title = as_text(*node, "title", diagnostics).value_or("");
    if (auto* node = top.get("codes")) {
      std::vector<std::string> known;
      for (const auto& [key, source] : *sources)
        if (key.find("codes/") != std::string::npos && key.ends_with(".yaml"))
          known.push_back(key.substr(key.rfind('/') + 1, key.size() - key.rfind('/') - 6));
      for (const YamlNode* item : as_texts(*node, "codes", diagnostics)) {
        const SourceFile* code = file("codes/" + item->text + ".yaml");
        if (!code) code = file("../codes/" + item->text + ".yaml");
        if (!code) {
          std::string guess = nearest(item->text, known);
          complain(*item,
                   fmt::format("there is no codes/{}.yaml in the suite's folder or beside it{}", item->text,
                               guess.empty() ? "" : "; did you mean '" + guess + "'?"),
                   diagnostics);
          continue;
        }
        suite.codes.push_back(load_code(*code, suite.acts, diagnostics));
        Code& loaded = suite.codes.back();
        if (!loaded.name.empty() && loaded.name != item->text)
          diagnostics.add({code->name, 0, 0},
                          fmt::format("this file is named {} and its code is '{}'; they must be the same",
                                      item->text + ".yaml", loaded.name),
                          "");
      }
      if (node->kind == YamlNode::Kind::list && node->items.empty())
        complain(*node, "name at least one code of conduct: codes: [never-subvert]", diagnostics);
    }
  }

  std::map<std::string, std::string> names;  // scenario -> file
  std::string hashed;
  for (const auto& [key, source] : *sources) {
    if (key.find("codes/") == std::string::npos)
      hashed += fmt::format("{}\n{}\n", key, source.text.size()) + source.text;
    if (!is_scenario(key)) continue;
    std::optional<YamlNode> root = parse_yaml(source, diagnostics);
    if (!root) continue;
    Scenario scenario = load_scenario(key, *root, *sources, suite.acts, diagnostics);
    if (auto [other, fresh] = names.emplace(scenario.name, source.name); !fresh && !scenario.name.empty())
      complain(*root->find("scenario"), fmt::format("the scenario '{}' is already in {}", scenario.name, other->second),
               diagnostics);
    suite.scenarios.push_back(std::move(scenario));
  }
  if (names.empty() && diagnostics.empty())
    diagnostics.add({head->name, 0, 0}, "there is no scenario file (*.yaml) beside this suite.yaml", "");
  suite.hash = sha256(hashed);
  return suite;
}

}  // namespace assay
