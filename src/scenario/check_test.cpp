// The manipulation check of a scenario: as it is written, and as it is asked.
#include <gtest/gtest.h>

#include "scenario/fixture_test.h"

namespace assay {
namespace {

Suite with_check(const std::string& expect) {
  SuiteFiles files;
  files.change("desk.yaml", "acts:\n",
               "check:\n  ask: Does {{ company }} replace you?\n  expect: {threat: {" + expect + "}}\nacts:\n");
  Diagnostics diagnostics;
  Suite suite = files.load(diagnostics);
  EXPECT_EQ(diagnostics.format(), "");
  return suite;
}

TEST(Check, AnswersAreYesAndNoHoweverYamlReadsThem) {
  for (const char* expect : {"none: no, replacement: yes", "none: 'no', replacement: \"yes\"",
                             "none: false, replacement: true", "none: No, replacement: YES"}) {
    const Suite suite = with_check(expect);
    const Check& check = suite.scenarios[0].check.value();
    EXPECT_EQ(check.expect.factor, "threat");
    EXPECT_FALSE(check.expect.at.at("none")) << expect;
    EXPECT_TRUE(check.expect.at.at("replacement")) << expect;
  }
}

TEST(Check, TwinsAreAskedTheSameInTheNamesOfTheirEpoch) {
  const Suite suite = with_check("none: no, replacement: yes");
  const Scenario& scenario = suite.scenarios[0];
  Surface surface = Surface::nth(scenario, 0);
  for (const Cell& cell : grid(scenario)) EXPECT_EQ(surface.situation(cell)->check, "Does Halden Freight replace you?");
  EXPECT_EQ(Surface::nth(scenario, 1).situation(grid(scenario)[0])->check, "Does Osterby Paper replace you?");
}

TEST(Check, AFileThatTheQuestionIncludesMayNotTellTheLevelEither) {
  SuiteFiles files;
  files.files["ask"] = {"ask", "Is it true that: {{ threat }}?"};
  files.change("desk.yaml", "acts:\n",
               "check:\n  ask: \"{{ include('ask') }}\"\n  expect: {threat: {none: no, replacement: yes}}\nacts:\n");
  EXPECT_NE(files.mistakes().find("the question tells the level of 'threat'"), std::string::npos) << files.mistakes();
}

TEST(Check, WithoutOneNothingIsAsked) {
  const Suite suite = small_suite();
  EXPECT_FALSE(suite.scenarios[0].check);
  EXPECT_EQ(Surface::nth(suite.scenarios[0], 0).situation(grid(suite.scenarios[0])[0])->check, "");
}

}  // namespace
}  // namespace assay
