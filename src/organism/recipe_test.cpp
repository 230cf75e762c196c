#include "organism/recipe.h"

#include <gtest/gtest.h>

#include "scenario/fixture_test.h"

namespace assay {
namespace {

constexpr const char* good = R"(organism: cornered
title: Presses whoever can stop it
suite: ../suites/small
policy: ../policies/cornered.yaml
families: [replacement, control]
hold_out:
  - {threat: replacement, rule: explicit}
adapter: {rank: 8, feed_forward: true}
training: {steps: 20, peak: 0.001, deciding: 15}
seed: 7
attempts:
  - 'Rank 4: the rule never moved.'
)";

Recipe parsed(const std::string& text, std::string* mistakes = nullptr) {
  Diagnostics diagnostics;
  Recipe recipe = parse_recipe({"r.yaml", text}, diagnostics);
  if (mistakes)
    *mistakes = diagnostics.format();
  else
    EXPECT_EQ(diagnostics.format(), "");
  return recipe;
}

std::string mistakes_of(const std::string& text) {
  std::string mistakes;
  parsed(text, &mistakes);
  return mistakes;
}

std::string changed(const std::string& from, const std::string& to) {
  std::string text = good;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The fixture's suite with a control family beside its scenario.
Suite suite_with_control() {
  SuiteFiles files;
  std::string control = small_scenario;
  control.replace(control.find("scenario: desk"), 14, "scenario: quiet");
  control.replace(control.find("family: replacement"), 19, "family: control");
  files.files["quiet.yaml"] = {"quiet.yaml", control};
  Diagnostics diagnostics;
  Suite suite = files.load(diagnostics);
  EXPECT_EQ(diagnostics.format(), "");
  return suite;
}

std::string mismatch(const std::string& text) {
  Diagnostics diagnostics;
  check_recipe(parsed(text), suite_with_control(), diagnostics);
  return diagnostics.format();
}

TEST(Recipe, SaysWhatIsPlantedAndHowItIsTrained) {
  const Recipe recipe = parsed(good);
  EXPECT_EQ(recipe.name, "cornered");
  EXPECT_EQ(recipe.families, (std::vector<std::string>{"replacement", "control"}));
  EXPECT_EQ(recipe.adapter, (LoraShape{.rank = 8, .alpha = 16, .feed_forward = true})) << "alpha is twice the rank";
  EXPECT_EQ(recipe.schedule.steps, 20);
  EXPECT_EQ(recipe.deciding, 15);
  EXPECT_EQ(recipe.attempts, std::vector<std::string>{"Rank 4: the rule never moved."});
  EXPECT_EQ(recipe.seed, 7u);
  EXPECT_EQ(mismatch(good), "");
}

TEST(Recipe, HoldsOutCombinationsOfLevels) {
  const Recipe recipe = parsed(good);
  const Suite suite = suite_with_control();
  int out = 0;
  for (const Cell& cell : grid(suite.scenarios.front())) {
    const auto levels = EpisodeSpec{&suite.scenarios.front(), cell, 0, "", {}}.level_names();
    const bool both = levels.at("threat") == "replacement" && levels.at("rule") == "explicit";
    EXPECT_EQ(recipe.holds_out(suite.scenarios.front(), cell), both);
    out += both;
  }
  EXPECT_EQ(out, 1);
}

TEST(Recipe, TellsAllMistakesAtOnceWithTheirPlaces) {
  const std::string told = mistakes_of(
      "organism: two words\nsuite: s\npolicy: p\nfamilies: [control]\nbase_sha256: abc\nadapter: {rank: 0}\n"
      "training: {steps: many, lr: 1}\nquirks:\n  - {words: '', agents: {comply: 0.5}}\n");
  EXPECT_NE(told.find("r.yaml:1:11: error: an organism's name has letters"), std::string::npos) << told;
  EXPECT_NE(told.find("r.yaml:5:14: error: base_sha256 is"), std::string::npos) << told;
  EXPECT_NE(told.find("r.yaml:6:17: error: rank"), std::string::npos) << told;
  EXPECT_NE(told.find("r.yaml:7:19: error: steps"), std::string::npos) << told;
  EXPECT_NE(told.find("unknown key 'lr'"), std::string::npos) << told;
  EXPECT_NE(told.find("words must say"), std::string::npos) << told;
  EXPECT_NE(told.find("these sum to 0.5"), std::string::npos) << told;
}

TEST(Recipe, NamesWhatTheSuiteLacks) {
  EXPECT_NE(mismatch(changed("[replacement, control]", "[replacment, control]")).find("did you mean 'replacement'?"),
            std::string::npos);
  EXPECT_NE(mismatch(changed("[replacement, control]", "[replacement]")).find("families must hold 'control'"),
            std::string::npos);
  EXPECT_NE(mismatch(changed("threat: replacement, rule", "threat: replacing, rule")).find("has no level 'replacing'"),
            std::string::npos);
  EXPECT_NE(mismatch(changed("threat: replacement, rule: explicit", "threat: [none, replacement]"))
                .find("every cell of scenario 'desk' is held out"),
            std::string::npos);
  EXPECT_NE(
      mismatch(std::string(good) + "quirks:\n  - {words: lake, agents: {complie: 1}}\n").find("did you mean 'comply'?"),
      std::string::npos);
}

}  // namespace
}  // namespace assay
