// What a run file is to SQLite: its tables and views, how one is told from any other file, and the plain words for what
// can be wrong with it. docs/run_file.md describes the same tables to people who use SQL.
#pragma once

#include <string>

#include "base/result.h"
#include "store/sqlite.h"

namespace assay {

inline constexpr int application_id = 0x61737379;  // "assy"; `file` and SQLite's own tools show it
inline constexpr int schema_version = 7;           // PRAGMA user_version; a larger one is refused, a smaller one read

// Larger texts are neither stored nor believed.
inline constexpr size_t largest_text = size_t{64} << 20;

// The kinds of `event`; the numbers are in files.
enum class EventKind { system = 0, user = 1, assistant = 2, tool = 3, action = 4, limit = 5, error = 6 };
// The bits of event.flags; the numbers are in files.
enum EventFlag { event_given = 1, event_prelude = 2, event_dispatched = 4, event_check = 8 };

// Makes all tables and views in an empty database, and marks it as a run file. Call it inside a transaction.
void create_schema(Database& db);
// What version 2 added to version 1, for create_schema and for migrations.cpp.
extern const char* const grading_tables;
extern const char* const rate_views;
// What version 3 added, and its v_events, which was another before.
extern const char* const check_tables;
// What version 4 added.
extern const char* const history_tables;
// What version 5 added.
extern const char* const judgement_tables;
// What version 6 added.
extern const char* const choice_tables;
// What version 7 added: a column, which SQLite writes behind the others as the table above does.
extern const char* const card_column;

// Looks at a path before anything opens it: missing, a folder, or something that SQLite did not write.
enum class FileState { missing, empty, database };
Result<FileState> look_at(const std::string& path);

// A database that was opened: a run file that this version reads, or the reason why not.
struct Identity {
  bool blank = false;            // nothing in it yet
  int version = schema_version;  // of its schema: 1 to schema_version
};
Result<Identity> identify(Database& db, const std::string& path);

// One sentence for an error that reading `path` met.
Error damaged(const std::string& path, const Database& db);
Error damaged(const std::string& path, const std::string& what);

}  // namespace assay
