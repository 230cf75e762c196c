// Files of earlier versions: read as they are, brought up to date by a writer, whole whatever happens.
#include "store/migrations.h"

#include <signal.h>

#include "store/run_file_fixture.h"
#include "store/schema.h"

namespace assay {
namespace {

// Version 1 as it was: never to be changed. One episode, in which the agent said hello.
constexpr const char* version_1 = R"sql(
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (key TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE model (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL, policy_name TEXT, policy TEXT);
CREATE TABLE cell (
  id INTEGER PRIMARY KEY, scenario TEXT NOT NULL, cell INTEGER NOT NULL, levels TEXT NOT NULL, UNIQUE (scenario, cell));
CREATE TABLE text (
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, zstd INTEGER NOT NULL, body NOT NULL);
CREATE TABLE episode (
  id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cell, epoch INTEGER NOT NULL, model INTEGER NOT NULL REFERENCES model,
  outcome TEXT NOT NULL, played_agent TEXT, turns INTEGER NOT NULL, prose INTEGER NOT NULL, malformed INTEGER NOT NULL,
  calls INTEGER NOT NULL, seconds REAL NOT NULL, drawn INTEGER REFERENCES text, UNIQUE (cell, epoch, model));
CREATE TABLE event (
  episode INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, message INTEGER NOT NULL, flags INTEGER NOT NULL,
  text INTEGER REFERENCES text, data INTEGER REFERENCES text, extra INTEGER REFERENCES text,
  PRIMARY KEY (episode, seq)) WITHOUT ROWID;
CREATE TABLE generation (
  episode INTEGER NOT NULL, seq INTEGER NOT NULL, message INTEGER NOT NULL, seed INTEGER NOT NULL, stop INTEGER NOT NULL,
  prose INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
  raw INTEGER REFERENCES text, malformed INTEGER REFERENCES text,
  PRIMARY KEY (episode, seq)) WITHOUT ROWID;
CREATE TABLE act (
  episode INTEGER NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, how_far TEXT NOT NULL,
  wrongs TEXT NOT NULL, decided_by TEXT NOT NULL, action INTEGER NOT NULL, quote INTEGER REFERENCES text,
  PRIMARY KEY (episode, seq)) WITHOUT ROWID;
CREATE TABLE open_question (episode INTEGER NOT NULL, seq INTEGER NOT NULL, act TEXT NOT NULL,
  PRIMARY KEY (episode, seq)) WITHOUT ROWID;
CREATE TABLE verdict (
  episode INTEGER NOT NULL, seq INTEGER NOT NULL, code TEXT NOT NULL, verdict TEXT NOT NULL, reason INTEGER REFERENCES text,
  wronged TEXT NOT NULL, PRIMARY KEY (episode, seq)) WITHOUT ROWID;

CREATE VIEW v_verdicts AS
  SELECT episode.id AS episode, cell.scenario, cell.levels, episode.epoch, model.name AS model, episode.outcome,
         verdict.code, verdict.verdict, reason.body AS reason, verdict.wronged
  FROM verdict JOIN episode ON episode.id = verdict.episode JOIN cell ON cell.id = episode.cell
  JOIN model ON model.id = episode.model LEFT JOIN text AS reason ON reason.id = verdict.reason;
CREATE VIEW v_acts AS
  SELECT episode.id AS episode, cell.scenario, cell.levels, episode.epoch, model.name AS model,
         act.name AS act, act.kind, act.how_far, act.wrongs, act.decided_by, act.action,
         CASE WHEN NOT quote.zstd THEN quote.body END AS quote
  FROM act JOIN episode ON episode.id = act.episode JOIN cell ON cell.id = episode.cell
  JOIN model ON model.id = episode.model LEFT JOIN text AS quote ON quote.id = act.quote;
CREATE VIEW v_events AS
  SELECT event.episode, event.seq,
         CASE kind WHEN 0 THEN 'system' WHEN 1 THEN 'user' WHEN 2 THEN 'assistant' WHEN 3 THEN 'tool'
                   WHEN 4 THEN 'action' WHEN 5 THEN 'limit' WHEN 6 THEN 'error' END AS kind,
         event.message, flags & 1 AS given, (flags & 2) / 2 AS prelude, (flags & 4) / 4 AS dispatched,
         CASE WHEN NOT t.zstd THEN t.body END AS text, CASE WHEN NOT d.zstd THEN d.body END AS data,
         CASE WHEN NOT e.zstd THEN e.body END AS extra
  FROM event LEFT JOIN text AS t ON t.id = event.text LEFT JOIN text AS d ON d.id = event.data
  LEFT JOIN text AS e ON e.id = event.extra;

INSERT INTO run VALUES ('suite', '"first"'), ('suite_hash', '"5eed"'), ('epochs', '2'), ('seed', '1'),
  ('codes', '[{"name": "never-subvert", "hash": "c0de"}]'), ('variants', '"train"'), ('prelude', '"model"'),
  ('version', '"0.1.0"'), ('created', '"2025-01-01T00:00:00Z"'), ('machine', '{"cores": 2}');
INSERT INTO source VALUES ('desk.yaml', 'suites/first/desk.yaml', 'name: desk
'), ('mail/affair', 'suites/first/mail/affair', 'From: a
');
INSERT INTO model VALUES (1, 'policy:cornered', '{"agents": 3}', 'policies/cornered.yaml', 'policy: x
');
INSERT INTO cell VALUES (1, 'replacement', 0, '{"leverage": "none", "threat": "none"}');
INSERT INTO text VALUES (1, x'00000000000000000000000000000001', 5, 0, 'Hello'), (2, x'00000000000000000000000000000002', 4, 0, 'done');
INSERT INTO episode VALUES (1, 1, 0, 1, 'completed', 'comply', 1, 1, 0, 0, 0.5, NULL);
INSERT INTO event VALUES (1, 0, 2, 0, 0, 1, NULL, NULL);
INSERT INTO generation VALUES (1, 1, 0, 7, 0, 1, 10, 0, 2, NULL, NULL);
INSERT INTO verdict VALUES (1, 0, 'never-subvert', 'comply', 2, '[]');
PRAGMA application_id = 1634956153;
PRAGMA user_version = 1;
)sql";

// What version 2 had more than version 1.
constexpr const char* version_2 = R"sql(
CREATE TABLE grading (
  id INTEGER PRIMARY KEY, created TEXT NOT NULL, version TEXT NOT NULL, suite TEXT, suite_hash TEXT NOT NULL);
CREATE TABLE grading_source (
  grading INTEGER NOT NULL, seq INTEGER NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
  text INTEGER REFERENCES text, PRIMARY KEY (grading, seq)) WITHOUT ROWID;

CREATE VIEW v_episodes AS
  SELECT episode.id AS episode, cell.scenario, cell.levels, episode.epoch, model.name AS model, episode.outcome,
         episode.played_agent, episode.turns, episode.prose, episode.malformed, episode.calls, episode.seconds,
         coalesce(sum(generation.prompt_tokens), 0) AS prompt_tokens,
         coalesce(sum(generation.cached_tokens), 0) AS cached_tokens,
         coalesce(sum(generation.completion_tokens), 0) AS completion_tokens
  FROM episode JOIN cell ON cell.id = episode.cell JOIN model ON model.id = episode.model
  LEFT JOIN generation ON generation.episode = episode.id GROUP BY episode.id;
CREATE VIEW v_rates AS
  WITH possible (name) AS (VALUES ('comply'), ('partial_refusal'), ('refuse'), ('no_action'), ('failed'), ('neglect'),
                                  ('subvert')),
       counted AS (SELECT episode.cell, episode.model, verdict.code, verdict.verdict, count(*) AS episodes
                   FROM verdict JOIN episode ON episode.id = verdict.episode GROUP BY 1, 2, 3, 4),
       graded AS (SELECT cell, model, code, sum(episodes) FILTER (WHERE verdict <> 'ungraded') AS n,
                         sum(episodes) FILTER (WHERE verdict = 'ungraded') AS ungraded
                  FROM counted GROUP BY 1, 2, 3)
  SELECT cell.scenario, cell.levels, model.name AS model, graded.code, possible.name AS verdict,
         coalesce(counted.episodes, 0) AS k, coalesce(graded.n, 0) AS n,
         1.0 * coalesce(counted.episodes, 0) / graded.n AS share, coalesce(graded.ungraded, 0) AS ungraded
  FROM graded JOIN possible JOIN cell ON cell.id = graded.cell JOIN model ON model.id = graded.model
  LEFT JOIN counted ON counted.cell = graded.cell AND counted.model = graded.model AND counted.code = graded.code
                    AND counted.verdict = possible.name;
PRAGMA user_version = 2;
)sql";

// What version 3 had more than version 2, and its v_events in place of the other.
constexpr const char* version_3 = R"sql(
DROP VIEW v_events;
CREATE TABLE check_answer (
  episode INTEGER PRIMARY KEY, factor TEXT NOT NULL, expected TEXT NOT NULL, answered TEXT NOT NULL);
CREATE VIEW v_checks AS
  SELECT episode.id AS episode, cell.scenario, cell.levels, episode.epoch, model.name AS model, check_answer.factor,
         check_answer.expected, check_answer.answered
  FROM check_answer JOIN episode ON episode.id = check_answer.episode JOIN cell ON cell.id = episode.cell
  JOIN model ON model.id = episode.model;
CREATE VIEW v_events AS
  SELECT event.episode, event.seq,
         CASE kind WHEN 0 THEN 'system' WHEN 1 THEN 'user' WHEN 2 THEN 'assistant' WHEN 3 THEN 'tool'
                   WHEN 4 THEN 'action' WHEN 5 THEN 'limit' WHEN 6 THEN 'error' END AS kind,
         event.message, flags & 1 AS given, (flags & 2) / 2 AS prelude, (flags & 4) / 4 AS dispatched,
         (flags & 8) / 8 AS "check",
         CASE WHEN NOT t.zstd THEN t.body END AS text, CASE WHEN NOT d.zstd THEN d.body END AS data,
         CASE WHEN NOT e.zstd THEN e.body END AS extra
  FROM event LEFT JOIN text AS t ON t.id = event.text LEFT JOIN text AS d ON d.id = event.data
  LEFT JOIN text AS e ON e.id = event.extra;
PRAGMA user_version = 3;
)sql";

// What version 4 had more than version 3.
constexpr const char* version_4 = R"sql(
CREATE TABLE commitment (
  id INTEGER PRIMARY KEY, created TEXT NOT NULL, version TEXT NOT NULL, epochs INTEGER NOT NULL, cells TEXT NOT NULL,
  models TEXT NOT NULL, first_episode INTEGER NOT NULL);
INSERT INTO commitment VALUES (1, '2025-01-01T00:00:00Z', '0.1.0', 2,
  '{"factors": [], "only": {}, "crossing": "full"}', '["policy:cornered"]', 1);
PRAGMA user_version = 4;
)sql";

// What version 5 had more than version 4.
constexpr const char* version_5 = R"sql(
CREATE TABLE judge (id INTEGER PRIMARY KEY, name TEXT NOT NULL, settings TEXT NOT NULL, UNIQUE (name, settings));
CREATE TABLE judgement (
  episode INTEGER NOT NULL, act TEXT NOT NULL, question TEXT NOT NULL, action INTEGER NOT NULL, answer TEXT NOT NULL,
  p REAL, mass REAL, reason INTEGER REFERENCES text, judge INTEGER NOT NULL REFERENCES judge,
  PRIMARY KEY (episode, act, question)) WITHOUT ROWID;
CREATE VIEW v_judgements AS
  SELECT episode.id AS episode, cell.scenario, cell.levels, episode.epoch, model.name AS model,
         nullif(judgement.act, '') AS act, CASE WHEN action >= 0 THEN action END AS action, judgement.answer,
         judgement.p, judgement.mass, reason.body AS reason, judge.name AS judge, judgement.question
  FROM judgement JOIN episode ON episode.id = judgement.episode JOIN cell ON cell.id = episode.cell
  JOIN model ON model.id = episode.model JOIN judge ON judge.id = judgement.judge
  LEFT JOIN text AS reason ON reason.id = judgement.reason;
PRAGMA user_version = 5;
)sql";

// What version 6 had more than version 5.
constexpr const char* version_6 = R"sql(
CREATE TABLE token_logprobs (
  episode INTEGER NOT NULL, seq INTEGER NOT NULL, logprobs INTEGER NOT NULL REFERENCES text,
  PRIMARY KEY (episode, seq)) WITHOUT ROWID;
CREATE TABLE choice (
  id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cell, epoch INTEGER NOT NULL,
  model INTEGER NOT NULL REFERENCES model, outcome TEXT NOT NULL, error INTEGER REFERENCES text, seconds REAL NOT NULL,
  drawn INTEGER REFERENCES text, UNIQUE (cell, epoch, model));
CREATE TABLE alternative (
  choice INTEGER NOT NULL, seq INTEGER NOT NULL, agents TEXT NOT NULL, tokens INTEGER NOT NULL, logprob REAL,
  turn INTEGER REFERENCES text, logprobs INTEGER REFERENCES text,
  PRIMARY KEY (choice, seq)) WITHOUT ROWID;
CREATE VIEW v_choices AS
  WITH likeliest AS (SELECT choice, max(logprob) AS most FROM alternative GROUP BY choice),
       weighed AS (SELECT alternative.*, coalesce(exp(logprob - most), 0) AS weight
                   FROM alternative JOIN likeliest USING (choice))
  SELECT choice.id AS choice, cell.scenario, cell.levels, choice.epoch, model.name AS model, choice.outcome,
         weighed.agents, weighed.tokens, weighed.logprob,
         weighed.weight / sum(weighed.weight) OVER (PARTITION BY choice.id) AS share,
         CASE WHEN NOT turn.zstd THEN turn.body END AS turn
  FROM weighed JOIN choice ON choice.id = weighed.choice JOIN cell ON cell.id = choice.cell
  JOIN model ON model.id = choice.model LEFT JOIN text AS turn ON turn.id = weighed.turn;
PRAGMA user_version = 6;
)sql";

class OldRunFile : public RunFile, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    RunFile::SetUp();
    sql(version_1);
    if (GetParam() >= 2) sql(version_2);
    if (GetParam() >= 3) sql(version_3);
    if (GetParam() >= 4) sql(version_4);
    if (GetParam() >= 5) sql(version_5);
    if (GetParam() >= 6) sql(version_6);
  }
  std::string bytes() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void expect_its_episode() {
    auto episode = read()->episode(1);
    ASSERT_TRUE(episode) << episode.error().text;
    EXPECT_EQ(episode->transcript.messages.at(0).text, "Hello");
    EXPECT_EQ(episode->grades.verdicts.at(0).verdict, Verdict::comply);
  }
  // Every table and view, in SQL's words.
  static std::vector<std::string> schema(const std::string& of) {
    Database db = Database::open(of, SQLITE_OPEN_READONLY);
    Statement row(db, "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1");
    std::vector<std::string> out;
    while (row.row()) out.push_back(row.string(0));
    return out;
  }
};

TEST_P(OldRunFile, IsReadWithoutBeingWritten) {
  const std::string before = bytes();
  expect_its_episode();
  int rows = 0;
  ASSERT_TRUE(read()->each_summary([&](const EpisodeSummary& e) { rows += e.verdicts.size() == 1; }));
  EXPECT_EQ(rows, 1);
  EXPECT_FALSE(read()->episode(1)->grades.check);
  EXPECT_TRUE(read()->episode(1)->judgements.empty());
  EXPECT_TRUE(read()->judges().empty());
  EXPECT_TRUE(read()->models().at(0).card.is_null());
  EXPECT_EQ(read()->grading().id, 0);
  ASSERT_TRUE(read()->each_choice([](const ChoiceRecord&) { ADD_FAILURE(); }));
  EXPECT_TRUE(before == bytes());
}

TEST_P(OldRunFile, IsBroughtUpToDateByWhoGoesOnWithIt) {
  write({episode_of(1, 0)});
  EXPECT_EQ(ask("PRAGMA user_version"), schema_version);
  EXPECT_EQ(read()->episodes(), 2);
  expect_its_episode();
  EXPECT_EQ(ask("SELECT count(*) FROM v_rates WHERE verdict = 'comply' AND k = 1 AND n = 1"), 1);
}

TEST_P(OldRunFile, EndsUpWithTheSchemaOfANewOne) {
  write({});
  const std::string old_file = std::exchange(path, (folder / "new.assay").string());
  write({});
  EXPECT_EQ(schema(old_file), schema(path));
}

// When its epochs grew is not known: its history begins with what it had come to.
TEST_P(OldRunFile, KeepsWhatItHadRegisteredApartFromWhatIsAdded) {
  auto expect_its_start = [&] {
    const Commitment start = read()->registration().history.at(0);
    EXPECT_EQ(std::tuple(start.created, start.version, start.epochs, start.first_episode),
              std::tuple("2025-01-01T00:00:00Z", "0.1.0", 2, 1));
    EXPECT_EQ(start.models, std::vector<std::string>{"policy:cornered"});
    EXPECT_TRUE(start.cells.whole());
  };
  expect_its_start();
  Registration more = registered();
  more.design.epochs = 3;
  {
    ASSERT_TRUE(open(more));
  }
  expect_its_start();
  EXPECT_EQ(read()->registration().history.size(), 2u);
  EXPECT_EQ(read()->registration().history.at(1).first_episode, 2);
}

TEST_P(OldRunFile, IsLeftAsItIsByWhoIsRefused) {
  const std::string before = bytes();
  Registration other = registered();
  other.design.seed = 2;
  EXPECT_NE(refusal(other), "(accepted)");
  EXPECT_TRUE(before == bytes());
}

TEST_P(OldRunFile, StaysWholeWhenItsMigrationIsKilled) {
  EXPECT_EQ(status_of(in_a_process([&] {
              Database db = Database::open(path, SQLITE_OPEN_READWRITE);
              db.run("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; BEGIN IMMEDIATE");
              migrate(db, GetParam());
              return db.ok() ? raise(SIGKILL) : 1;
            })),
            -SIGKILL);
  EXPECT_EQ(ask("PRAGMA user_version"), GetParam());
  EXPECT_EQ(ask("SELECT count(*) FROM sqlite_schema WHERE name IN ('choice', 'alternative')"), GetParam() < 6 ? 0 : 2);
  EXPECT_EQ(ask("SELECT count(*) FROM pragma_table_info('model') WHERE name = 'card'"), 0);
  expect_its_episode();
  write({episode_of(1, 0)});
  EXPECT_EQ(ask("PRAGMA user_version"), schema_version);
  expect_its_episode();
}

INSTANTIATE_TEST_SUITE_P(OfVersion, OldRunFile, testing::Values(1, 2, 3, 4, 5, 6), testing::PrintToStringParamName());

}  // namespace
}  // namespace assay
