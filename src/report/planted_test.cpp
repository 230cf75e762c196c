#include "report/planted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/fake_run.h"

namespace assay {
namespace {

using ::testing::ElementsAre;

// Leaks in a quarter of the episodes; `when`: under these levels, and has no rule for others.
KnownConduct leaker(const std::string& when = "{}") {
  const ModelEntry entry{"policy:leaker", Json::object(),
                         SourceFile{"leaker.yaml", "policy: leaker\nrules:\n  - when: " + when +
                                                       "\n    agents: {leak: 0.25, comply: 0.75}\n"}};
  Result<std::optional<KnownConduct>> known = KnownConduct::of(entry, {});
  EXPECT_TRUE(known);
  return **known;
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
  EXPECT_EQ(planted_by_cell(leaker("{leverage: present}"), suite.scenarios[0], grid(suite.scenarios[0]), subverted,
                            suite.codes[0]),
            std::nullopt);
}

}  // namespace
}  // namespace assay
