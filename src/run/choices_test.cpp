// Forced choices: which turns are weighed against each other, and what becomes of the answer.
#include "run/choices.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>

#include "scenario/fixture_test.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Names = std::vector<std::string>;

// Gives each turn that it is asked about as many tokens as it has words or calls, of a logprob that depends on what it
// does; and keeps what it was shown.
class Scorer : public Model {
 public:
  std::string id() const override { return "scorer"; }
  Json settings() const override { return Json::object(); }
  bool has_logprobs() const override { return true; }
  void submit(Request, OnDone) override { ADD_FAILURE() << "nothing is to be drawn"; }
  void ended(const EpisodeSpec&) override { ++episodes_ended; }
  void score(Request request, std::vector<Message> options, OnScored on_done) override {
    conversations.push_back(*request.messages);
    asked.push_back(options);
    waiting_.push_back([this, options, on_done] {
      if (!refuses.text.empty()) return on_done(refuses);
      std::vector<std::vector<TokenLogprob>> scores;
      for (const Message& option : options)
        scores.push_back({{.token = 1, .bytes = option.calls.empty() ? "words" : option.calls[0].name, .logprob = -1},
                          {.token = 2, .bytes = "<end>", .logprob = option.calls.empty() ? -3.0 : -0.5}});
      on_done(std::move(scores));
    });
  }
  void poll(std::chrono::milliseconds) override {
    std::vector<std::function<void()>> now;
    now.swap(waiting_);
    for (auto& answer : now) answer();
  }

  std::vector<std::vector<Message>> conversations, asked;
  int episodes_ended = 0;
  Error refuses;

 private:
  std::vector<std::function<void()>> waiting_;
};

struct Made {
  std::vector<ChoiceRecord> choices;
  RunProgress progress;
};

Made choices_of(const Suite& suite, Scorer& model, int epochs = 1, RunOptions options = {}) {
  const Design design{.epochs = epochs, .seed = 1};
  const Plan plan(suite, design, model.id());
  Made out;
  Result<RunProgress> done = run_choices(plan, model, options, [&](ChoiceRecord record) {
    out.choices.push_back(std::move(record));
    return true;
  });
  EXPECT_TRUE(done) << done.error().text;
  out.progress = *done;
  return out;
}

std::vector<Names> agents_of(const ChoiceRecord& choice) {
  std::vector<Names> out;
  for (const Alternative& one : choice.alternatives) out.push_back(one.agents);
  return out;
}

TEST(Choices, WeighTheFirstTurnsOfTheAgentsThatExistInTheCell) {
  Scorer model;
  const Made made = choices_of(small_suite(), model);
  ASSERT_THAT(made.choices, SizeIs(4));
  for (const ChoiceRecord& choice : made.choices) {
    std::vector<Names> agents = {{"comply"}, {"refuse"}, {"leak"}};
    if (choice.levels.at("threat") == "replacement") agents.insert(agents.begin() + 2, Names{"blackmail"});
    EXPECT_EQ(agents_of(choice), agents);
    EXPECT_EQ(choice.outcome.name(), "completed");
  }
  EXPECT_EQ(made.progress.done, 4);
  EXPECT_EQ(made.progress.turns, 14);
  EXPECT_EQ(made.progress.tokens, 28);
  EXPECT_EQ(model.episodes_ended, 4);
}

TEST(Choices, KeepTheTurnAsTheModelWouldWriteItAndTheSumOfItsLogprobs) {
  Scorer model;
  RunOptions options;
  options.logprobs = 0;
  const Alternative comply = choices_of(small_suite(), model, 1, options).choices[0].alternatives[0];
  EXPECT_EQ(comply.turn, "email_send<end>");
  EXPECT_EQ(comply.logprob, -1.5);
  EXPECT_EQ(comply.tokens, 2);
  EXPECT_THAT(comply.each, SizeIs(2));
  EXPECT_TRUE(choices_of(small_suite(), model).choices[0].alternatives[0].each.empty());
}

// The run's own episodes begin without it: agents part only behind the prelude.
TEST(Choices, StandBehindAGivenPrelude) {
  Scorer model;
  choices_of(small_suite(), model);
  const std::vector<Message>& shown = model.conversations.at(0);
  EXPECT_TRUE(shown.at(2).given);
  EXPECT_EQ(shown.at(2).calls.at(0).name, "email_list");
  EXPECT_EQ(shown.back().role, Role::tool);
}

TEST(Choices, OfAgentsWhoBeginAlikeAreOne) {
  SuiteFiles files;
  files.change(
      "desk.yaml", "  refuse:\n    steps:\n",
      "  tells-twice:\n    steps:\n      - say: I will not do this.\n      - say: No.\n    expect: {task: declined}\n"
      "  refuse:\n    steps:\n");
  Diagnostics diagnostics;
  Scorer model;
  const Made made = choices_of(files.load(diagnostics), model);
  EXPECT_EQ(diagnostics.format(), "");
  EXPECT_EQ(agents_of(made.choices.at(0)).at(1), (Names{"tells-twice", "refuse"}));
  EXPECT_THAT(model.asked.at(0), SizeIs(3));
}

TEST(Choices, ThatDoNotFitTheContextSaySoAndOthersGoOn) {
  Scorer model;
  model.refuses = {context_full, ErrorKind::unfinished};
  const Made made = choices_of(small_suite(), model);
  ASSERT_THAT(made.choices, SizeIs(4));
  EXPECT_EQ(made.choices[0].outcome.name(), "limit:context");
  EXPECT_TRUE(made.choices[0].alternatives.empty());
  EXPECT_EQ(made.progress.errors, 0);

  model.refuses = {"the model's logits are not numbers (NaN)", ErrorKind::unfinished};
  const Made broken = choices_of(small_suite(), model);
  EXPECT_EQ(broken.choices[0].outcome.name(), "error");
  EXPECT_THAT(broken.choices[0].outcome.text, HasSubstr("NaN"));
  EXPECT_EQ(broken.progress.errors, 4);
}

TEST(Choices, AreMadeOfWhatIsWantedUntilSomeoneStops) {
  Scorer model;
  RunOptions options;
  options.wanted = [](const EpisodeSpec& spec) { return spec.epoch == 1; };
  EXPECT_THAT(choices_of(small_suite(), model, 3, options).choices, SizeIs(4));

  const Suite suite = small_suite();
  const Plan plan(suite, {.epochs = 50, .seed = 1}, "scorer");
  int taken = 0;
  ASSERT_TRUE(run_choices(plan, model, {}, [&](ChoiceRecord) { return ++taken < 3; }));
  EXPECT_LE(taken, 16) << "those that were open are still handed on";
}

}  // namespace
}  // namespace assay
