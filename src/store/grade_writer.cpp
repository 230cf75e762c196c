#include "store/grade_writer.h"

#include <fmt/format.h>

#include <optional>

#include "store/episode_rows.h"
#include "store/grading.h"
#include "store/migrations.h"
#include "store/schema.h"
#include "store/writable.h"

namespace assay {
namespace {

class Writer final : public GradeWriter {
 public:
  Writer(std::string path, Writable file, std::unique_ptr<RunReader> run)
      : path_(std::move(path)), file_(std::move(file)), run_(std::move(run)) {}

  ~Writer() override {
    run_.reset();
    writer_.reset();  // its statements would hold the file open
    if (logging_) end_log(file_.db);
  }

  const RunReader& run() const override { return *run_; }

  Status put(const ModelEntry& judge, const std::vector<Answer>& answers) override {
    Database& db = file_.db;
    log();
    db.run("BEGIN IMMEDIATE");
    migrate(db, file_.identity.version);
    const int64_t row = judge_row(judge);
    if (!writer_) writer_.emplace(db);
    for (const Answer& answer : answers)
      if (db.ok()) writer_->put_judgement(answer.episode, answer.judgement, row);
    db.run("COMMIT");
    if (db.ok()) {
      file_.identity.version = schema_version;
      return Done{};
    }
    Error error{
        fmt::format("{} could not take the judge's answers ({}{}). It keeps those that it has; the same command "
                    "goes on from there.",
                    path_, db.message(), db.code() == SQLITE_IOERR ? "; is the disk full?" : ""),
        ErrorKind::unfinished};
    writer_.reset();
    db.forget_error();
    if (db.in_transaction()) db.run("ROLLBACK");
    return error;
  }

  Result<Changes> replace(const Grading& grading, const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                          const std::function<bool(int64_t)>& go_on) override {
    return at_once([&]() -> Result<Changes> {
      Statement episode(file_.db, "SELECT id FROM episode ORDER BY id");
      Result<Changes> changes =
          grade_all([&] { return episode.row() ? std::optional(episode.integer(0)) : std::nullopt; }, grade, go_on);
      if (changes) write_grading(file_.db, grading);
      return changes;
    });
  }

  Result<Changes> regrade(const std::vector<int64_t>& episodes,
                          const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                          const std::function<bool(int64_t)>& go_on) override {
    return at_once([&] {
      size_t next = 0;
      return grade_all([&] { return next < episodes.size() ? std::optional(episodes[next++]) : std::nullopt; }, grade,
                       go_on);
    });
  }

 private:
  void log() {
    if (!logging_) begin_log(file_.db);
    logging_ = true;
  }

  int64_t judge_row(const ModelEntry& judge) {
    Database& db = file_.db;
    const std::string settings = to_line(judge.settings);
    Statement(db, "INSERT OR IGNORE INTO judge (name, settings) VALUES (?1, ?2)").run(judge.id, settings);
    Statement find(db, "SELECT id FROM judge WHERE name = ?1 AND settings = ?2");
    find.bind(judge.id, settings);
    return find.row() ? find.integer(0) : 0;
  }

  // Runs `grade` in a transaction that leaves the file as it was where something goes wrong.
  template <class Grade>
  Result<Changes> at_once(Grade grade) {
    run_.reset();  // another connection would keep the finished file from becoming one
    writer_.reset();
    Database& db = file_.db;
    log();
    db.run("BEGIN IMMEDIATE");
    migrate(db, file_.identity.version);
    Result<Changes> changes = grade();
    if (changes && !db.ok()) changes = unfinished();
    db.forget_error();
    db.run(changes ? "COMMIT" : "ROLLBACK");
    if (changes && !db.ok()) changes = unfinished();
    db.forget_error();
    if (db.in_transaction())
      db.run("ROLLBACK");  // a commit that failed; an error of the disk has often done it already
    end_log(db);
    logging_ = false;
    if (changes && (db.code() == SQLITE_FULL || db.code() == SQLITE_IOERR)) changes = unfinished();
    return changes;
  }

  Result<Changes> grade_all(const std::function<std::optional<int64_t>()>& next,
                            const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                            const std::function<bool(int64_t)>& go_on) {
    Database& db = file_.db;
    EpisodeReader reader(db, path_, schema_version);
    EpisodeWriter writer(db);
    Changes changes;
    while (const std::optional<int64_t> episode = next()) {
      const int64_t id = *episode;
      Result<EpisodeRecord> record = reader.get(id);
      if (!record) return db.ok() ? record.error() : unfinished();
      Result<Grades> grades = grade(*record);
      if (!grades) return grades.error();
      const Grades& old = record->grades;
      const bool acts = grades->acts != old.acts || grades->open_questions != old.open_questions;
      const bool verdicts = grades->verdicts != old.verdicts;
      const bool checks = grades->check != old.check;
      if (acts || verdicts || checks) writer.replace_grades(id, *grades);
      ++changes.episodes;
      changes.acts += acts;
      changes.verdicts += verdicts;
      changes.checks += checks;
      if (!go_on(changes.episodes))
        return Error{fmt::format("Stopped after {} episodes: {} holds the grades that it held. The same command begins "
                                 "again.",
                                 changes.episodes, path_),
                     ErrorKind::unfinished};
    }
    if (!db.ok()) return unfinished();
    return changes;
  }

  Error unfinished() const {
    return {
        fmt::format("{} could not be graded ({}{}). It holds the grades that it held; the same command begins again.",
                    path_, file_.db.message(), file_.db.code() == SQLITE_IOERR ? "; is the disk full?" : ""),
        ErrorKind::unfinished};
  }

  const std::string path_;
  Writable file_;
  std::unique_ptr<RunReader> run_;
  std::optional<EpisodeWriter> writer_;  // of judgements
  bool logging_ = false;                 // readers do not wait; undone at the end
};

}  // namespace

Result<std::unique_ptr<GradeWriter>> GradeWriter::open(const std::string& path) {
  if (Result<FileState> state = look_at(path); !state)
    return state.error();
  else if (*state != FileState::database)  // a reader has the words for it, and makes no file
    return Error{RunReader::open(path).error()};
  Result<Writable> file = open_to_write(path, "Wait for it.");
  if (!file) return file.error();
  Result<std::unique_ptr<RunReader>> run = RunReader::open(path);
  if (!run) return run.error();
  return std::unique_ptr<GradeWriter>(new Writer(path, *std::move(file), *std::move(run)));
}

}  // namespace assay
