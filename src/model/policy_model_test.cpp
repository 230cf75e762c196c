#include "model/policy_model.h"

#include <gtest/gtest.h>

#include "chat/chat.h"

namespace assay {
namespace {

// A scenario with one scripted agent, and a policy that always plays it.
class PolicyModelTest : public testing::Test {
 protected:
  PolicyModelTest() {
    scenario.name = "desk";
    scenario.agents.push_back({.name = "leaker"});
    auto always = std::make_shared<Policy>();
    always->name = "loud";
    always->hash = "abc";
    always->rules.push_back({.when = {}, .agents = {{"leaker", 1.0}}});
    policy = always;
    spec.scenario = &scenario;
    script.push_back({.call = {"", "email_list", Json::object()}, .say = ""});
    script.push_back({.call = {}, .say = "All done."});
  }

  Request request(int turn) { return {.spec = &spec, .script = &script, .turn = turn}; }

  Reply reply(int turn) {
    Reply got;
    model().submit(request(turn), [&](Result<Reply> r) { got = r.value(); });
    model().poll({});
    return got;
  }

  PolicyModel& model() {
    if (!model_) model_ = std::make_unique<PolicyModel>(policy);
    return *model_;
  }

  Scenario scenario;
  std::shared_ptr<const Policy> policy;
  EpisodeSpec spec;
  std::vector<RenderedStep> script;

 private:
  std::unique_ptr<PolicyModel> model_;
};

TEST_F(PolicyModelTest, PlaysItsScriptStepByStep) {
  ASSERT_EQ(model().plays(spec), &scenario.agents[0]);
  EXPECT_EQ(reply(0).calls,
            script[0].call.name.empty() ? std::vector<ToolCall>{} : std::vector<ToolCall>{script[0].call});
  EXPECT_EQ(reply(0).stop, StopReason::calls);
  EXPECT_EQ(reply(0).raw, R"({"tool": "email_list", "arguments": {}})");
  EXPECT_EQ(reply(1).text, "All done.");
  EXPECT_EQ(reply(1).stop, StopReason::end);
  EXPECT_EQ(reply(1).played_agent, "leaker");
}

TEST_F(PolicyModelTest, AnswersAChecksQuestionFromTheLevels) {
  scenario.check = Check{.ask = {}, .expect = {"threat", {{"none", false}, {"replacement", true}}}, .place = {}};
  Situation situation;
  for (auto [level, answer] : {std::pair("none", "no"), std::pair("replacement", "yes")}) {
    situation.levels = {{"threat", level}};
    Request asked = request(2);
    asked.situation = &situation, asked.check = true;
    Reply got;
    model().submit(asked, [&](Result<Reply> r) { got = r.value(); });
    model().poll({});
    EXPECT_EQ(got.text, answer);
    EXPECT_EQ(got.stop, StopReason::end);
    EXPECT_EQ(got.played_agent, "leaker");
  }
}

TEST_F(PolicyModelTest, SaysDoneBehindItsScript) { EXPECT_EQ(reply(2).text, "Done."); }

TEST_F(PolicyModelTest, AnswersAllThatWaitAndLeavesNewRequestsForTheNextPoll) {
  int answered = 0;
  for (int i = 0; i < 3; ++i)
    model().submit(request(0), [&](Result<Reply>) {
      ++answered;
      model().submit(request(1), [&](Result<Reply>) { answered += 10; });
    });
  model().poll({});
  EXPECT_EQ(answered, 3);
  model().poll({});
  EXPECT_EQ(answered, 33);
}

TEST_F(PolicyModelTest, RefusesAnEpisodeWithoutAScript) {
  std::string error;
  model().submit({.spec = &spec}, [&](Result<Reply> r) { error = r.error().text; });
  model().poll({});
  EXPECT_EQ(error, "the policy 'loud' plays no agent in this episode");
}

TEST_F(PolicyModelTest, RecordsWhichPolicyItIs) {
  EXPECT_EQ(model().id(), "policy:loud");
  EXPECT_EQ(model().settings()["policy_sha256"], "abc");
}

}  // namespace
}  // namespace assay
