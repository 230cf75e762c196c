// The little of SQLite that the run file needs, owned: a connection and its prepared statements.
//
// An error sticks to the connection. After the first one nothing more is executed, row() answers false, and ok() says
// so; a caller does its whole piece of work and asks once at the end:
//   Statement insert(db, "INSERT INTO act VALUES (?1, ?2)");
//   for (...) insert.run(episode, name);
//   if (!db.ok()) return Error{db.message()};
// One connection belongs to one thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace assay {

// Bytes that are bound as a BLOB; a plain string_view is bound as TEXT.
struct Blob {
  std::string_view bytes;
};

class Database {
 public:
  // `path` as the file system knows it, whatever characters it holds. `flags` are SQLITE_OPEN_*. Never null: ask ok().
  static Database open(const std::string& path, int flags);
  // Reads a file of which nobody writes, without any lock or file beside it.
  static Database open_immutable(const std::string& path);

  bool ok() const { return code_ == SQLITE_OK; }
  int code() const { return code_ & 0xff; }                // SQLITE_FULL, SQLITE_BUSY, ...; the first error
  const std::string& message() const { return message_; }  // SQLite's words for it
  void fail(int code);                                     // `code` was returned by the C API
  void forget_error();                                     // after a failure that is no harm

  // Executes one or more statements without results. False after an error.
  bool run(const char* sql);
  int64_t last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  int changes() const { return sqlite3_changes(handle_.get()); }
  bool in_transaction() const { return !sqlite3_get_autocommit(handle_.get()); }
  sqlite3* handle() const { return handle_.get(); }

 private:
  Database() = default;
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  int code_ = SQLITE_OK;
  std::string message_;
};

// A prepared statement. `db` must outlive it and stay where it is.
class Statement {
 public:
  Statement(Database& db, const char* sql);

  // Binds ?1, ?2, ... and begins anew. Strings and blobs are not copied: they must live until the last row was read.
  template <class... Values>
  Statement& bind(const Values&... values) {
    if (!statement_) return *this;
    sqlite3_reset(statement_.get());
    int place = 0;
    (bind_at(++place, values), ...);
    return *this;
  }
  // The next row; false at the end (which begins anew) and after an error.
  bool row();
  // Binds and executes a statement that gives no rows.
  template <class... Values>
  void run(const Values&... values) {
    bind(values...);
    while (row()) {
    }
  }
  void reset() { sqlite3_reset(statement_.get()); }

  // Columns of the row that row() found, from 0. A view lives until the next call of row().
  bool null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  double real(int column) const { return sqlite3_column_double(statement_.get(), column); }
  std::string_view bytes(int column) const;  // of TEXT and BLOB
  std::string string(int column) const { return std::string(bytes(column)); }

 private:
  void check(int code) {
    if (code != SQLITE_OK) db_.fail(code);
  }
  void bind_at(int place, std::nullptr_t) { check(sqlite3_bind_null(statement_.get(), place)); }
  void bind_at(int place, double value) { check(sqlite3_bind_double(statement_.get(), place, value)); }
  void bind_at(int place, std::string_view value) {
    check(sqlite3_bind_text64(statement_.get(), place, value.data() ? value.data() : "", value.size(), SQLITE_STATIC,
                              SQLITE_UTF8));
  }
  void bind_at(int place, const std::string& value) { bind_at(place, std::string_view(value)); }
  void bind_at(int place, const char* value) { bind_at(place, std::string_view(value)); }
  void bind_at(int place, const Blob& value) {
    check(sqlite3_bind_blob64(statement_.get(), place, value.bytes.data(), value.bytes.size(), SQLITE_STATIC));
  }
  template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
  void bind_at(int place, Integer value) {
    check(sqlite3_bind_int64(statement_.get(), place, static_cast<int64_t>(value)));
  }
  template <class T>
  void bind_at(int place, const std::optional<T>& value) {
    value ? bind_at(place, *value) : bind_at(place, nullptr);
  }

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Database& db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace assay
