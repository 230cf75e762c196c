#include "store/schema.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace assay {
namespace {

// Tables that are read in order of an episode's parts have that order as their key and no other row number: an
// episode's rows lie together, and storing the next episode is an append. Numbers stand for texts and kinds because
// there are some forty such rows an episode; the views put the words back.
constexpr const char* tables = R"sql(
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
)sql";

constexpr const char* views = R"sql(
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
)sql";

}  // namespace

// A step of migrations.cpp takes the tables and views below from here, so that an old file and a new one end up alike.
const char* const grading_tables = R"sql(
CREATE TABLE grading (
  id INTEGER PRIMARY KEY, created TEXT NOT NULL, version TEXT NOT NULL, suite TEXT, suite_hash TEXT NOT NULL);
CREATE TABLE grading_source (
  grading INTEGER NOT NULL, seq INTEGER NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
  text INTEGER REFERENCES text, PRIMARY KEY (grading, seq)) WITHOUT ROWID;
)sql";

const char* const rate_views = R"sql(
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
)sql";

const char* const check_tables = R"sql(
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
)sql";

const char* const history_tables = R"sql(
CREATE TABLE commitment (
  id INTEGER PRIMARY KEY, created TEXT NOT NULL, version TEXT NOT NULL, epochs INTEGER NOT NULL, cells TEXT NOT NULL,
  models TEXT NOT NULL, first_episode INTEGER NOT NULL);
)sql";

const char* const judgement_tables = R"sql(
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
)sql";

const char* const choice_tables = R"sql(
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
)sql";

const char* const card_column = "ALTER TABLE model ADD COLUMN card TEXT";

void create_schema(Database& db) {
  db.run(tables);
  db.run(views);
  db.run(grading_tables);
  db.run(rate_views);
  db.run(check_tables);
  db.run(history_tables);
  db.run(judgement_tables);
  db.run(choice_tables);
  db.run(card_column);
  db.run(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", application_id, schema_version).c_str());
}

Result<FileState> look_at(const std::string& path) {
  if (path.empty()) return Error{"A run file needs a name."};
  if (path.find('\0') != std::string::npos) return Error{"The name of a run file cannot hold a zero byte."};
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return FileState::missing;
    return Error{fmt::format("{} cannot be opened: {}.", path, std::strerror(errno))};
  }
  if (S_ISDIR(status.st_mode)) return Error{fmt::format("{} is a folder, not a run file.", path)};
  if (!S_ISREG(status.st_mode)) return Error{fmt::format("{} is not a regular file, so it is no run file.", path)};
  if (status.st_size == 0) return FileState::empty;

  char head[16] = {};
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{fmt::format("{} cannot be opened: {}.", path, std::strerror(errno))};
  file.read(head, sizeof head);
  if (std::memcmp(head, "SQLite format 3", sizeof head) != 0)
    return Error{fmt::format("{} is not a run file of assay.", path)};
  return FileState::database;
}

Result<Identity> identify(Database& db, const std::string& path) {
  int64_t application = 0, version = 0, tables_there = 0;
  Statement ask(db,
                "SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema) "
                "FROM pragma_application_id AS a, pragma_user_version AS v");
  if (ask.row()) {
    application = ask.integer(0);
    version = ask.integer(1);
    tables_there = ask.integer(2);
  }
  if (!db.ok()) return damaged(path, db);
  if (application == 0 && version == 0 && tables_there == 0) return Identity{.blank = true};
  if (application != application_id)
    return Error{fmt::format("{} is an SQLite database, but not a run file of assay.", path)};
  if (version > schema_version)
    return Error{fmt::format(
        "{} was written by a newer assay (its schema is {}, this one reads up to {}). Update assay to go on "
        "with it.",
        path, version, schema_version)};
  if (version < 1) return damaged(path, fmt::format("its schema is {}", version));
  return Identity{.version = static_cast<int>(version)};
}

Error damaged(const std::string& path, const Database& db) {
  switch (db.code()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Error{fmt::format("{} is in use by another program; try again.", path)};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Error{fmt::format("{} cannot be opened ({}).", path, db.message())};
    case SQLITE_IOERR:
    case SQLITE_FULL: return Error{fmt::format("{} could not be read ({}).", path, db.message())};
    default: return damaged(path, db.message());
  }
}

Error damaged(const std::string& path, const std::string& what) {
  return Error{fmt::format("{} is damaged or was cut off: {}.", path, what)};
}

}  // namespace assay
