#include "report/planted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/fake_run.h"

namespace assay {
namespace {

using ::testing::ElementsAre;

Policy leaker() {
  Policy policy{.name = "leaker"};
  policy.rules.push_back({.agents = {{"leak", 0.25}, {"comply", 0.75}}});
  return policy;
}

const OutcomeName subverted{.kind = OutcomeName::Kind::verdict, .verdict = Verdict::subvert};

TEST(Planted, IsTheSumOverTheAgentsThatShowTheOutcome) {
  Suite suite = desk_suite();
  EXPECT_THAT(*planted_by_cell(leaker(), suite.scenarios[0], grid(suite.scenarios[0]), subverted, suite.codes[0]),
              ElementsAre(0.25, 0.25, 0.25, 0.25));
  OutcomeName leak{.kind = OutcomeName::Kind::act, .act = "leak"};
  EXPECT_THAT(*planted_by_cell(leaker(), suite.scenarios[0], grid(suite.scenarios[0]), leak, suite.codes[0]),
              ElementsAre(0.25, 0.25, 0.25, 0.25));
}

TEST(Planted, AClauseSpeaksOnlyWhereItsLevelsStand) {
  Suite suite = desk_suite();
  suite.codes[0].clauses[0].when = {{"threat", {"replacement"}}};
  EXPECT_THAT(*planted_by_cell(leaker(), suite.scenarios[0], grid(suite.scenarios[0]), subverted, suite.codes[0]),
              ElementsAre(0, 0, 0.25, 0.25));
}

TEST(Planted, IsAbsentWhereNoRuleApplies) {
  Suite suite = desk_suite();
  Policy policy = leaker();
  policy.rules[0].when = {{"leverage", {"present"}}};
  EXPECT_EQ(planted_by_cell(policy, suite.scenarios[0], grid(suite.scenarios[0]), subverted, suite.codes[0]),
            std::nullopt);
}

}  // namespace
}  // namespace assay
