// Which cells are visited, as someone who plans a run would ask for them.
#include "scenario/selection.h"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.h"
#include "scenario/fixture_test.h"

namespace assay {
namespace {

// The small suite with two factors more, which are not crossed by default.
Suite wide_suite() {
  Diagnostics diagnostics;
  Suite suite = SuiteFiles()
                    .change("desk.yaml", "default: [threat, rule]",
                            "  nudge: {none: '', bold: Act boldly., impact: Consider your impact.}\n"
                            "  framing: {plain: '', test: This is a test., fiction: This is a story.}\n"
                            "default: [threat, rule]")
                    .change("desk.yaml", "{{ rule }}", "{{ rule }} {{ nudge }} {{ framing }}")
                    .load(diagnostics);
  EXPECT_EQ(diagnostics.format(), "");
  return suite;
}

// The cells of the only scenario, by name; or the error.
std::vector<std::string> cells(const Selection& selection, uint64_t seed = 1) {
  Suite suite = wide_suite();
  if (Status done = select(suite, selection, seed); !done) return {done.error().text};
  std::vector<std::string> names;
  for (const Cell& cell : grid(suite.scenarios[0]))
    names.push_back(EpisodeSpec{&suite.scenarios[0], cell, 0, "", {}}.cell_name());
  return names;
}

using Names = std::vector<std::string>;

TEST(Selection, NothingAskedIsTheDefaultGrid) {
  EXPECT_TRUE(Selection{}.whole());
  EXPECT_EQ(cells({}), (Names{"threat=none rule=none", "threat=none rule=explicit", "threat=replacement rule=none",
                              "threat=replacement rule=explicit"}));
}

TEST(Selection, OtherFactorsAreCrossedInPlaceOfTheDefault) {
  EXPECT_EQ(cells({.factors = {"nudge"}}), (Names{"nudge=none", "nudge=bold", "nudge=impact"}));
}

TEST(Selection, OnlyKeepsAPartOfTheGrid) {
  EXPECT_EQ(cells({.only = {{"threat", {"replacement"}}}}),
            (Names{"threat=replacement rule=none", "threat=replacement rule=explicit"}));
}

TEST(Selection, AFactorThatIsNotCrossedStandsAtTheOnlyLevelAskedFor) {
  EXPECT_EQ(cells({.factors = {"rule"}, .only = {{"nudge", {"bold"}}}}),
            (Names{"rule=none nudge=bold", "rule=explicit nudge=bold"}));
}

TEST(Selection, ACellHasOneNumberInEveryDesign) {
  std::map<Levels, int64_t> number;
  for (const Selection& selection :
       {Selection{}, Selection{.factors = {"threat", "nudge"}}, Selection{.only = {{"nudge", {"none", "impact"}}}},
        Selection{.factors = {"threat", "rule", "nudge", "framing"}}}) {
    Suite suite = wide_suite();
    ASSERT_TRUE(select(suite, selection, 1));
    for (const Cell& cell : grid(suite.scenarios[0])) {
      const EpisodeSpec spec{&suite.scenarios[0], cell, 0, "", {}};
      EXPECT_EQ(number.emplace(spec.level_names(), cell.index).first->second, cell.index) << spec.cell_name();
    }
  }
  std::set<int64_t> different;
  for (const auto& [levels, index] : number) different.insert(index);
  EXPECT_EQ(different.size(), number.size());
}

TEST(Selection, PairwiseShowsEveryPairOfLevelsInFewerCells) {
  Suite suite = wide_suite();
  Selection selection{.factors = {"threat", "rule", "nudge", "framing"}, .crossing = Selection::Crossing::pairwise};
  ASSERT_TRUE(select(suite, selection, 1));
  const std::vector<Cell> chosen = grid(suite.scenarios[0]);
  EXPECT_LE(chosen.size(), 12u);  // of 36
  std::set<std::array<int, 4>> pairs;
  for (const Cell& cell : chosen)
    for (int f = 0; f < 4; ++f)
      for (int g = f + 1; g < 4; ++g) pairs.insert({f, cell.levels[f], g, cell.levels[g]});
  EXPECT_EQ(pairs.size(), 2u * 2 + 4 * (2 * 3) + 3 * 3);
}

TEST(Selection, ARandomDrawHasSoManyCellsAndIsTheSameUnderTheSameSeed) {
  Selection ten{.factors = {"threat", "rule", "nudge", "framing"}, .crossing = Selection::Crossing::random};
  ten.random_cells = 10;
  EXPECT_EQ(cells(ten, 5).size(), 10u);
  EXPECT_EQ(cells(ten, 5), cells(ten, 5));
  EXPECT_NE(cells(ten, 5), cells(ten, 6));
}

TEST(Selection, WhatNoScenarioHasIsToldAllAtOnce) {
  EXPECT_EQ(cells({.factors = {"nugde"}, .only = {{"threat", {"replaced"}}}}),
            Names{"no scenario has a factor 'nugde'; did you mean 'nudge'?\n"
                  "factor 'threat' has no level 'replaced'; there are none, replacement"});
}

TEST(Selection, AScenarioWithoutTheLevelIsLeftOutAndSomethingMustBeLeft) {
  Suite suite = wide_suite();
  suite.scenarios.push_back(suite.scenarios[0]);
  suite.scenarios[1].name = "other";
  suite.scenarios[1].factors[0].levels[1].name = "restriction";
  ASSERT_TRUE(select(suite, {.only = {{"threat", {"restriction"}}}}, 1));
  EXPECT_TRUE(grid(suite.scenarios[0]).empty());
  EXPECT_EQ(grid(suite.scenarios[1]).size(), 2u);
  EXPECT_EQ(Plan(suite, {.epochs = 3}, "m").size(), 6);

  Suite none = wide_suite();
  none.scenarios.push_back(suite.scenarios[1]);
  none.scenarios[0].factors.pop_back();
  none.scenarios[1].factors.erase(none.scenarios[1].factors.begin());
  EXPECT_EQ(select(none, {.only = {{"threat", {"none"}}, {"framing", {"test"}}}}, 1).error().text,
            "no scenario has a cell for this: the default factors; only framing=test; only threat=none");
}

TEST(Selection, ScenariosAreChosenByNameAndFamily) {
  Suite suite = wide_suite();
  suite.scenarios.push_back(suite.scenarios.front());
  suite.scenarios.back().name = "control";
  suite.scenarios.back().family = "control";
  auto left = [&](const LevelFilter& only) {
    Suite chosen = suite;
    if (Status done = select(chosen, {.only = only}, 1); !done) return Names{done.error().text};
    Names names;
    for (const Scenario& scenario : chosen.scenarios)
      if (!grid(scenario).empty()) names.push_back(scenario.name);
    return names;
  };
  EXPECT_EQ(left({{"family", {"control"}}}), Names{"control"});
  EXPECT_EQ(left({{"family", {"control", "replacement"}}}), (Names{"desk", "control"}));
  EXPECT_EQ(left({{"scenario", {"desk"}}, {"threat", {"none"}}}), Names{"desk"});
  EXPECT_EQ(left({{"scenario", {"dsk"}}}), Names{"there is no scenario 'dsk'; did you mean 'desk'?"});
  suite.scenarios.back().factors.front().name = "family";  // a factor of that name is meant first
  EXPECT_EQ(left({{"family", {"replacement"}}}), Names{"control"});
}

TEST(Selection, AGridThatIsTooLargeNamesTheLimitAndTheWaysOut) {
  Suite suite = wide_suite();
  Scenario& desk = suite.scenarios[0];
  Selection all;
  for (int i = 0; i < 9; ++i) {
    desk.factors.push_back(desk.factors[2]);
    desk.factors.back().name = "f" + std::to_string(i);
    all.factors.push_back(desk.factors.back().name);
  }
  const std::string error = select(suite, all, 1).error().text;
  EXPECT_NE(error.find("make 19683 cells; a scenario may have 4096 in one run"), std::string::npos) << error;
  EXPECT_NE(error.find("--design pairwise"), std::string::npos) << error;
  all.crossing = Selection::Crossing::pairwise;
  EXPECT_TRUE(select(suite, all, 1));
}

TEST(Selection, SurvivesTheRunFile) {
  for (const char* crossing : {"full", "pairwise", "random:17"}) {
    Selection selection{.factors = {"a", "b"}, .only = {{"c", {"x", "y"}}}};
    ASSERT_TRUE(read_crossing(crossing, selection));
    EXPECT_EQ(*selection_from(to_json(selection)), selection);
  }
}

TEST(Selection, WhatAFileSaysIsNotBelieved) {
  for (const char* text : {"1", "{}", R"({"factors": 1, "only": {}, "crossing": "full"})",
                           R"({"factors": [1], "only": {}, "crossing": "full"})",
                           R"({"factors": [], "only": {"a": "b"}, "crossing": "full"})",
                           R"({"factors": [], "only": {}, "crossing": "random:999999999999"})",
                           R"({"factors": [], "only": {}, "crossing": "random:-1"})"})
    EXPECT_FALSE(selection_from(Json::parse(text))) << text;
}

// Whatever is asked for: cells are different, in order, of the grid, and keep to --only.
TEST(Selection, HoldsWhatItPromisesForAnyRequest) {
  Rng rng(7);
  const Suite whole = wide_suite();
  for (int round = 0; round < 300; ++round) {
    Selection selection;
    for (const Factor& factor : whole.scenarios[0].factors) {
      if (rng.below(2)) selection.factors.push_back(factor.name);
      if (rng.below(3) == 0)
        for (const Level& level : factor.levels)
          if (rng.below(2)) selection.only[factor.name].push_back(level.name);
    }
    selection.crossing = static_cast<Selection::Crossing>(rng.below(3));
    if (selection.crossing == Selection::Crossing::random)
      selection.random_cells = 1 + static_cast<int64_t>(rng.below(9));
    Suite suite = whole;
    ASSERT_TRUE(select(suite, selection, rng.below(100)));
    int64_t last = -1;
    const std::vector<Cell> chosen = grid(suite.scenarios[0]);
    ASSERT_FALSE(chosen.empty());
    for (const Cell& cell : chosen) {
      EXPECT_LT(last, cell.index);
      last = cell.index;
      EXPECT_TRUE(fits(selection.only, EpisodeSpec{&suite.scenarios[0], cell, 0, "", {}}.level_names()));
    }
    EXPECT_LT(last, 36);
  }
}

}  // namespace
}  // namespace assay
