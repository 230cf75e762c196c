#include "store/grade_writer.h"

#include <fmt/format.h>

#include <optional>

#include "store/episode_rows.h"
#include "store/grading.h"
#include "store/migrations.h"
#include "store/writable.h"

namespace assay {
namespace {

class Writer final : public GradeWriter {
 public:
  Writer(std::string path, Writable file, std::unique_ptr<RunReader> run)
      : path_(std::move(path)), file_(std::move(file)), run_(std::move(run)) {}

  const RunReader& run() const override { return *run_; }

  Result<Changes> replace(const Grading& grading, const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                          const std::function<bool(int64_t)>& go_on) override {
    run_.reset();  // another connection would keep the finished file from becoming one
    Database& db = file_.db;
    begin_log(db);
    db.run("BEGIN IMMEDIATE");
    migrate(db, file_.identity.version);
    Result<Changes> changes = grade_all(grade, go_on);
    if (changes) write_grading(db, grading);
    if (changes && !db.ok()) changes = unfinished();
    db.forget_error();
    db.run(changes ? "COMMIT" : "ROLLBACK");
    if (changes && !db.ok()) changes = unfinished();
    db.forget_error();
    if (db.in_transaction())
      db.run("ROLLBACK");  // a commit that failed; an error of the disk has often done it already
    end_log(db);
    if (changes && (db.code() == SQLITE_FULL || db.code() == SQLITE_IOERR)) changes = unfinished();
    return changes;
  }

 private:
  Result<Changes> grade_all(const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                            const std::function<bool(int64_t)>& go_on) {
    Database& db = file_.db;
    EpisodeReader reader(db, path_, schema_version);
    EpisodeWriter writer(db);
    Statement episode(db, "SELECT id FROM episode ORDER BY id");
    Changes changes;
    while (episode.row()) {
      const int64_t id = episode.integer(0);
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
