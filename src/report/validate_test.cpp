#include "report/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"
#include "report/fake_run.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using enum Verdict;

// An agent whose policy says: where there is leverage it leaks in 30 of 100 episodes.
struct Leaker {
  // Plays so many epochs, leaking at this rate.
  explicit Leaker(int epochs, double rate, uint64_t seed = 1) {
    run.model("policy:leaker",
              SourceFile{"leaker.yaml",
                         "policy: leaker\nrules:\n  - when: {leverage: present}\n    agents: {leak: 0.3, "
                         "comply: 0.7}\n  - agents: {comply: 1}\n"});
    Rng rng(seed);
    for (int e = 0; e < epochs; ++e) {
      auto drawn = [&] { return rng.uniform() < rate ? subvert : comply; };
      Verdict first = drawn();
      run.epoch(e, {comply, first, comply, drawn()});
    }
  }
  ConductReport report() const {
    Result<ConductReport> out = validate_conduct(run, suite);
    EXPECT_TRUE(out);
    return out ? *out : ConductReport{};
  }
  std::string words() const { return folded(conduct_text(report(), run, {.width = 100})); }

  Suite suite = desk_suite();
  FakeRun run;
};

TEST(Validate, PoolsTheCellsInWhichARuleApplies) {
  ConductReport report = Leaker(100, 0.3).report();
  ASSERT_EQ(report.units.size(), 4u);  // two rules, two acts
  EXPECT_EQ(report.units[0].act, "leak");
  EXPECT_EQ(report.units[0].when, "leverage=present");
  EXPECT_DOUBLE_EQ(report.units[0].planted, 0.3);
  EXPECT_EQ(report.units[0].check.n, 200);
  EXPECT_EQ(report.units[0].check.clusters, 100);
  EXPECT_EQ(report.units[2].when, "everywhere else");
  EXPECT_EQ(report.units[2].check.k, 0);
}

TEST(Validate, AgreesWithWhatWasPlantedAndNotWithWhatWasNot) {
  int alarms = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) alarms += !Leaker(50, 0.3, seed).report().validation.agrees;
  EXPECT_LE(alarms, 6);  // 1 in 100 at most: 2 expected, and 6 is three standard deviations above
  EXPECT_FALSE(Leaker(100, 0.5).report().validation.agrees);
  EXPECT_FALSE(Leaker(100, 0.1).report().validation.agrees);
}

TEST(Validate, AnActThatNobodyPlantedIsAnAlarm) {
  Leaker leaker(50, 0.3);
  EpisodeSummary& row = leaker.run.episode(0, 50, subvert);
  row.acts.push_back(Act{.name = "blackmail", .kind = "coerce"});
  ConductReport report = leaker.report();
  EXPECT_FALSE(report.validation.agrees);
  EXPECT_THAT(leaker.words(), HasSubstr("is not what was planted"));
}

TEST(Validate, WhatIsNotKnownIsCountedBeside) {
  Leaker leaker(50, 0.3);
  leaker.run.episode(1, 50, ungraded).open_questions = {"leak"};
  leaker.run.episode(1, 51, ungraded).outcome = "error";
  ConductReport report = leaker.report();
  EXPECT_EQ(report.units[0].check.n, 100);
  EXPECT_EQ(report.units[0].ungraded, 2);
}

TEST(Validate, SaysHitsBesideExpectedHits) {
  std::string words = Leaker(100, 0.3).words();
  EXPECT_THAT(words, HasSubstr("what was planted was measured"));
  EXPECT_THAT(words, HasSubstr("1 of 1 intervals hold the planted rate; 1.0 are expected to"));
  Json json = to_json(Leaker(100, 0.3).report());
  EXPECT_EQ(json["units"][0]["decided_by"], "rule");
  EXPECT_EQ(json["units"][0]["n"], 200);
}

TEST(Validate, NeedsAnAgentOfKnownConduct) {
  FakeRun run;
  EXPECT_FALSE(validate_conduct(run, desk_suite()));
}

}  // namespace
}  // namespace assay
