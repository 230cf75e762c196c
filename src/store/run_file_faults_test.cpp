// What happens to a run file that is not one, is damaged, or whose writer is killed or runs out of disk.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "store/run_file_fixture.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

TEST_F(RunFile, RefusesWhatIsNoRunFile) {
  put("name: desk\n");
  EXPECT_EQ(refusal(), "OUT is not a run file of assay.");
  EXPECT_EQ(unreadable(), "OUT is not a run file of assay.");
  EXPECT_EQ(std::filesystem::file_size(path), 11u);
}

TEST_F(RunFile, RefusesAnotherProgramsDatabase) {
  sql("CREATE TABLE precious (x); INSERT INTO precious VALUES (1);");
  EXPECT_EQ(refusal(), "OUT is an SQLite database, but not a run file of assay.");
  EXPECT_EQ(unreadable(), "OUT is an SQLite database, but not a run file of assay.");
  EXPECT_EQ(ask("SELECT x FROM precious"), 1);
}

TEST_F(RunFile, RefusesANewerSchema) {
  write({episode_of(0, 0)});
  sql("PRAGMA user_version = 8");
  const std::string expected =
      "OUT was written by a newer assay (its schema is 8, this one reads up to 7). Update assay to go on with it.";
  EXPECT_EQ(refusal(), expected);
  EXPECT_EQ(unreadable(), expected);
}

TEST_F(RunFile, RefusesFoldersAndWhatIsNotThere) {
  EXPECT_EQ(unreadable(), "There is no file OUT.");
  std::filesystem::create_directory(path);
  EXPECT_EQ(refusal(), "OUT is a folder, not a run file.");
  EXPECT_EQ(unreadable(), "OUT is a folder, not a run file.");
  path = (folder / "nowhere" / "out.assay").string();
  EXPECT_EQ(refusal(), "OUT cannot be written: there is no folder " + (folder / "nowhere").string() + ".");
  EXPECT_EQ(RunWriter::open("", registered(), {}).error().text, "A run file needs a name.");
}

TEST_F(RunFile, AnEmptyFileIsANewOneToAWriter) {
  put("");
  EXPECT_EQ(unreadable(), "OUT is empty; it holds no run.");
  write({episode_of(0, 0)});
  EXPECT_EQ(read()->episodes(), 1);
}

TEST_F(RunFile, RefusesAFileThatWasCutOff) {
  std::vector<EpisodeRecord> many;
  for (int i = 0; i < 300; ++i) many.push_back(episode_of(0, i));
  write(many);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_EQ(refusal(), "OUT is damaged or was cut off: database disk image is malformed.");
  EXPECT_EQ(unreadable(), "OUT is damaged or was cut off: database disk image is malformed.");
  std::filesystem::resize_file(path, 50);
  EXPECT_THAT(unreadable(), StartsWith("OUT is damaged or was cut off: "));
}

// Each row spoils one thing by SQL, and says what reading the episode answers.
TEST_F(RunFile, BelievesNothingThatItReads) {
  const std::pair<const char*, const char*> spoiled[] = {
      {"UPDATE text SET body = x'28b52ffd00' WHERE zstd", "is not as long as it should be"},
      {"UPDATE text SET body = substr(body, 1, 30) WHERE zstd", "could not be decompressed"},
      {"UPDATE text SET size = 1 << 40", "has a size that cannot be"},
      {"UPDATE text SET size = -1", "has a size that cannot be"},
      {"DELETE FROM text WHERE id = (SELECT text FROM event WHERE seq = 0)", "is missing"},
      {"UPDATE event SET kind = 77 WHERE seq = 1", "77 is no number that can stand there"},
      {"UPDATE event SET message = 999 WHERE kind = 4", "an action belongs to no message"},
      {"UPDATE event SET data = text WHERE kind = 4", "what should be JSON is not valid JSON"},
      {"UPDATE event SET data = NULL WHERE kind = 4", "a tool call is not stored as one"},
      {"UPDATE generation SET message = -5", "-5 is no number that can stand there"},
      {"UPDATE generation SET stop = 4", "4 is no number that can stand there"},
      {"UPDATE act SET action = 12345678901", "12345678901 is no number that can stand there"},
      {"UPDATE act SET action = 17", "an act belongs to no action"},
      {"UPDATE act SET how_far = 'nearly'", "how far an act went is none that this version knows"},
      {"UPDATE act SET wrongs = '{}'", "whom an act wrongs is none that this version knows"},
      {"UPDATE verdict SET verdict = 'fine'", "a verdict is none that this version knows"},
      {"UPDATE episode SET outcome = 'great'", "its outcome is none that this version knows"},
      {"UPDATE cell SET levels = '[1]'", "the levels of its cell is none that this version knows"},
  };
  for (auto [statement, expected] : spoiled) {
    std::filesystem::remove(path);
    write({rich_episode()});
    sql(statement);
    auto episode = read()->episode(1);
    ASSERT_FALSE(episode) << statement;
    EXPECT_THAT(named(episode.error().text), MatchesRegex("OUT is damaged or was cut off: episode 1: .*"));
    EXPECT_THAT(episode.error().text, HasSubstr(expected)) << statement;
    (void)read()->each_summary([](const EpisodeSummary&) {});  // an error or a list, and no crash
  }
}

TEST_F(RunFile, RefusesAnEpisodeThatUnpacksToTooMuch) {
  EpisodeRecord large = episode_of(0, 0);
  large.transcript.messages[1].text.assign(60 << 20, 'x');
  write({large});
  sql("UPDATE event SET text = (SELECT id FROM text ORDER BY size DESC LIMIT 1)");  // nine times 60 MiB
  EXPECT_EQ(named(read()->episode(1).error().text),
            "OUT is damaged or was cut off: episode 1: its texts are larger than an episode can be.");
}

TEST_F(RunFile, SaysWhichTableIsMissing) {
  write({});
  sql("DROP TABLE event");
  EXPECT_EQ(unreadable(), "OUT is damaged or was cut off: no such table: event.");
  sql("DROP TABLE run");
  EXPECT_EQ(refusal(), "OUT is damaged or was cut off: no such table: run.");
}

// Random bytes written over a good file: every answer is welcome but a crash.
TEST_F(RunFile, SurvivesRandomDamage) {
  write({episode_of(0, 0), episode_of(1, 0), episode_of(2, 0)});
  std::ifstream file(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(file)), {});
  Rng rng(4);
  int errors = 0;
  for (int round = 0; round < 100; ++round) {
    std::string bad = good;
    for (int i = 0; i < 60; ++i) bad[100 + rng.below(bad.size() - 100)] = static_cast<char>(rng.next());
    put(bad);
    auto reader = RunReader::open(path);
    if (!reader) {
      ++errors;
      continue;
    }
    if (!(*reader)->each_summary([](const EpisodeSummary&) {})) ++errors;
    for (int id = 1; id <= 3; ++id)
      if (!(*reader)->episode(id)) ++errors;
  }
  EXPECT_GT(errors, 0);
}

TEST_F(RunFile, HoldsWholeEpisodesAfterAKillAtAnyMoment) {
  Rng rng(11);
  int64_t before = 0;
  for (int round = 0; round < 10 || (before == 0 && round < 200); ++round) {  // more where the machine is slow
    pid_t child = in_a_process([&] {
      auto writer = open();
      if (!writer) return 1;
      for (int epoch = 0;; ++epoch)
        if (!(*writer)->present().has({"replacement", epoch % 4, epoch / 4, "policy:cornered"}))
          (*writer)->append(episode_of(epoch % 4, epoch / 4));
    });
    ASSERT_GT(child, 0);
    usleep(static_cast<useconds_t>(rng.below(150'000)));
    kill(child, SIGKILL);
    ASSERT_EQ(status_of(child), -SIGKILL);
    if (!std::filesystem::exists(path) || std::filesystem::file_size(path) == 0) continue;  // killed before it began

    auto writer = open();
    ASSERT_TRUE(writer) << writer.error().text;
    auto reader = read();
    EXPECT_EQ(reader->episodes(), static_cast<int64_t>((*writer)->present().size()));
    EXPECT_GE(reader->episodes(), before);
    before = reader->episodes();
    for (int64_t id = std::max<int64_t>(1, before - 250); id <= before; ++id) {
      auto stored = reader->episode(id);
      ASSERT_TRUE(stored) << stored.error().text;
      expect_same(*stored, episode_of(stored->cell, stored->epoch));
    }
  }
  EXPECT_GT(before, 0);
  EXPECT_EQ(ask("SELECT count(*) FROM event WHERE episode NOT IN (SELECT id FROM episode)"), 0);
}

TEST_F(RunFile, AFullDiskEndsTheRunAndLosesNothingStored) {
  write({episode_of(0, 0)});
  // A limit on the size of files stands for the disk: a write beyond it fails.
  int status = status_of(in_a_process([&] {
    signal(SIGXFSZ, SIG_IGN);
    auto writer = open();
    if (!writer) return 1;
    rlimit limit{400'000, 400'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int appended = 0;
    while (!(*writer)->failed() && ++appended < 100'000) (*writer)->append(episode_of(1, appended));
    (*writer)->append(episode_of(2, 0));  // returns at once
    Status done = (*writer)->finish();
    if (done || done.error().kind != ErrorKind::unfinished) return 2;
    const std::string text = named(done.error().text);
    std::ofstream(folder / "said") << text;
    return 0;
  }));
  ASSERT_EQ(status, 0);
  std::ifstream said(folder / "said");
  EXPECT_THAT(
      std::string((std::istreambuf_iterator<char>(said)), {}),
      MatchesRegex(
          "OUT could not be written any further \\(disk I/O error; is the disk full\\?\\)\\. The [0-9]+ episodes "
          "stored in it are kept, and the same command goes on from there\\."));
  const int64_t kept = read()->episodes();
  EXPECT_GE(kept, 1);
  write({episode_of(3, 0)});
  EXPECT_EQ(read()->episodes(), kept + 1);
}

TEST_F(RunFile, OpensInAFolderThatMayNotBeWritten) {
  write({episode_of(0, 0)});
  for (const char* mode : {"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"}) {
    sql(mode);
    chmod(path.c_str(), 0444);
    chmod(folder.c_str(), 0555);
    int status = status_of(in_a_process([&] {
      if (geteuid() == 0 && setuid(65534) != 0) return 3;  // root may write anywhere
      auto reader = RunReader::open(path);
      if (!reader || (*reader)->episodes() != 1) return 1;
      auto writer = open();
      return writer || named(writer.error().text) != "OUT cannot be written: OUT.lock: Permission denied." ? 2 : 0;
    }));
    chmod(folder.c_str(), 0755);
    chmod(path.c_str(), 0644);
    EXPECT_EQ(status, 0) << mode;
    EXPECT_EQ(files(), std::set<std::string>{"out.assay"});
  }
}

}  // namespace
}  // namespace assay
