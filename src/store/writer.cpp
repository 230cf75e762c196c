// RunWriter: opening or creating a run file, and the thread that stores what is appended, a group at a time.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <variant>

#include "base/text.h"
#include "store/choice_rows.h"
#include "store/differences.h"
#include "store/episode_rows.h"
#include "store/grading.h"
#include "store/growth.h"
#include "store/migrations.h"
#include "store/registration.h"
#include "store/run_file.h"
#include "store/writable.h"

namespace assay {
namespace {

// A transaction of 200 costs each episode a fifth of what one of its own would; larger ones win nothing more.
constexpr size_t group_size = 200;
constexpr size_t queue_size = 2 * group_size;
constexpr std::chrono::milliseconds longest_wait{500};

class Writer final : public RunWriter {
 public:
  Writer(std::string path, Writable file, EpisodeSet present, EpisodeSet choices, Grading grading, int64_t added_cells)
      : path_(std::move(path)),
        lock_(std::move(file.lock)),
        db_(std::move(file.db)),
        present_(std::move(present)),
        present_choices_(std::move(choices)),
        grading_(std::move(grading)),
        added_cells_(added_cells) {
    thread_ = std::thread([this] { store(); });
  }
  ~Writer() override { (void)finish(); }

  const EpisodeSet& present() const override { return present_; }
  const EpisodeSet& present_choices() const override { return present_choices_; }
  const Grading& grading() const override { return grading_; }
  int64_t added_cells() const override { return added_cells_; }
  bool failed() const override { return failed_; }

  void append(EpisodeRecord record) override { queue(std::move(record)); }
  void append(ChoiceRecord record) override { queue(std::move(record)); }

  Status finish() override {
    if (!thread_.joinable()) return outcome_;
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    work_.notify_one();
    thread_.join();
    // From here on this is the only thread.
    if (outcome_) tidy();
    forget_writers();
    db_.reset();
    lock_.reset();
    return outcome_;
  }

 private:
  using Record = std::variant<EpisodeRecord, ChoiceRecord>;

  void queue(Record record) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return queue_.size() < queue_size || failed_; });
    if (failed_) return;
    if (queue_.empty()) oldest_ = std::chrono::steady_clock::now();
    queue_.push_back(std::move(record));
    if (queue_.size() == 1 || queue_.size() == group_size) work_.notify_one();
  }

  // The store thread: takes what is queued once a group is full, or its first episode has waited long enough.
  void store() {
    writer_ = std::make_unique<EpisodeWriter>(*db_);
    choices_ = std::make_unique<ChoiceWriter>(*db_);
    std::vector<Record> group;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [this] { return closing_ || !queue_.empty(); });
        work_.wait_until(lock, oldest_ + longest_wait, [this] { return closing_ || queue_.size() >= group_size; });
        if (queue_.empty()) return;
        group.swap(queue_);
      }
      room_.notify_all();
      const bool stored = store_group(group);
      group.clear();
      if (!stored) {
        std::lock_guard lock(mutex_);
        failed_ = true;
        queue_.clear();
        room_.notify_all();
        return;
      }
    }
  }

  bool store_group(const std::vector<Record>& group) {
    Database& db = *db_;
    db.run("BEGIN IMMEDIATE");
    int64_t episodes = 0;
    for (const Record& record : group) {
      if (!db.ok()) break;
      if (const auto* episode = std::get_if<EpisodeRecord>(&record))
        writer_->put(*episode), ++episodes;
      else
        choices_->put(std::get<ChoiceRecord>(record));
    }
    db.run("COMMIT");
    if (db.ok()) {
      stored_ += static_cast<size_t>(episodes);
      return true;
    }
    outcome_ = unfinished();
    db.forget_error();
    if (db.in_transaction()) db.run("ROLLBACK");  // an error of the disk has often rolled it back already
    return false;
  }

  Error unfinished() const {
    std::string why;
    switch (db_->code()) {
      case SQLITE_FULL: why = fmt::format("The disk is full: {} could not be written any further", path_); break;
      case SQLITE_IOERR:
        why = fmt::format("{} could not be written any further ({}; is the disk full?)", path_, db_->message());
        break;
      case SQLITE_BUSY:
        why = fmt::format("Another program kept {} locked, so it could not be written any further", path_);
        break;
      case SQLITE_TOOBIG:
        why =
            fmt::format("An episode holds a text of more than {} MiB, which {} cannot take", largest_text >> 20, path_);
        break;
      default: why = fmt::format("{} could not be written any further ({})", path_, db_->message());
    }
    return {fmt::format("{}. The {} episodes stored in it are kept, and the same command goes on from there.", why,
                        present_.size() + stored_),
            ErrorKind::unfinished};
  }

  void forget_writers() {
    writer_.reset();
    choices_.reset();
  }

  void tidy() {
    forget_writers();  // their statements would hold the file open
    end_log(*db_);
    if (db_->code() == SQLITE_FULL || db_->code() == SQLITE_IOERR) outcome_ = unfinished();
  }

  // Constant while the thread runs.
  const std::string path_;
  std::unique_ptr<FileLock> lock_;

  // Of the store thread; of finish() after it has ended.
  std::optional<Database> db_;
  std::unique_ptr<EpisodeWriter> writer_;
  std::unique_ptr<ChoiceWriter> choices_;
  Status outcome_ = Done{};
  size_t stored_ = 0;

  // Of the caller's thread, but read by the other: never changed.
  const EpisodeSet present_, present_choices_;
  const Grading grading_;
  const int64_t added_cells_;
  std::thread thread_;

  // Between the two, under mutex_ (failed_ may be read without it).
  std::mutex mutex_;
  std::condition_variable work_, room_;
  std::vector<Record> queue_;
  std::chrono::steady_clock::time_point oldest_;  // when the first of the queue came
  bool closing_ = false;
  std::atomic<bool> failed_ = false;
};

Error refused(const std::string& path, const std::vector<std::string>& differences) {
  return {fmt::format("{} was registered for another run, and is left as it is:\n  {}\nName a new file with -o.", path,
                      joined(differences, "\n  "))};
}

// What a command adds to the run that a file holds.
struct Extension {
  Design design;      // what the whole run comes to
  int64_t cells = 0;  // new ones
  bool any = false;   // more epochs, cells or models
};

// The extension; or what the file says against going on with it.
Result<Extension> compare(Database& db, const std::string& path, int version, const Registration& registration,
                          const std::vector<ModelEntry>& models) {
  Result<Registration> file = read_registration(db, path, version);
  if (!file) return file.error();
  Result<std::vector<ModelEntry>> there = read_models(db, path, version);
  if (!there) return there.error();
  std::vector<std::string> lines = differences(*file, registration);
  Extension extension{.design = file->design};
  for (const ModelEntry& model : models) {
    auto known = std::ranges::find(*there, model.id, &ModelEntry::id);
    if (known == there->end()) {
      extension.any = true;
      continue;
    }
    for (std::string& line : differences(*known, model)) lines.push_back(std::move(line));
  }
  if (!lines.empty()) return refused(path, lines);

  if (registration.design.epochs > file->design.epochs) {
    extension.design.epochs = registration.design.epochs;
    extension.any = true;
  }
  if (registration.design.cells != file->design.cells) {
    Result<Growth> growth = growth_of(*file, registration);  // differences() has asked it, too, and left nothing out
    if (!growth) return growth.error();
    extension.cells = growth->added;
    if (growth->added > 0) {
      extension.design.cells = registration.design.cells;
      extension.any = true;
    }
  }
  return extension;
}

// New episodes are graded by the registered rules, so the others must be, too: acts of two sets of rules are not to be
// counted together.
Error graded_otherwise(const std::string& path, const Grading& grading) {
  std::vector<std::string> by;
  if (grading.folder) by.push_back(*grading.folder);
  if (grading.acts) by.push_back(grading.acts->name);
  return {
      fmt::format("{} was graded again by other rules than those registered ({}, {}), so new episodes would not "
                  "fit. Return to the registered rules with: assay grade {}; or name a new file with -o.",
                  path, joined(by, " and "), grading.created, path)};
}

// Registers a new run; or brings a known one up to date, and adds the epochs, cells and models that it did not have.
void register_run(Database& db, const Identity& identity, const Registration& registration, const Extension& extension,
                  const std::vector<ModelEntry>& models) {
  db.run("BEGIN IMMEDIATE");
  if (identity.blank) {
    create_schema(db);
    write_registration(db, registration, models);
  } else {
    migrate(db, identity.version);
    if (extension.any) write_extension(db, extension.design, registration, models);
  }
  Statement known(db, "SELECT 1 FROM model WHERE name = ?1");
  for (const ModelEntry& model : models) {
    known.bind(model.id);
    const bool there = known.row();
    known.reset();
    if (!there) add_model(db, model);
  }
  db.run("COMMIT");
}

// `table`: episode or choice.
EpisodeSet stored_keys(Database& db, const char* table) {
  EpisodeSet keys;
  Statement row(db, fmt::format("SELECT scenario, cell.cell, epoch, model.name FROM {0} "
                                "JOIN cell ON cell.id = {0}.cell JOIN model ON model.id = {0}.model",
                                table)
                        .c_str());
  while (row.row()) keys.add({row.string(0), row.integer(1), static_cast<int>(row.integer(2)), row.string(3)});
  keys.seal();
  return keys;
}

}  // namespace

Result<std::unique_ptr<RunWriter>> RunWriter::open(const std::string& path, const Registration& registration,
                                                   const std::vector<ModelEntry>& models) {
  Result<Writable> file = open_to_write(path, "Wait for it, or name another file with -o.");
  if (!file) return file.error();
  Database& db = file->db;

  // Until here, and while the two are compared, nothing is changed.
  Grading grading;
  Extension extension;
  if (!file->identity.blank) {
    Result<Extension> found = compare(db, path, file->identity.version, registration, models);
    if (!found) return found.error();
    extension = *std::move(found);
    Result<Grading> there = read_grading(db, path, file->identity.version);
    if (!there) return there.error();
    grading = *std::move(there);
    if (!grading.by_registered_rules(registration)) return graded_otherwise(path, grading);
  }

  begin_log(db);
  if (db.ok()) register_run(db, file->identity, registration, extension, models);
  if (!db.ok() && (db.code() == SQLITE_FULL || db.code() == SQLITE_IOERR))
    return Error{fmt::format("{} could not be written ({}; is the disk full?). The same command begins again.", path,
                             db.message()),
                 ErrorKind::unfinished};
  EpisodeSet present, choices;
  if (db.ok()) present = stored_keys(db, "episode");
  if (db.ok()) choices = stored_keys(db, "choice");
  if (!db.ok()) return damaged(path, db);
  return std::unique_ptr<RunWriter>(
      new Writer(path, *std::move(file), std::move(present), std::move(choices), std::move(grading), extension.cells));
}

}  // namespace assay
