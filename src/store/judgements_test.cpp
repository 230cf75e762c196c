// What judges answered: kept apart from grades, replaced question by question, and never lost.
#include <signal.h>
#include <sys/resource.h>

#include "store/grade_writer.h"
#include "store/run_file_fixture.h"
#include "store/schema.h"

namespace assay {
namespace {

using testing::HasSubstr;
using Answer = Judgement::Answer;

class StoredJudgements : public RunFile {
 protected:
  void SetUp() override {
    RunFile::SetUp();
    write({episode_of(0, 0), episode_of(1, 0)});
  }

  static ModelEntry judge(const std::string& file, int context = 4096) {
    return {.id = "gguf:" + file, .settings = {{"context", context}}};
  }
  static Judgement yes(const std::string& act, const std::string& question) {
    return {.act = act, .action = 1, .question = question, .answer = Answer::yes, .p = 0.97, .mass = 0.9};
  }
  static Judgement undecided(const std::string& act, const std::string& question) {
    return {.act = act, .question = question, .p = 0.5, .mass = 0.9, .reason = "it held both for likely"};
  }
  void put(const ModelEntry& by, const std::vector<GradeWriter::Answer>& answers) {
    auto writer = GradeWriter::open(path);
    ASSERT_TRUE(writer) << writer.error().text;
    Status kept = (*writer)->put(by, answers);
    EXPECT_TRUE(kept) << kept.error().text;
  }
  std::vector<Judgement> of(int64_t episode) { return read()->episode(episode)->judgements; }
};

TEST_F(StoredJudgements, AreReadWithTheirEpisodeAndChangeNoGrade) {
  put(judge("a"), {{1, yes("blackmail", "q1")}, {1, undecided("", "q2")}});
  Judgement first = undecided("", "q2"), second = yes("blackmail", "q1");
  first.judge = second.judge = "gguf:a";
  EXPECT_EQ(of(1), (std::vector{first, second}));
  EXPECT_TRUE(of(2).empty());
  EpisodeRecord as_played = episode_of(0, 0);
  as_played.judgements = {first, second};
  expect_same(*read()->episode(1), as_played);
  EXPECT_EQ(files(), std::set<std::string>{"out.assay"}) << "one file again, though nothing was graded";
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(file.seekg(18).get(), 1) << "no write-ahead log is needed to read it";
  EXPECT_EQ(ask("SELECT count(*) FROM v_judgements WHERE act IS NULL AND action IS NULL AND reason LIKE '%both%'"), 1);
}

TEST_F(StoredJudgements, TakeThePlaceOfAnOlderAnswerToTheSameQuestion) {
  put(judge("a"), {{1, undecided("leak", "q1")}, {1, undecided("leak", "q2")}});
  put(judge("b"), {{1, yes("leak", "q1")}});
  ASSERT_EQ(of(1).size(), 2u);
  const std::vector<JudgeUse> judges = read()->judges();
  ASSERT_EQ(judges.size(), 2u);
  EXPECT_EQ(std::tuple(judges[0].judge.id, judges[0].yes, judges[0].unknown), std::tuple("gguf:a", 0, 1));
  EXPECT_EQ(std::tuple(judges[1].judge.id, judges[1].yes, judges[1].unknown), std::tuple("gguf:b", 1, 0));
  put(judge("b"), {{1, yes("leak", "q2")}});
  EXPECT_EQ(read()->judges().size(), 1u) << "a judge none of whose answers is left";
}

// A judge is its model under its settings: with another context it is another one.
TEST_F(StoredJudgements, AreOfTheRegisteredJudgeOrAfterTheFact) {
  path = (folder / "judged.assay").string();
  Registration with_judge = registered();
  with_judge.judge = judge("a");
  {
    ASSERT_TRUE(open(with_judge));
  }
  const Registration held = read()->registration();
  EXPECT_TRUE(is_registered(held, judge("a")));
  EXPECT_FALSE(is_registered(held, judge("a", 2048)));
  EXPECT_FALSE(is_registered(held, judge("b")));
  EXPECT_FALSE(is_registered(registered(), judge("a")));

  with_judge.judge = judge("b");
  EXPECT_THAT(refusal(with_judge), HasSubstr("judge: the file has gguf:a, this command says gguf:b"));
  with_judge.judge = judge("a", 2048);
  EXPECT_THAT(refusal(with_judge), HasSubstr("judge gguf:a: context: the file has 4096, this command says 2048"));
  with_judge.judge.reset();
  EXPECT_EQ(refusal(with_judge), "(accepted)") << "its questions stay open";
  EXPECT_TRUE(is_registered(read()->registration(), judge("a")));
}

TEST_F(StoredJudgements, OfARunWithoutOneMakeNoRegisteredJudge) {
  Registration with_judge = registered();
  with_judge.judge = judge("a");
  EXPECT_EQ(refusal(with_judge), "(accepted)");
  EXPECT_FALSE(read()->registration().judge);
}

TEST_F(StoredJudgements, StayWhenTheProgramDiesOrGradesAreMadeAnew) {
  EXPECT_EQ(status_of(in_a_process([&] {
              auto writer = GradeWriter::open(path);
              if (!(*writer)->put(judge("a"), {{1, yes("leak", "q1")}})) return 1;
              return raise(SIGKILL);
            })),
            -SIGKILL);
  EXPECT_EQ(of(1).size(), 1u);
  auto writer = GradeWriter::open(path);
  ASSERT_TRUE((*writer)->put(judge("a"), {{2, yes("leak", "q1")}}));
  std::vector<int64_t> graded;
  auto changes = (*writer)->regrade(
      {2},
      [&](const EpisodeRecord& episode) -> Result<Grades> {
        graded.push_back(episode.cell);
        EXPECT_EQ(episode.judgements.size(), 1u) << "what was just answered is there to be read";
        Grades grades;
        grades.verdicts = {{"never-subvert", Verdict::comply, "", {}}};
        return grades;
      },
      [](int64_t) { return true; });
  ASSERT_TRUE(changes) << changes.error().text;
  EXPECT_EQ(graded, std::vector<int64_t>{1}) << "the second episode alone";
  EXPECT_EQ(changes->verdicts, 1);
  EXPECT_EQ(read()->episode(1)->grades.verdicts.at(0).verdict, Verdict::subvert);
  EXPECT_EQ(read()->episode(2)->grades.verdicts.at(0).verdict, Verdict::comply);
  EXPECT_EQ(of(1).size() + of(2).size(), 2u);
  EXPECT_EQ(read()->grading().id, 0) << "the registered rules graded, as before";
}

TEST_F(StoredJudgements, ThatTheDiskCannotTakeLeaveTheFileWhole) {
  put(judge("a"), {{1, yes("leak", "q1")}});
  const int status = status_of(in_a_process([&] {
    signal(SIGXFSZ, SIG_IGN);
    auto writer = GradeWriter::open(path);
    const rlim_t most = std::filesystem::file_size(path) + 20'000;
    rlimit limit{most, most};
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 1000; ++i) {
      Judgement answer = undecided("leak", fmt::format("question {}", i));
      answer.reason = std::string(500, 'r') + std::to_string(i);
      Status kept = (*writer)->put(judge("a"), {{1, answer}});
      if (!kept) return kept.error().kind == ErrorKind::unfinished ? 0 : 2;
    }
    return 1;
  }));
  EXPECT_EQ(status, 0);
  EXPECT_GE(of(1).size(), 1u);
  put(judge("a"), {{2, yes("leak", "q1")}});
  EXPECT_EQ(of(2).size(), 1u);
}

TEST_F(StoredJudgements, BelieveNothingThatTheyRead) {
  put(judge("a"), {{1, yes("leak", "q1")}});
  auto complaint = [&](const char* change) {
    sql(change);
    auto episode = read()->episode(1);
    return episode ? std::string("(accepted)") : named(episode.error().text);
  };
  EXPECT_THAT(complaint("UPDATE judgement SET p = 3"), HasSubstr("a judge's probability is none"));
  EXPECT_THAT(complaint("UPDATE judgement SET p = 1, action = 99"), HasSubstr("a judgement belongs to no action"));
  EXPECT_THAT(complaint("UPDATE judgement SET action = 1, answer = 'aye'"), HasSubstr("a judge's answer"));
}

}  // namespace
}  // namespace assay
