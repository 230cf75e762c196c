// One writer per run file: an advisory lock (flock) on NAME.lock, held for the life of a FileLock.
//
// The kernel releases it when the process ends, however it ends, so a lock file left by a killed process bars nobody.
// The file is removed while the lock is still held. That alone would let two in (one who opened the old file just
// before it was removed, one who made a new one), so whoever gets the lock checks that the name still leads to the file
// that was locked, and tries again where it does not.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace assay {

class FileLock {
 public:
  // Refused where another holder has it (the message names its process, and ends with `instead`: what the user may do)
  // and where the lock file cannot be made.
  static Result<std::unique_ptr<FileLock>> take(const std::string& path, const char* instead);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  FileLock(std::string name, int file) : name_(std::move(name)), file_(file) {}
  std::string name_;
  int file_;
};

}  // namespace assay
