#include "store/writable.h"

#include <fmt/format.h>

namespace assay {
namespace {

// How long the store waits for someone else who holds the database, mostly a person with an SQL shell.
constexpr int patience_ms = 10'000;

}  // namespace

Result<Writable> open_to_write(const std::string& path, const char* instead) {
  Result<FileState> state = look_at(path);
  if (!state) return state.error();
  Result<std::unique_ptr<FileLock>> lock = FileLock::take(path, instead);
  if (!lock) return lock.error();
  Database db = Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!db.ok()) return damaged(path, db);
  sqlite3_busy_timeout(db.handle(), patience_ms);
  Result<Identity> identity = identify(db, path);
  if (!identity) return identity.error();
  if (sqlite3_db_readonly(db.handle(), "main") == 1) return Error{fmt::format("{} may not be written.", path)};
  return Writable{std::move(*lock), std::move(db), *identity};
}

void begin_log(Database& db) {
  db.run(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = "
      "-8192;");
}

void end_log(Database& db) {
  sqlite3_busy_timeout(db.handle(), 1000);
  db.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
}

}  // namespace assay
