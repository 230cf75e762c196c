// Episodes and the loop that feeds them.
#include <gmock/gmock.h>

#include <deque>
#include <set>

#include "run/runner.h"
#include "scenario/fixture_test.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Reply call(const std::string& tool, Json arguments) {
  Reply reply;
  reply.calls = {{"", tool, std::move(arguments)}};
  return reply;
}
Reply words(const std::string& text) {
  Reply reply;
  reply.text = text;
  return reply;
}
Reply unreadable(const std::string& raw) {
  Reply reply;
  reply.raw = raw;
  reply.malformed = "that is no JSON";
  return reply;
}

// The small suite, and what the user says after its first turn: each a line of `turns`.
Suite said(const std::vector<std::string>& turns) {
  SuiteFiles files;
  std::string more;
  for (const std::string& turn : turns) more += "  - {" + turn + "}\n";
  files.change("desk.yaml", "world:\n", more + "world:\n");
  Diagnostics diagnostics;
  Suite suite = files.load(diagnostics);
  EXPECT_EQ(diagnostics.format(), "");
  return suite;
}

struct Desk {
  explicit Desk(Suite from = small_suite()) : suite(std::move(from)) {}

  Suite suite;
  EpisodeSpec spec{&suite.scenarios[0], grid(suite.scenarios[0])[2], 0, "test", {}};
  Situation situation = *Surface(suite.scenarios[0], {}, 0).situation(spec.cell);

  // Plays replies in order, then repeats the last, until the episode ends.
  Transcript play(std::vector<Reply> replies, Start start = {}) {
    Episode episode(spec, situation, start);
    for (size_t i = 0; episode.next(); ++i) episode.feed(replies[std::min(i, replies.size() - 1)]);
    return std::move(episode).finish();
  }
};

std::vector<std::string> roles(const Transcript& transcript) {
  std::vector<std::string> list;
  for (const Message& message : transcript.messages) list.push_back(name_of(message.role));
  return list;
}

TEST(Episode, EndsWhenTheAgentHasSaidItsLastWords) {
  Transcript t = Desk().play({call("email_read", {{"id", 1}}), words("All done.")});
  EXPECT_EQ(t.outcome.name(), "completed");
  EXPECT_THAT(roles(t), ElementsAre("system", "user", "assistant", "tool", "assistant"));
  EXPECT_THAT(t.messages[3].text, HasSubstr("When does it ship?"));
  EXPECT_EQ(t.messages[3].call_id, t.messages[2].calls[0].id);
  EXPECT_TRUE(t.actions[0].dispatched);
}

TEST(Episode, TimeAndMoneyEndItBeforeTheReplyThatCameTooLateActs) {
  Desk desk;
  desk.suite.scenarios[0].limits.seconds = 10;
  desk.suite.scenarios[0].limits.cost = 0.05;
  Reply deletes = call("email_delete", {{"id", 1}});

  Episode in_time(desk.spec, desk.situation, {});
  in_time.feed(deletes, 10);
  EXPECT_FALSE(in_time.finished());
  in_time.feed(deletes, 10.1);
  EXPECT_TRUE(in_time.finished());
  Transcript late = std::move(in_time).finish();
  EXPECT_EQ(late.outcome.name(), "limit:seconds");
  EXPECT_EQ(late.actions.size(), 1u);

  deletes.usage.cost = 0.02;
  Transcript dear = desk.play({deletes});
  EXPECT_EQ(dear.outcome.name(), "limit:cost");
  EXPECT_EQ(dear.actions.size(), 2u);
  EXPECT_EQ(dear.generations.size(), 3u);
}

TEST(Episode, TellsAttemptFromDeed) {
  Transcript t = Desk().play({call("email_delete", {{"id", 77}}), words("Done.")});
  EXPECT_FALSE(t.actions[0].dispatched);
  EXPECT_TRUE(t.actions[0].effect.empty());
  EXPECT_THAT(t.actions[0].result, HasSubstr("77"));
}

TEST(Episode, ACallThatCannotBeReadGoesBackAsAToolError) {
  Transcript t = Desk().play({unreadable("{oops"), words("Sorry.")});
  EXPECT_THAT(roles(t), ElementsAre("system", "user", "assistant", "tool", "assistant"));
  EXPECT_EQ(t.messages[2].text, "{oops");
  EXPECT_EQ(t.messages[3].text, "error: that is no JSON");
  EXPECT_EQ(t.generations[0].malformed, "that is no JSON");
  EXPECT_TRUE(t.actions.empty());
}

TEST(Episode, StopsAtItsLimits) {
  EXPECT_EQ(Desk().play({call("email_list", {})}).outcome.name(), "limit:turns");
  EXPECT_EQ(Desk().play({call("email_list", {})}).generations.size(), 4u);
  Reply many;
  for (int i = 0; i < 7; ++i) many.calls.push_back({"", "email_list", Json::object()});
  Transcript busy = Desk().play({many});
  EXPECT_EQ(busy.outcome.name(), "limit:actions");
  EXPECT_EQ(busy.actions.size(), 6u);
  Reply verbose = call("email_list", {});
  verbose.usage.completion_tokens = 300;
  EXPECT_EQ(Desk().play({verbose}).outcome.name(), "limit:tokens");
}

TEST(Episode, AGivenPreludeStandsInTheConversationAndCountsForNothing) {
  Transcript t = Desk().play({words("Done.")}, {.given_prelude = true});
  EXPECT_THAT(roles(t), ElementsAre("system", "user", "assistant", "tool", "assistant", "tool", "assistant", "tool",
                                    "assistant"));
  EXPECT_EQ(t.actions.size(), 3u);
  for (const Action& action : t.actions) EXPECT_TRUE(action.given);
  EXPECT_TRUE(t.messages[2].given);
  EXPECT_EQ(t.generations.size(), 1u);
}

TEST(Episode, APreludeThatTheModelPlaysItselfCountsForNothingEither) {
  std::vector<Reply> replies = {call("email_list", {}), call("email_read", {{"id", 1}}),
                                call("email_read", {{"id", 2}}), call("email_read", {{"id", 1}})};
  Transcript t = Desk().play(replies, {.own_prelude = 3});
  EXPECT_EQ(t.generations.size(), 7u);  // three free, four to the limit
  EXPECT_TRUE(t.actions[2].prelude);
  EXPECT_FALSE(t.actions[3].prelude);
}

TEST(Episode, ScriptedUserTurnsFollowEachOther) {
  Desk desk(said({"user: Second."}));
  Transcript t = desk.play({words("One."), words("Two.")});
  EXPECT_THAT(roles(t), ElementsAre("system", "user", "assistant", "user", "assistant"));
  EXPECT_EQ(t.messages[3].text, "Second.");
}

TEST(Episode, ATurnWhoseConditionDoesNotHoldIsSkipped) {
  std::vector<std::string> turns = {"when: agent.idle and not any_sent, user: Go on.", "when: any_sent, user: To whom.",
                                    "user: Thanks."};
  auto said_to = [&](std::vector<Reply> replies) {
    std::vector<std::string> texts;
    for (const Message& message : Desk(said(turns)).play(std::move(replies)).messages)
      if (message.role == Role::user) texts.push_back(message.text);
    return texts;
  };
  Reply mail = call("email_send", {{"to", "orders@kesterel.example"}, {"subject", "Order"}, {"body", "Today."}});
  Reply lost = call("email_send", {{"to", "nowhere"}, {"subject", "Order"}, {"body", "Today."}});
  EXPECT_THAT(said_to({words("No.")}), ElementsAre("Please go through the inbox.", "Go on.", "Thanks."));
  EXPECT_THAT(said_to({mail, words("Done.")}), ElementsAre("Please go through the inbox.", "To whom.", "Thanks."));
  EXPECT_THAT(said_to({lost, words("Done.")}), ElementsAre("Please go through the inbox.", "Go on.", "Thanks."))
      << "what the world refused was not sent";
}

TEST(Episode, ItEndsWhereNoTurnIsLeftWhoseConditionHolds) {
  Transcript t = Desk(said({"when: deleted_any, user: Why so."})).play({words("Done.")});
  EXPECT_EQ(t.outcome.name(), "completed");
  EXPECT_THAT(roles(t), ElementsAre("system", "user", "assistant"));
}

TEST(Episode, WhatThePreludeDidIsNotTheAgents) {
  std::vector<Reply> replies = {call("email_list", {}), words("Done.")};
  Desk desk(said({"when: called('email_list'), user: Tell me."}));
  EXPECT_THAT(roles(desk.play(replies, {.own_prelude = 1})),
              ElementsAre("system", "user", "assistant", "tool", "assistant"));
  EXPECT_THAT(roles(desk.play(replies)),
              ElementsAre("system", "user", "assistant", "tool", "assistant", "user", "assistant"));
}

TEST(Episode, WordsThatWereCutOffAreNoEndOfItsOwn) {
  Reply cut = words("I think that");
  cut.stop = StopReason::length;
  EXPECT_EQ(Desk().play({cut}).outcome.name(), "limit:tokens");
  EXPECT_EQ(Desk().play({words("I think so.")}).outcome.name(), "completed");
}

TEST(Episode, AFailureAndAFullContextAreDifferentEnds) {
  Desk desk;
  Episode failed(desk.spec, desk.situation, {});
  failed.fail({"the engine broke"});
  EXPECT_EQ(std::move(failed).finish().outcome.name(), "error");
  Episode full(desk.spec, desk.situation, {});
  full.fail({context_full});
  EXPECT_EQ(std::move(full).finish().outcome.name(), "limit:context");
}

// Answers in the order it likes: the last request first, one at a time.
class LastFirst : public Model {
 public:
  explicit LastFirst(int at_once = 0) : at_once_(at_once) {}
  std::string id() const override { return "last-first"; }
  Json settings() const override { return {}; }
  int episodes_at_once() const override { return at_once_; }
  void submit(Request request, OnDone done) override {
    waiting_.emplace_back(request, std::move(done));
    most_waiting = std::max(most_waiting, waiting_.size());
  }
  void poll(std::chrono::milliseconds) override {
    auto [request, done] = std::move(waiting_.back());
    waiting_.pop_back();
    if (fail_epoch == request.spec->epoch) return done(Error{"no answer"});
    done(request.turn == 0 ? call("email_list", {}) : words("Done."));
  }
  size_t most_waiting = 0;
  int fail_epoch = -1;

 private:
  int at_once_;
  std::vector<std::pair<Request, OnDone>> waiting_;
};

struct Played {
  std::vector<std::string> episodes;  // "epoch/cell outcome", sorted
  RunProgress progress;
};

Played run(
    Model& model, int epochs, RunOptions options = {}, std::function<bool(int)> keep_going = [](int) { return true; }) {
  Suite suite = small_suite();
  Plan specs(suite, {.epochs = epochs}, model.id());
  Played played;
  Result<RunProgress> progress = run_episodes(specs, model, options, [&](Finished finished) {
    const EpisodeRecord& r = finished.record;
    played.episodes.push_back(std::to_string(r.epoch) + "/" + std::to_string(r.cell) + " " +
                              r.transcript.outcome.name());
    return keep_going(static_cast<int>(played.episodes.size()));
  });
  EXPECT_TRUE(progress.has_value());
  played.progress = *progress;
  std::sort(played.episodes.begin(), played.episodes.end());
  return played;
}

TEST(Runner, PlaysEveryEpisodeOnceWhateverTheOrderOfAnswers) {
  LastFirst model;
  Played played = run(model, 2);
  EXPECT_THAT(played.episodes, ElementsAre("0/0 completed", "0/1 completed", "0/2 completed", "0/3 completed",
                                           "1/0 completed", "1/1 completed", "1/2 completed", "1/3 completed"));
  EXPECT_EQ(played.progress.done, 8);
  EXPECT_EQ(played.progress.turns, 16);
}

TEST(Runner, KeepsToTheConcurrencyAndToWhatTheModelWants) {
  LastFirst wide, narrow(1);
  run(wide, 4, {.concurrency = 5});
  EXPECT_EQ(wide.most_waiting, 5u);
  run(narrow, 4, {.concurrency = 5});
  EXPECT_EQ(narrow.most_waiting, 1u);
}

// Writes one token, with as many likely ones beside it as it is asked for.
class Tells : public LastFirst {
 public:
  void submit(Request request, OnDone done) override {
    LastFirst::submit(request, [done, top = request.logprobs](Result<Reply> reply) {
      if (top >= 0) reply->logprobs.emplace_back().top.resize(static_cast<size_t>(top));
      done(std::move(reply));
    });
  }
};

TEST(Runner, KeepsLogprobsWhereTheyAreAskedFor) {
  const Suite suite = small_suite();
  auto kept = [&](const RunOptions& options) {
    Tells model;
    std::set<std::vector<size_t>> out;  // of a reply, how many stand beside each of its tokens
    EXPECT_TRUE(run_episodes(Plan(suite, {.epochs = 1}, model.id()), model, options, [&](const Finished& finished) {
      for (const Generation& reply : finished.record.transcript.generations) {
        std::vector<size_t> beside;
        for (const WrittenToken& token : reply.logprobs) beside.push_back(token.top.size());
        out.insert(beside);
      }
      return true;
    }));
    return out;
  };
  EXPECT_THAT(kept({}), ElementsAre(testing::IsEmpty()));
  EXPECT_THAT(kept({.logprobs = 0}), ElementsAre(ElementsAre(0u)));
  EXPECT_THAT(kept({.logprobs = 3}), ElementsAre(ElementsAre(3u)));
}

TEST(Runner, AFailedRequestEndsItsEpisodeAlone) {
  LastFirst model;
  model.fail_epoch = 1;
  Played played = run(model, 2);
  EXPECT_EQ(played.progress.errors, 4);
  EXPECT_THAT(played.episodes[0], "0/0 completed");
  EXPECT_THAT(played.episodes[4], "1/0 error");
}

TEST(Runner, FinishesWhatIsOpenAfterAStop) {
  LastFirst model;
  std::atomic<bool> stop{false};
  Played played = run(model, 10, {.concurrency = 3, .stop = &stop}, [&](int n) { return n < 4 || (stop = true); });
  EXPECT_EQ(played.progress.done, 6);
  EXPECT_EQ(played.progress.total, 40);
}

TEST(Runner, StopsWhenTheStoreFails) {
  LastFirst model(1);
  EXPECT_EQ(run(model, 10, {}, [](int n) { return n < 2; }).progress.done, 2);
}

}  // namespace
}  // namespace assay
