#include "store/sqlite.h"

#include <fmt/format.h>

namespace assay {
namespace {

// SQLite gives some names a meaning of their own (":memory:", ""); a path that begins with a folder is always a file.
std::string as_file(const std::string& path) { return path.starts_with('/') ? path : "./" + path; }

std::string as_uri(const std::string& path) {
  std::string uri = "file:";
  for (unsigned char c : as_file(path))
    uri += std::isalnum(c) || c == '/' || c == '.' ? std::string(1, c) : fmt::format("%{:02X}", c);
  return uri;
}

}  // namespace

Database Database::open(const std::string& path, int flags) {
  Database db;
  sqlite3* handle = nullptr;
  const std::string name = flags & SQLITE_OPEN_URI ? path : as_file(path);
  int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  db.handle_.reset(handle);
  if (code != SQLITE_OK) db.fail(code);
  return db;
}

Database Database::open_immutable(const std::string& path) {
  return open(as_uri(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

void Database::fail(int code) {
  if (!ok()) return;
  code_ = code;
  message_ = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
}

void Database::forget_error() {
  code_ = SQLITE_OK;
  message_.clear();
}

bool Database::run(const char* sql) {
  if (!ok()) return false;
  if (int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
  return ok();
}

Statement::Statement(Database& db, const char* sql) : db_(db) {
  if (!db.ok()) return;
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v3(db.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  statement_.reset(statement);
}

bool Statement::row() {
  if (!db_.ok() || !statement_) return false;
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) db_.fail(code);
  sqlite3_reset(statement_.get());
  return false;
}

std::string_view Statement::bytes(int column) const {
  // The order matters: asking for the bytes first settles the type that the length is then counted in.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  size_t size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data ? std::string_view(static_cast<const char*>(data), size) : std::string_view();
}

}  // namespace assay
