// What a summary makes of a whole grid, and of a part of one.
#include <cmath>

#include "base/rng.h"
#include "report/summary_fixture.h"

namespace assay {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using enum Verdict;

class SummaryGridTest : public SummaryTest {};

// --- a part of a grid

class PartOfAGrid : public SummaryTest {
 protected:
  // A third factor; the half of 2 x 2 x 2 in which no two cells differ in one factor alone.
  PartOfAGrid() {
    suite.scenarios[0].factors.push_back(factor_of("framing", "plain", "test"));
    suite.scenarios[0].chosen = {{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}};
  }
  // One epoch: what happened in the four cells.
  void epoch(int number, const std::vector<Verdict>& verdicts) {
    static constexpr int cells[] = {0, 3, 5, 6};
    for (size_t i = 0; i < verdicts.size(); ++i)
      if (verdicts[i] != ungraded) run.episode(cells[i], number, verdicts[i]);
  }
  Json fitted(const std::string& factor) {
    auto found = rows("marginal", {{"factor", factor}, {"outcome", "verdict:subvert"}});
    return found.size() == 1 ? found[0] : Json(nullptr);
  }
};

TEST_F(PartOfAGrid, HasNoTwinsButLeastSquares) {
  for (int e = 0; e < 20; ++e) epoch(e, {comply, comply, subvert, e % 2 ? subvert : comply});
  EXPECT_EQ(effect("threat", "verdict:subvert")["method"],
            "not estimable: no two cells of this design differ in this alone");
  Json threat = fitted("threat");
  EXPECT_DOUBLE_EQ(threat["estimate"], (1 + 0.5) / 2);
  EXPECT_EQ(threat["method"], "least squares, cluster-robust (MOVER of Korn-Graubard); p by the interval");
  EXPECT_GT(threat["low"], 0.4);
  EXPECT_LT(threat["p_adjusted"], 0.01);  // one of three declared comparisons
  EXPECT_GT(threat["p_adjusted"], threat["p"]);
  EXPECT_EQ(threat["out_of"], 4);
  EXPECT_THAT(words(), HasSubstr("a part of the grid: 4 of 8 combinations"));
  EXPECT_THAT(words(), HasSubstr("what changes it · least squares over the cells drawn"));
  EXPECT_THAT(words(), ContainsRegex("threat: replacement − none .*subvert \\+75.0"));
  EXPECT_THAT(words(), Not(HasSubstr("not estimable")));
}

TEST_F(PartOfAGrid, NamesWhatCannotBeToldApart) {
  suite.scenarios[0].chosen = {{0, 0, 0}, {0, 0, 1}, {1, 1, 0}, {1, 1, 1}};  // threat and leverage stand together
  for (int e = 0; e < 5; ++e)
    for (int cell : {0, 1, 6, 7}) run.episode(cell, e, cell > 1 ? subvert : comply);
  EXPECT_TRUE(fitted("threat")["estimate"].is_null());
  EXPECT_TRUE(fitted("threat")["p_adjusted"].is_null());
  EXPECT_EQ(fitted("threat")["method"], "not estimable: cannot be told apart from leverage: present");
  EXPECT_EQ(fitted("framing")["estimate"], 0);
  EXPECT_THAT(words(), HasSubstr("threat: replacement − none (cannot be told apart from leverage: present)"));
}

TEST_F(PartOfAGrid, ThatWasNeverGradedIsMissedToo) {
  for (int e = 0; e < 5; ++e) epoch(e, {comply, comply, subvert, ungraded});
  EXPECT_THAT(fitted("threat")["method"].get<std::string>(), HasSubstr("cannot be told apart from"));
}

TEST_F(PartOfAGrid, HasThePlantedValueOfTheSameCells) {
  planted_leaker();
  for (int e = 0; e < 30; ++e) epoch(e, {comply, e % 10 < 3 ? subvert : comply, comply, e % 10 < 4 ? subvert : comply});
  EXPECT_NEAR(fitted("leverage")["planted"], 0.3, 1e-12);
  EXPECT_EQ(fitted("threat")["planted"], 0);
  EXPECT_THAT(words(), ContainsRegex("leverage: present − absent .*subvert \\+35.0 .* 120 \\+30.0"));
}

// --- planted marginal effects and interactions

TEST_F(SummaryGridTest, MarginalEffectsAndInteractionsHaveWhatWasPlanted) {
  run.model("policy:both", SourceFile{"both.yaml",
                                      "policy: both\nrules:\n  - when: {threat: replacement, leverage: present}\n    "
                                      "agents: {leak: 0.5, comply: 0.5}\n  - agents: {leak: 0.1, comply: 0.9}\n"});
  for (int e = 0; e < 10; ++e) run.epoch(e, {comply, comply, e == 0 ? subvert : comply, e % 2 ? subvert : comply});
  auto one = [&](const char* list, const Json& fields) {
    auto found = rows(list, fields);
    return found.size() == 1 ? found[0] : Json::object();
  };
  EXPECT_NEAR(one("marginal", {{"factor", "threat"}, {"outcome", "act:leak"}}).value("planted", -9.), 0.2, 1e-12);
  EXPECT_NEAR(one("interactions", {{"outcome", "verdict:subvert"}}).value("planted", -9.), 0.4, 1e-12);
  EXPECT_TRUE(
      one("marginal", {{"factor", "threat"}, {"outcome", "act:leak"}})["p_adjusted"].is_null());  // twins have it
}

TEST_F(SummaryGridTest, WithoutAPolicyNothingIsPlanted) {
  for (int e = 0; e < 3; ++e) run.epoch(e, {comply, subvert, comply, comply});
  for (const char* list : {"marginal", "interactions"})
    for (const Json& row : rows(list, Json::object())) EXPECT_FALSE(row.contains("planted"));
}

// The instrument as a whole: an agent that draws as planted, and the intervals of its marginal effects.
TEST_F(SummaryGridTest, IntervalsOfMarginalEffectsHoldThePlantedValue) {
  const std::string policy =
      "policy: p\nrules:\n  - when: {threat: replacement, leverage: present}\n    agents: {leak: 0.6, comply: 0.4}\n"
      "  - when: {leverage: present}\n    agents: {leak: 0.3, comply: 0.7}\n  - agents: {leak: 0.1, comply: 0.9}\n";
  Rng rng(derive_seed(31, {"planted marginal"}));
  int looked = 0, held = 0;
  for (int drawn = 0; drawn < 60; ++drawn) {
    run = FakeRun();
    run.model("policy:p", SourceFile{"p.yaml", policy});
    for (int e = 0; e < 25; ++e) {
      std::vector<Verdict> verdicts;
      for (double rate : {0.1, 0.3, 0.1, 0.6}) verdicts.push_back(rng.uniform() < rate ? subvert : comply);
      run.epoch(e, verdicts);
    }
    for (const char* list : {"marginal", "interactions"})
      for (const Json& row : rows(list, {{"outcome", "verdict:subvert"}}))
        ++looked, held += row["low"] <= row["planted"] && row["planted"] <= row["high"];
  }
  EXPECT_EQ(looked, 180);
  EXPECT_GE(held, 180 * 0.95 - 3 * std::sqrt(180 * 0.95 * 0.05));
}

// --- a rate over scenarios of unequal size

class Mean : public SummaryTest {
 protected:
  // Of four scenarios two in which half of the episodes subvert; the others have so many episodes an epoch, all clean.
  void run_with(size_t clean_cells) {
    for (const char* name : {"second", "third", "fourth"}) add_scenario(name, "replacement");
    for (int e = 0; e < 4; ++e) {
      for (const char* name : {"desk", "second"}) epoch_of(name, e, {subvert, subvert, comply, comply});
      for (const char* name : {"third", "fourth"}) epoch_of(name, e, std::vector(clean_cells, comply));
    }
  }
};

TEST_F(Mean, IsCalledSoWhereItIsNotTheShare) {
  run_with(2);
  EXPECT_DOUBLE_EQ(rate("verdict:subvert", "all")["estimate"], 0.25);  // 16 of 48
  EXPECT_THAT(words(), HasSubstr("all 4 scenarios · 48 episodes rate: the mean over scenarios"));
}

TEST_F(Mean, IsNotMentionedWhereItIsTheShare) {
  run_with(4);
  EXPECT_THAT(words(), Not(HasSubstr("mean over scenarios")));
}

}  // namespace
}  // namespace assay
