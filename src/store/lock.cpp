#include "store/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace assay {
namespace {

// The process that the lock file names, as digits, or "" where it says nothing sensible.
std::string holder(int file) {
  char text[16] = {};
  ssize_t size = pread(file, text, sizeof text - 1, 0);
  std::string digits;
  for (ssize_t i = 0; i < size && std::isdigit(static_cast<unsigned char>(text[i])); ++i) digits += text[i];
  return digits;
}

bool leads_to(const std::string& name, int file) {
  struct stat named, opened;
  return stat(name.c_str(), &named) == 0 && fstat(file, &opened) == 0 && named.st_ino == opened.st_ino &&
         named.st_dev == opened.st_dev;
}

// A folder that is not there is the user's matter; the lock's own name would only puzzle.
Error cannot_make(const std::string& path, const std::string& name, int why) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::error_code failed;
  if (why == ENOENT && !folder.empty() && !std::filesystem::exists(folder, failed))
    return {fmt::format("{} cannot be written: there is no folder {}.", path, folder)};
  return {fmt::format("{} cannot be written: {}: {}.", path, name, std::strerror(why))};
}

}  // namespace

Result<std::unique_ptr<FileLock>> FileLock::take(const std::string& path, const char* instead) {
  const std::string name = path + ".lock";
  for (;;) {
    int file = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return cannot_make(path, name, errno);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      const std::string pid = holder(file);
      close(file);
      if (why == EINTR) continue;
      if (why != EWOULDBLOCK) return Error{fmt::format("{} cannot be locked: {}.", name, std::strerror(why))};
      return Error{fmt::format("{} is being written by another process{}. {}", path,
                               pid.empty() ? "" : " (process " + pid + ")", instead)};
    }
    if (leads_to(name, file)) {
      const std::string pid = fmt::format("{}\n", getpid());
      // Only a courtesy to whoever is refused: the lock holds without it, on a full disk too.
      if (ftruncate(file, 0) != 0 || pwrite(file, pid.data(), pid.size(), 0) < 0) errno = 0;
      return std::unique_ptr<FileLock>(new FileLock(name, file));
    }
    close(file);
  }
}

FileLock::~FileLock() {
  unlink(name_.c_str());
  close(file_);
}

}  // namespace assay
