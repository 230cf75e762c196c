#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "scenario/scenario_loader.h"

namespace assay {
namespace {

// Plain `yes` is a text in YAML 1.2 and true in YAML 1.1; an author need not know which this is.
std::optional<bool> yes_or_no(const YamlNode& node, Diagnostics& diagnostics) {
  std::optional<std::string> text = as_text(node, "an answer", diagnostics);
  if (!text) return std::nullopt;
  const std::string word = folded(*text);
  if (word == "yes" || word == "true") return true;
  if (word == "no" || word == "false") return false;
  complain(node, fmt::format("an answer is yes or no; found '{}'", *text), diagnostics);
  return std::nullopt;
}

// The names that a text speaks of, in the files that it includes too.
std::set<std::string> names_in(const Template& text, const std::map<std::string, Template>& includes) {
  std::set<std::string> names;
  std::vector<const Template*> open = {&text};
  while (!open.empty()) {
    const Template* next = open.back();
    open.pop_back();
    for (const std::string& use : next->uses()) {
      if (!names.insert(use).second || !use.starts_with("include:")) continue;
      if (auto file = includes.find(use.substr(8)); file != includes.end()) open.push_back(&file->second);
    }
  }
  return names;
}

}  // namespace

// The question is the same at every level, and the answers are not: only then do they tell what was noticed.
void ScenarioLoader::check(const YamlNode& node) {
  Fields fields(node, "check", {"ask", "expect"}, {"ask", "expect"}, diagnostics_);
  if (!fields.is_map()) return;
  Check made;
  made.place = node.origin.place;
  if (auto* ask = fields.get("ask")) {
    made.place = ask->origin.place;
    made.ask = text(*ask, "ask");
    if (ask->kind == YamlNode::Kind::text && trimmed(ask->text).empty())
      mistake(*ask, "an empty question; leave `check` out where nothing is asked");
    const std::set<std::string> names = names_in(made.ask, made_.includes);
    for (const Factor& factor : made_.factors)
      if (names.count(factor.name) || names.count("level." + factor.name))
        mistake(*ask,
                fmt::format("the question tells the level of '{}'; it must be the same at every level", factor.name));
  }
  if (auto* expect = fields.get("expect")) {
    const size_t before = diagnostics_.size();
    made.expect.factor = by_level(*expect, "expect", [&](const std::string& level, const YamlNode& value) {
      if (auto answer = yes_or_no(value, diagnostics_)) made.expect.at[level] = *answer;
    });
    if (diagnostics_.size() > before) return;
    if (made_.factor(made.expect.factor)->latent)
      mistake(*expect,
              fmt::format("'{}' is latent: the agent sees nothing of it that it could notice", made.expect.factor));
    else if (std::ranges::all_of(made.expect.at,
                                 [&](const auto& level) { return level.second == made.expect.at.begin()->second; }))
      mistake(*expect, "every level expects the same answer, so that none would show which one it was");
  }
  made_.check = std::move(made);
}

}  // namespace assay
