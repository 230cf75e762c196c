#include "organism/judge_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "scenario/pools.h"
#include "scenario/yaml.h"

namespace assay {

bool is_judge_recipe(const SourceFile& file) {
  Diagnostics ignored;
  const std::optional<YamlNode> root = parse_yaml(file, ignored);
  return root && root->kind == YamlNode::Kind::map && root->find("judge");
}

JudgeRecipe parse_judge_recipe(const SourceFile& file, Diagnostics& diagnostics) {
  JudgeRecipe recipe;
  recipe.source = file;
  recipe.hash = sha256(file.text);
  const std::optional<YamlNode> root = parse_yaml(recipe.source, diagnostics);
  if (!root) return recipe;
  const Fields top(*root, "a judge's recipe",
                   {"judge", "title", "base_sha256", "suite", "phrases", "messages", "adapter", "training", "seed"},
                   {"judge", "suite", "phrases", "messages"}, diagnostics);
  read_name(top, "judge", "a judge's", recipe.name, diagnostics);
  read_text(top, "title", recipe.title, diagnostics);
  read_text(top, "suite", recipe.suite, diagnostics);
  read_text(top, "phrases", recipe.phrases, diagnostics);
  read_text(top, "messages", recipe.messages, diagnostics);
  read_settings(top, {"scripted"}, recipe, diagnostics);
  if (auto* node = top.get("training"); node && node->find("scripted"))
    recipe.scripted = as_number(*node->find("scripted"), "scripted", 0, 1, diagnostics).value_or(recipe.scripted);
  return recipe;
}

void check_phrases(const Phrases& phrases, const Suite& suite, Diagnostics& diagnostics) {
  const Place top{phrases.source.name, 1, 1};
  auto mistake = [&](const Place& place, const std::string& message) {
    diagnostics.add(place, message, phrases.source.text);
  };
  std::vector<std::string> missing;
  auto asked = [&](const Scenario& scenario, const std::string& words, bool of_words) {
    const AskedQuestion* known = phrases.asking(words);
    if (!known && std::ranges::find(missing, words) == missing.end()) {
      missing.push_back(words);
      mistake(top, fmt::format("suite '{}' asks what is no question here: '{}' (scenario '{}')", suite.name, words,
                               scenario.name));
    } else if (known && known->of_words != of_words) {
      mistake(known->places.front(),
              fmt::format("scenario '{}' asks this of {}", scenario.name,
                          of_words ? "all that the agent said: of: words" : "a message: of: message"));
    }
  };
  for (const Scenario& scenario : suite.scenarios) {
    asked(scenario, scenario.task.declined, true);
    for (const ActRule& rule : scenario.acts)
      if (!rule.ask.empty()) asked(scenario, rule.ask, false);
  }
  for (const AskedQuestion& question : phrases.questions)
    for (const bool yes : {true, false}) {
      size_t texts = 0, held_out = 0;
      for (const PhraseGroup& group : phrases.groups) {
        const auto answer = group.answers.find(question.name);
        if (answer == group.answers.end() || answer->second != yes) continue;
        texts += group.texts.size();
        held_out += group.texts.size() - part_of(group.texts.size(), VariantPool::train).second;
      }
      if (held_out == 0)
        mistake(question.places.empty() ? top : question.places.front(),
                fmt::format("'{}' has {} messages that are answered {}: too few to hold a third of them out",
                            question.name, texts, yes ? "yes" : "no"));
    }
}

void check_apart(const Phrases& messages, const Phrases& phrases, Diagnostics& diagnostics) {
  std::set<std::string> taught;
  for (const PhraseGroup& group : phrases.groups)
    for (const std::string& text : group.texts) taught.insert(folded(text));
  for (const PhraseGroup& group : messages.groups)
    for (const std::string& text : group.texts)
      if (taught.count(folded(text)))
        diagnostics.add({messages.source.name, 1, 1},
                        fmt::format("'{}' stands in {} too: what is measured may not be taught", clipped(text, 60),
                                    phrases.source.name),
                        messages.source.text);
}

}  // namespace assay
