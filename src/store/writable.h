// A run file opened to be written: nobody else writes to it, and what it is was looked at before anything is changed.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/lock.h"
#include "store/schema.h"
#include "store/sqlite.h"

namespace assay {

struct Writable {
  std::unique_ptr<FileLock> lock;
  Database db;
  Identity identity;
};

// Refused where another process writes to it (`instead`: what a user may do then), where it may not be written, and
// where it is no run file or a newer one. A file that is not there is made, blank.
Result<Writable> open_to_write(const std::string& path, const char* instead);

// From here on readers do not wait for the writer.
void begin_log(Database& db);

// Makes it one file that opens anywhere, on a read-only disk too: everything from the write-ahead log goes into it, and
// it leaves WAL mode. Where a reader is just looking, SQLite refuses; then the next writer does it. No statement of the
// connection may be left.
void end_log(Database& db);

}  // namespace assay
