// Other grades over stored episodes: all of them, or none; and what may be done with the file afterwards.
#include "store/grade_writer.h"

#include <signal.h>
#include <sys/resource.h>

#include "store/run_file_fixture.h"

namespace assay {
namespace {

using testing::HasSubstr;

class StoredGrades : public RunFile {
 protected:
  void SetUp() override {
    RunFile::SetUp();
    write({episode_of(0, 0), episode_of(1, 0), rich_episode()});
  }

  // What a second reading of the run finds: nothing but words.
  static Result<Grades> milder(const EpisodeRecord&) {
    Grades grades;
    grades.verdicts = {{"never-subvert", Verdict::comply, "on second thoughts", {}}};
    return grades;
  }
  static Result<Grades> the_same(const EpisodeRecord& episode) { return episode.grades; }
  static Grading by_the_registered_rules() {
    return {.created = "2026-02-02T00:00:00Z", .version = "0.2.0", .suite_hash = registered().suite_hash};
  }
  static Grading by_other_rules() {
    Grading grading = by_the_registered_rules();
    grading.folder = "suites/strict";
    grading.suite_hash = "0ther";
    grading.suite = {{"desk.yaml", {"suites/strict/desk.yaml", "name: desk\n"}}, {"empty", {"", ""}}};
    grading.acts = SourceFile{"more.yaml", "all: {}\n"};
    grading.codes = {{"codes/strict.yaml", "code: strict\n"}};
    return grading;
  }

  Result<GradeWriter::Changes> grade(const Grading& grading, Result<Grades> (*by)(const EpisodeRecord&),
                                     int64_t stop_after = 1'000'000) {
    auto writer = GradeWriter::open(path);
    if (!writer) return writer.error();
    return (*writer)->replace(grading, by, [&](int64_t done) { return done < stop_after; });
  }
  int64_t with_verdict(Verdict verdict) {
    int64_t n = 0;
    auto counted = read()->each_summary([&](const EpisodeSummary& e) { n += e.verdicts.at(0).verdict == verdict; });
    EXPECT_TRUE(counted);
    return n;
  }
};

TEST_F(StoredGrades, AreReplacedAndNothingElseIs) {
  auto changes = grade(by_the_registered_rules(), milder);
  ASSERT_TRUE(changes) << changes.error().text;
  EXPECT_EQ(changes->episodes, 3);
  EXPECT_EQ(changes->acts, 3);
  EXPECT_EQ(changes->verdicts, 3);
  for (auto [id, record] : {std::pair(1, episode_of(0, 0)), std::pair(3, rich_episode())}) {
    record.grades = *milder(record);
    auto stored = read()->episode(id);
    ASSERT_TRUE(stored) << stored.error().text;
    expect_same(*stored, record);
  }
  EXPECT_EQ(files(), std::set<std::string>{"out.assay"});
}

TEST_F(StoredGrades, ThatAreTheSameAreNoChange) {
  auto changes = grade(by_the_registered_rules(), the_same);
  EXPECT_EQ(changes->episodes, 3);
  EXPECT_EQ(changes->acts + changes->verdicts, 0);
}

TEST_F(StoredGrades, SayByWhatTheyWereMade) {
  EXPECT_TRUE(read()->grading().by_registered_rules(registered()));
  ASSERT_TRUE(grade(by_the_registered_rules(), milder));
  EXPECT_TRUE(read()->grading().by_registered_rules(registered()));
  ASSERT_TRUE(grade(by_other_rules(), milder));
  const Grading held = read()->grading();
  EXPECT_EQ(held.id, 2);
  EXPECT_EQ(held.folder, "suites/strict");
  EXPECT_EQ(held.suite.at("desk.yaml").text, "name: desk\n");
  EXPECT_EQ(held.suite.at("empty").text, "");
  EXPECT_EQ(held.acts->name, "more.yaml");
  EXPECT_EQ(held.codes.at(0).text, "code: strict\n");
  EXPECT_EQ(held.version, "0.2.0");
  EXPECT_FALSE(held.by_registered_rules(registered()));
}

TEST_F(StoredGrades, AreAllOldAfterAMistakeAStopOrAKill) {
  auto mistaken = grade(by_other_rules(), [](const EpisodeRecord& e) -> Result<Grades> {
    return e.cell == 1 ? Result<Grades>(Error{"no such cell"}) : milder(e);
  });
  EXPECT_EQ(mistaken.error().text, "no such cell");
  auto stopped = grade(by_other_rules(), milder, 2);
  EXPECT_EQ(named(stopped.error().text),
            "Stopped after 2 episodes: OUT holds the grades that it held. The same command begins again.");
  EXPECT_EQ(stopped.error().kind, ErrorKind::unfinished);
  EXPECT_EQ(status_of(in_a_process([&] {
              return grade(by_other_rules(),
                           [](const EpisodeRecord& e) -> Result<Grades> {
                             if (e.cell == 3) raise(SIGKILL);
                             return milder(e);
                           })
                         ? 0
                         : 1;
            })),
            -SIGKILL);
  EXPECT_EQ(with_verdict(Verdict::subvert), 3);
  EXPECT_EQ(read()->grading().id, 0);
  EXPECT_EQ(ask("SELECT (SELECT count(*) FROM grading) + (SELECT count(*) FROM grading_source)"), 0);
}

TEST_F(StoredGrades, AreAllOldAfterAFullDisk) {
  std::vector<EpisodeRecord> more;
  for (int epoch = 1; epoch < 100; ++epoch) more.push_back(episode_of(0, epoch));
  write(more);
  // A limit on the size of files stands for the disk: a write beyond it fails.
  const int status = status_of(in_a_process([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlim_t most = std::filesystem::file_size(path) + 50'000;
    rlimit limit{most, most};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto changes = grade(by_other_rules(), [](const EpisodeRecord& e) -> Result<Grades> {
      Grades grades = *milder(e);
      grades.verdicts[0].reason = std::string(3000, 'r') + std::to_string(e.epoch);
      return grades;
    });
    return changes || changes.error().kind != ErrorKind::unfinished ? 1 : 0;
  }));
  EXPECT_EQ(status, 0);
  EXPECT_EQ(with_verdict(Verdict::subvert), 102);
  EXPECT_EQ(read()->grading().id, 0);
  ASSERT_TRUE(grade(by_other_rules(), milder));
  EXPECT_EQ(with_verdict(Verdict::comply), 102);
}

TEST_F(StoredGrades, AreOneWritersAtATime) {
  auto first = GradeWriter::open(path);
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_THAT(refusal(), HasSubstr("OUT is being written by another process"));
  EXPECT_EQ(named(GradeWriter::open(path).error().text),
            fmt::format("OUT is being written by another process (process {}). Wait for it.", getpid()));
}

TEST_F(StoredGrades, NeedARunFile) {
  path = (folder / "none.assay").string();
  EXPECT_EQ(named(GradeWriter::open(path).error().text), "There is no file OUT.");
  put("");
  EXPECT_EQ(named(GradeWriter::open(path).error().text), "OUT is empty; it holds no run.");
  put("name: desk\n");
  EXPECT_EQ(named(GradeWriter::open(path).error().text), "OUT is not a run file of assay.");
  EXPECT_EQ(files(), (std::set<std::string>{"none.assay", "out.assay"}));
}

TEST_F(StoredGrades, OfOtherRulesAreNotMixedWithThoseOfNewEpisodes) {
  ASSERT_TRUE(grade(by_other_rules(), milder));
  EXPECT_EQ(refusal(),
            "OUT was graded again by other rules than those registered (suites/strict and more.yaml, "
            "2026-02-02T00:00:00Z), so new episodes would not fit. Return to the registered rules with: assay "
            "grade OUT; or name a new file with -o.");
  Grading codes_only = by_the_registered_rules();
  codes_only.codes = by_other_rules().codes;
  ASSERT_TRUE(grade(codes_only, milder));
  auto writer = open();
  ASSERT_TRUE(writer) << writer.error().text;
  EXPECT_EQ((*writer)->grading().codes.at(0).name, "codes/strict.yaml");
}

TEST_F(StoredGrades, BelieveNothingThatTheyRead) {
  ASSERT_TRUE(grade(by_other_rules(), milder));
  sql("UPDATE grading_source SET part = 'prose' WHERE part = 'acts'");
  EXPECT_EQ(unreadable(),
            "OUT is damaged or was cut off: a source of a grading is of no part that this version knows.");
  sql("UPDATE grading_source SET text = 12345");
  EXPECT_EQ(unreadable(), "OUT is damaged or was cut off: a source of a grading: text 12345 is missing.");
  sql("DROP TABLE grading_source");
  EXPECT_EQ(unreadable(), "OUT is damaged or was cut off: no such table: grading_source.");
}

}  // namespace
}  // namespace assay
