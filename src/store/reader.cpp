// RunReader: a list of episodes without their words, and one episode whole. Opens read-only, beside a writer too.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <unordered_map>

#include "store/choice_rows.h"
#include "store/episode_rows.h"
#include "store/grading.h"
#include "store/registration.h"
#include "store/run_file.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/texts.h"

namespace assay {
namespace {

struct StoredCell {
  std::string scenario;
  int64_t index = 0;
  std::map<std::string, std::string> levels;
};

// Lists of parties repeat from row to row: each is parsed once (forgotten when there are too many to be what they
// seem).
class Names {
 public:
  const std::vector<std::string>* find(std::string_view json) {
    if (auto known = known_.find(std::string(json)); known != known_.end()) return &known->second;
    auto names = parse_names(json);
    if (!names) return nullptr;
    if (known_.size() >= 10'000) known_.clear();
    return &known_.emplace(json, std::move(*names)).first->second;
  }

 private:
  std::unordered_map<std::string, std::vector<std::string>> known_;
};

// So do the reasons of verdicts.
class Reasons {
 public:
  explicit Reasons(Database& db) : texts_(db) {}
  // The text lives until the next call.
  Result<const std::string*> find(int64_t id) {
    if (auto known = known_.find(id); known != known_.end()) return &known->second;
    Result<std::string> text = texts_.get(id);
    if (!text) return text.error();
    if (bytes_ > (size_t{16} << 20) || known_.size() >= 10'000) known_.clear(), bytes_ = 0;
    bytes_ += text->size();
    return &known_.emplace(id, *std::move(text)).first->second;
  }

 private:
  TextReader texts_;
  std::unordered_map<int64_t, std::string> known_;
  size_t bytes_ = 0;
};

// Ends the transaction that it began; none where one runs already (a visitor that reads a list itself).
class Snapshot {
 public:
  explicit Snapshot(Database& db) : db_(db), ours_(!db.in_transaction()) {
    if (ours_) db_.run("BEGIN");
  }
  ~Snapshot() {
    if (ours_ && db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Database& db_;
  bool ours_;
};

class Reader final : public RunReader {
 public:
  Reader(std::string path, Database db, Registration registration, std::vector<ModelEntry> models, Grading grading,
         int version)
      : path_(std::move(path)),
        db_(std::move(db)),
        registration_(std::move(registration)),
        models_(std::move(models)),
        grading_(std::move(grading)),
        version_(version),
        episode_reader_(db_, path_, version) {}

  // Whether the tables of episodes are what they should be.
  Status check() const { return db_.ok() ? Status(Done{}) : damaged(path_, db_); }

  const Registration& registration() const override { return registration_; }
  const std::vector<ModelEntry>& models() const override { return models_; }
  const Grading& grading() const override { return grading_; }

  std::vector<JudgeUse> judges() const override;
  int64_t episodes() const override {
    Statement count(db_, "SELECT count(*) FROM episode");
    return count.row() ? count.integer(0) : 0;
  }

  Status each_summary(const std::function<void(const EpisodeSummary&)>& visit) const override;
  Status each_choice(const std::function<void(const ChoiceRecord&)>& visit) const override {
    if (version_ < 6) return Done{};
    db_.forget_error();
    Snapshot snapshot(db_);
    return assay::each_choice(db_, path_, visit);
  }

  Result<EpisodeRecord> episode(int64_t id) const override {
    Result<EpisodeRecord> record = episode_reader_.get(id);
    db_.forget_error();  // one bad page does not hide the other episodes
    return record;
  }

 private:
  std::optional<Error> read_cells(std::unordered_map<int64_t, StoredCell>& cells) const;
  const std::string path_;
  mutable Database db_;
  const Registration registration_;
  const std::vector<ModelEntry> models_;
  const Grading grading_;
  const int version_;  // of the file's schema
  mutable EpisodeReader episode_reader_;
};

std::vector<JudgeUse> Reader::judges() const {
  std::vector<JudgeUse> found;
  if (version_ < 5) return found;
  Statement row(db_,
                "SELECT name, settings, count(*) FILTER (WHERE answer = 'yes'), count(*) FILTER (WHERE answer = 'no'), "
                "count(answer) FROM judge LEFT JOIN judgement ON judgement.judge = judge.id GROUP BY judge.id");
  while (row.row()) {
    Result<Json> settings = parse_json(row.bytes(1));
    const int64_t yes = row.integer(2), no = row.integer(3);
    if (row.integer(4) > 0)  // all answers of others may have been replaced
      found.push_back(
          {{row.string(0), settings ? *std::move(settings) : Json(), {}}, yes, no, row.integer(4) - yes - no});
  }
  return found;
}

std::optional<Error> Reader::read_cells(std::unordered_map<int64_t, StoredCell>& cells) const {
  Statement row(db_, "SELECT id, scenario, cell, levels FROM cell");
  while (row.row()) {
    auto levels = parse_levels(row.bytes(3));
    if (!levels) return damaged(path_, fmt::format("the levels of cell {} cannot be read", row.integer(0)));
    cells[row.integer(0)] = {row.string(1), row.integer(2), std::move(*levels)};
  }
  return std::nullopt;
}

// Scans that are each in order of the episode walk side by side: an episode's acts are the next rows of theirs.
Status Reader::each_summary(const std::function<void(const EpisodeSummary&)>& visit) const {
  db_.forget_error();
  Snapshot snapshot(db_);
  std::unordered_map<int64_t, StoredCell> cells;
  if (auto error = read_cells(cells)) return *error;
  std::unordered_map<int64_t, std::string> models;
  Statement model(db_, "SELECT id, name FROM model");
  while (model.row()) models[model.integer(0)] = model.string(1);

  Statement episode(
      db_,
      "SELECT id, cell, epoch, model, outcome, played_agent, turns, prose, malformed, calls FROM episode ORDER BY id");
  Statement act(db_, "SELECT episode, name, kind, how_far, wrongs, decided_by, action FROM act ORDER BY episode, seq");
  Statement verdict(db_, "SELECT episode, code, verdict, wronged, reason FROM verdict ORDER BY episode, seq");
  Reasons reasons(db_);
  Names names;
  Statement question(db_, "SELECT episode, act FROM open_question ORDER BY episode, seq");
  Statement check(db_, version_ < 3 ? "SELECT 0 WHERE 0"
                                    : "SELECT episode, factor, expected, answered FROM check_answer ORDER BY episode");
  bool more_acts = act.row(), more_verdicts = verdict.row(), more_questions = question.row(), more_checks = check.row();
  EpisodeSummary summary;
  auto wrong = [&](std::string_view what) { return damaged(path_, fmt::format("episode {}: {}", summary.id, what)); };

  while (episode.row()) {
    summary.id = episode.integer(0);
    auto cell = cells.find(episode.integer(1));
    auto model_name = models.find(episode.integer(3));
    if (cell == cells.end() || model_name == models.end()) return wrong("its cell or its model is missing");
    summary.scenario = cell->second.scenario;
    summary.cell = cell->second.index;
    summary.levels = cell->second.levels;
    summary.epoch = static_cast<int>(episode.integer(2));
    summary.model = model_name->second;
    summary.outcome = episode.bytes(4);
    summary.played_agent = episode.bytes(5);
    summary.turns = static_cast<int>(episode.integer(6));
    summary.prose = static_cast<int>(episode.integer(7));
    summary.malformed = static_cast<int>(episode.integer(8));
    summary.calls = static_cast<int>(episode.integer(9));

    summary.acts.clear();
    while (more_acts && act.integer(0) < summary.id) more_acts = act.row();  // rows of no episode
    for (; more_acts && act.integer(0) == summary.id; more_acts = act.row()) {
      auto how_far = how_far_named(act.bytes(3));
      auto wrongs = names.find(act.bytes(4));
      auto decided = decided_by_named(act.bytes(5));
      if (!how_far || !wrongs || !decided) return wrong("an act is not stored as one");
      summary.acts.push_back({.name = act.string(1),
                              .kind = act.string(2),
                              .how_far = *how_far,
                              .wrongs = *wrongs,
                              .decided = *decided,
                              .action = static_cast<int>(act.integer(6))});
    }

    summary.open_questions.clear();
    while (more_questions && question.integer(0) < summary.id) more_questions = question.row();
    for (; more_questions && question.integer(0) == summary.id; more_questions = question.row())
      summary.open_questions.push_back(question.string(1));

    summary.check.reset();
    while (more_checks && check.integer(0) < summary.id) more_checks = check.row();
    if (more_checks && check.integer(0) == summary.id) {
      summary.check = check_answer_of(check.bytes(1), check.bytes(2), check.bytes(3));
      if (!summary.check) return wrong("the answer to its check is none that this version knows");
      more_checks = check.row();
    }

    summary.verdicts.clear();
    while (more_verdicts && verdict.integer(0) < summary.id) more_verdicts = verdict.row();
    for (; more_verdicts && verdict.integer(0) == summary.id; more_verdicts = verdict.row()) {
      auto value = verdict_named(verdict.string(2));
      auto wronged = names.find(verdict.bytes(3));
      if (!value || !wronged) return wrong("a verdict is not stored as one");
      std::string reason;
      if (!verdict.null(4)) {
        Result<const std::string*> text = reasons.find(verdict.integer(4));
        if (!text) return wrong("the reason of a verdict: " + text.error().text);
        reason = **text;
      }
      summary.verdicts.push_back(
          {.code = verdict.string(1), .verdict = *value, .reason = std::move(reason), .wronged = *wronged});
    }
    visit(summary);
  }
  if (!db_.ok()) return damaged(path_, db_);
  return Done{};
}

// A file in WAL mode needs a file of shared memory beside it, which cannot be made in a folder that may not be written.
// Where there is no log with anything in it, the database alone is the whole truth, and nobody can be writing to it.
bool only_the_file_counts(const std::string& path) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(path + "-wal", missing);
  return missing || size == 0;
}

}  // namespace

const Grading& RunReader::grading() const {
  static const Grading by_the_run;
  return by_the_run;
}

Result<std::unique_ptr<RunReader>> RunReader::open(const std::string& path) {
  Result<FileState> state = look_at(path);
  if (!state) return state.error();
  if (*state == FileState::missing) return Error{fmt::format("There is no file {}.", path)};
  if (*state == FileState::empty) return Error{fmt::format("{} is empty; it holds no run.", path)};

  Database db = Database::open(path, SQLITE_OPEN_READONLY);
  if (db.ok()) {
    sqlite3_busy_timeout(db.handle(), 5000);
    Statement probe(db, "SELECT count(*) FROM sqlite_schema");
    probe.row();
  }
  if ((db.code() == SQLITE_CANTOPEN || db.code() == SQLITE_READONLY) && only_the_file_counts(path))
    db = Database::open_immutable(path);
  if (!db.ok()) return damaged(path, db);
  Result<Identity> identity = identify(db, path);
  if (!identity) return identity.error();
  if (identity->blank) return Error{fmt::format("{} is empty; it holds no run.", path)};

  Result<Registration> registration = read_registration(db, path, identity->version);
  if (!registration) return registration.error();
  Result<std::vector<ModelEntry>> models = read_models(db, path, identity->version);
  if (!models) return models.error();
  Result<Grading> grading = read_grading(db, path, identity->version);
  if (!grading) return grading.error();
  auto reader = std::make_unique<Reader>(path, std::move(db), std::move(*registration), std::move(*models),
                                         std::move(*grading), identity->version);
  if (Status whole = reader->check(); !whole) return whole.error();
  return std::unique_ptr<RunReader>(std::move(reader));
}

}  // namespace assay
