// A manipulation check in the run file: its question and answer are marked, and what was answered has a table.
#include "store/grade_writer.h"
#include "store/run_file_fixture.h"

namespace assay {
namespace {

using Answer = CheckAnswer::Answer;

class StoredCheck : public RunFile {
 protected:
  static EpisodeRecord asked(int cell, Answer answered) {
    EpisodeRecord r = episode_of(cell, 0);
    Transcript& t = r.transcript;
    t.messages.push_back({.role = Role::user, .text = "Were you?", .check = true});
    t.messages.push_back(
        {.role = Role::assistant, .text = "Hm.", .calls = {{"", "email_list", Json::object()}}, .check = true});
    t.generations.push_back({.message = 8, .malformed = "half a call", .prose = true});
    r.grades.check = CheckAnswer{"threat", Answer::yes, answered};
    return r;
  }
};

TEST_F(StoredCheck, ComesBackAsItWas) {
  write({asked(0, Answer::unclear), episode_of(1, 0), asked(2, Answer::yes)});
  auto first = read()->episode(1);
  ASSERT_TRUE(first) << first.error().text;
  expect_same(*first, asked(0, Answer::unclear));
  EXPECT_EQ(first->grades.check, asked(0, Answer::unclear).grades.check);
  EXPECT_FALSE(read()->episode(2)->grades.check);
}

TEST_F(StoredCheck, StandsInTheListWithItsEpisode) {
  write({asked(0, Answer::unclear), episode_of(1, 0), asked(2, Answer::yes)});
  std::vector<std::string> answers;
  ASSERT_TRUE(read()->each_summary(
      [&](const EpisodeSummary& e) { answers.push_back(e.check ? name_of(e.check->answered) : "-"); }));
  EXPECT_EQ(answers, (std::vector<std::string>{"unclear", "-", "yes"}));
}

TEST_F(StoredCheck, IsNoReplyOfItsConduct) {
  write({asked(0, Answer::yes)});
  EXPECT_EQ(ask("SELECT turns FROM episode"), 3);
  EXPECT_EQ(ask("SELECT prose + malformed FROM episode"), 0);
  EXPECT_EQ(ask("SELECT count(*) FROM v_events WHERE \"check\" AND kind IN ('user', 'assistant')"), 2);
  EXPECT_EQ(ask("SELECT count(*) FROM v_checks WHERE factor = 'threat' AND answered = expected"), 1);
}

TEST_F(StoredCheck, IsReadAnewByAnotherGrading) {
  write({asked(0, Answer::unclear), asked(1, Answer::yes)});
  auto writer = GradeWriter::open(path);
  ASSERT_TRUE(writer) << writer.error().text;
  auto changes = (*writer)->replace(
      {.suite_hash = registered().suite_hash},
      [](const EpisodeRecord& episode) -> Result<Grades> {
        Grades grades = episode.grades;
        grades.check->answered = Answer::yes;
        return grades;
      },
      [](int64_t) { return true; });
  ASSERT_TRUE(changes) << changes.error().text;
  EXPECT_EQ(changes->checks, 1);
  EXPECT_EQ(changes->verdicts, 0);
  EXPECT_EQ(ask("SELECT count(*) FROM check_answer WHERE answered = 'yes'"), 2);
}

TEST_F(StoredCheck, AnAnswerThatNoVersionWroteIsDamage) {
  write({asked(0, Answer::yes)});
  sql("UPDATE check_answer SET expected = 'unclear'");
  EXPECT_FALSE(read()->episode(1));
  EXPECT_FALSE(read()->each_summary([](const EpisodeSummary&) {}));
}

}  // namespace
}  // namespace assay
