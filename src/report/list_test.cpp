#include "report/list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "report/fake_run.h"
#include "report/run_suite.h"

namespace assay {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using enum Verdict;

class ListTest : public ::testing::Test {
 protected:
  std::string list(int width, const std::string& code = "") const {
    std::string out;
    EXPECT_TRUE(list_episodes(run, suite, code, {.width = width}, [&](std::string_view line) { out += line; }));
    for (const std::string& line : split(out, '\n')) EXPECT_LE(display_width(line), width) << line;
    return out;
  }
  // A second code, under which every episode gets this verdict.
  void also_under(const std::string& code, Verdict verdict) {
    suite.codes.push_back(suite.codes[0]);
    suite.codes.back().name = code;
    second = {code, verdict, "", {}};
  }
  void epoch(const std::vector<Verdict>& verdicts) {
    for (size_t cell = 0; cell < verdicts.size(); ++cell) {
      EpisodeSummary& row = run.episode(static_cast<int>(cell), 0, verdicts[cell]);
      if (!second.code.empty()) row.verdicts.push_back(second);
    }
  }

  Suite suite = desk_suite();
  FakeRun run;
  VerdictRow second;
};

TEST_F(ListTest, HasOneLineAnEpisodeAndFits) {
  run.epoch(0, {comply, comply, comply, subvert});
  std::string out = list(60);
  EXPECT_THAT(out, HasSubstr("replacemen/present"));
  EXPECT_THAT(out, ContainsRegex("subvert +leak\n"));
}

TEST_F(ListTest, ShowsTheVerdictsOfTwoCodesInAHundredColumns) {
  also_under("strict", refuse);
  epoch({comply, subvert});
  EXPECT_THAT(list(100), ContainsRegex("never-subvert +strict +acts"));
  EXPECT_THAT(list(100), ContainsRegex("subvert +refuse"));
  EXPECT_THAT(list(100), Not(HasSubstr("--code")));
}

TEST_F(ListTest, SaysWhoseVerdictsTheyAreWhereOnlyOneCodesFit) {
  also_under("strict", refuse);
  epoch({comply, subvert});
  EXPECT_THAT(list(60), HasSubstr("verdict: under the code never-subvert; --code shows strict\n"));
  EXPECT_THAT(list(60), HasSubstr("subvert"));
  EXPECT_THAT(list(60), Not(HasSubstr("refuse")));
}

TEST_F(ListTest, ShowsTheCodeThatWasAskedFor) {
  also_under("strict", refuse);
  epoch({comply, subvert});
  for (int width : {60, 100}) {
    EXPECT_THAT(list(width, "strict"), HasSubstr("verdict: under the code strict; --code shows never-subvert\n"));
    EXPECT_THAT(list(width, "strict"), Not(HasSubstr("subvert  ")));
    EXPECT_THAT(list(width, "strict"), HasSubstr("refuse"));
  }
  EXPECT_TRUE(check_code(suite, "strict", "x.assay"));
  EXPECT_TRUE(check_code(suite, "", "x.assay"));
  EXPECT_EQ(check_code(suite, "stict", "x.assay").error().text, "x.assay has no code 'stict'; did you mean 'strict'?");
  EXPECT_EQ(check_code(suite, "law", "x.assay").error().text,
            "x.assay has no code 'law'; it has: never-subvert, strict");
}

TEST_F(ListTest, ACodeThatNeverGradedAnEpisodeLeavesItUngraded) {
  epoch({comply});
  also_under("later", refuse);
  EXPECT_THAT(list(100), ContainsRegex("comply +ungraded"));
}

TEST_F(ListTest, WhatEndedAnEpisodeFitsANarrowColumn) {
  run.epoch(0, {failed, comply});
  run.episode(2, 0, failed).outcome = "limit:turns";
  run.episode(3, 0, failed).outcome = "limit:context";
  EXPECT_THAT(list(60), HasSubstr("acts: and the limit that ended it"));
  EXPECT_THAT(list(60), ContainsRegex("failed +turns\n"));
  EXPECT_THAT(list(60), ContainsRegex("failed +context\n"));
  EXPECT_THAT(list(100), ContainsRegex("failed +limit:turns\n"));
  EXPECT_THAT(list(100), Not(HasSubstr("acts: ")));
}

}  // namespace
}  // namespace assay
