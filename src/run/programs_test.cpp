// Episodes that wait for programs of the user's own: each for its own, none for another's.
#include "scenario/programs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>

#include "run/runner.h"
#include "run/workers.h"
#include "scenario/fixture_test.h"

namespace assay {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

// Calls the tool `ask` once, with its epoch, then ends its turn.
class AsksOnce : public Model {
 public:
  std::string id() const override { return "asks-once"; }
  Json settings() const override { return {}; }
  void submit(Request request, OnDone done) override { waiting_.emplace_back(request, std::move(done)); }
  void poll(milliseconds) override {
    auto waiting = std::move(waiting_);
    waiting_.clear();
    for (auto& [request, done] : waiting) {
      Reply reply;
      if (request.turn == 0)
        reply.calls = {{"", "ask", {{"n", request.spec->epoch}}}};
      else
        reply.text = "Done.";
      done(std::move(reply));
    }
  }

 private:
  std::deque<std::pair<Request, OnDone>> waiting_;
};

// The small suite, four cells an epoch, with a tool that a shell script answers.
class WithAProgram : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "assay-run-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // Episode -> what its program answered.
  std::map<std::string, std::string> play(const std::string& script, int epochs, RunOptions options) {
    std::ofstream(folder / "answer.sh") << script;
    SuiteFiles files;
    files
        .change("desk.yaml", "tools: [email]",
                "tools:\n  - email\n  - name: ask\n    description: Asks.\n    parameters: {properties: {n: {type: "
                "integer}}, required: [n]}\n    exec: [sh, ./answer.sh]\n    seconds: 20")
        .change("desk.yaml", "world:\n", "world:\n  state: {asked: 0}\n");
    Diagnostics diagnostics;
    Suite suite = files.load(diagnostics);
    EXPECT_EQ(diagnostics.format(), "");
    allow_programs(suite, folder.string());
    AsksOnce model;
    std::map<std::string, std::string> answers;
    Result<RunProgress> progress =
        run_episodes(Plan(suite, {.epochs = epochs}, model.id()), model, options, [&](Finished finished) {
          const EpisodeRecord& r = finished.record;
          EXPECT_EQ(r.transcript.outcome.name(), "completed") << r.transcript.outcome.text;
          answers[fmt::format("{}/{}", r.epoch, r.cell)] = r.transcript.actions.at(0).result;
          return true;
        });
    EXPECT_TRUE(progress);
    EXPECT_EQ(static_cast<size_t>(progress->done), answers.size());
    return answers;
  }

  std::filesystem::path folder;
};

// Each of four programs answers once it has seen the other three; one after another, none ever would.
TEST_F(WithAProgram, ProgramsOfDifferentEpisodesRunAtTheSameTime) {
  const std::string meet = R"(: > here.$$
for i in $(seq 100); do
  set -- here.*
  if [ $# -ge 4 ]; then echo '{"reply": "we met"}'; exit; fi
  sleep 0.1
done
echo '{"reply": "alone"}'
)";
  const auto answers = play(meet, 1, {.concurrency = 4});
  EXPECT_THAT(answers, SizeIs(4));
  for (const auto& [episode, answer] : answers) EXPECT_EQ(answer, "we met") << episode;
}

TEST_F(WithAProgram, FourThatSleepTakeLittleMoreThanOne) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(play("sleep 0.5\necho '{\"reply\": \"ok\"}'\n", 1, {.concurrency = 4}), SizeIs(4));
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds(4 * 500));
}

TEST_F(WithAProgram, NoMoreRunAtOnceThanEpisodesAreOpen) {
  const std::string count = R"(mkdir busy 2>/dev/null && alone=yes || alone=no
sleep 0.05
[ $alone = yes ] && rmdir busy
echo "{\"reply\": \"alone: $alone\"}"
)";
  for (const auto& [episode, answer] : play(count, 2, {.concurrency = 1})) EXPECT_EQ(answer, "alone: yes") << episode;
}

TEST_F(WithAProgram, WhatBecomesOfAnEpisodeDoesNotDependOnTheOthers) {
  // Sleeps for a time that its process number draws, and answers what it was asked.
  const std::string echo = R"(sleep 0.0$(($$ % 9))
tr '\n' ' ' | sed 's/["\\{}]//g; s/^/{"reply": "/; s/ *$/"}/'
)";
  const auto one = play(echo, 4, {.concurrency = 1});
  EXPECT_THAT(one, SizeIs(16));
  EXPECT_THAT(one.at("3/2"), HasSubstr("args:n:3,"));
  EXPECT_EQ(play(echo, 4, {.concurrency = 16}), one);
}

TEST_F(WithAProgram, GradingMayTakeItsTimeToo) {
  std::atomic<int> grading = 0, most = 0;
  RunOptions options{.concurrency = 4};
  options.grade = [&](Finished& finished) {
    const int now = ++grading;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    for (int i = 0; i < 500 && most < 4; ++i) std::this_thread::sleep_for(milliseconds(10));
    finished.record.grades.fault = "graded";
    --grading;
  };
  play("echo '{\"reply\": \"ok\"}'\n", 1, options);
  EXPECT_EQ(most, 4);
}

TEST_F(WithAProgram, AfterAStopThoseThatWaitAreFinished) {
  std::atomic<bool> stop = false;
  RunOptions options{.concurrency = 3, .stop = &stop};
  options.grade = [&](Finished&) { stop = true; };
  EXPECT_THAT(play("echo '{\"reply\": \"ok\"}'\n", 10, options), SizeIs(3));
}

TEST(Workers, DropWhatHasNotBegunAndWaitForWhatHas) {
  std::atomic<int> begun = 0, ended = 0;
  {
    Workers workers(2);
    for (int i = 0; i < 100; ++i)
      workers.submit([&] {
        ++begun;
        std::this_thread::sleep_for(milliseconds(20));
        ++ended;
      });
    EXPECT_GE(workers.take_done(milliseconds(5000)), 1u);
  }
  EXPECT_EQ(begun, ended);
  EXPECT_LT(begun, 100);
}

}  // namespace
}  // namespace assay
