// The bytes of one file, mapped or read.
//
// A plain file of a megabyte or more is mapped, so that only what is looked at is ever touched; anything else (small
// files, pipes, standard input that is no plain file) is read. A mapping follows its file: where the file is cut short
// while it is looked at, or its disk fails, the bytes that are gone read as 0 and `lost()` turns true; the process is
// not killed by SIGBUS. Bytes may also change under a reader's eyes, so whoever checks a number uses the very copy that
// it checked (`load` in objects.h).
//
//   Result<Bytes> file = Bytes::open("Main.olean");
//   if (!file) return file.error();          // "is a folder", "No such file or directory", ...
//   read_header(file->text());
//   if (file->lost()) ...                    // what was read is not to be believed
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace assay::olean {

struct ReadLimits {
  uint64_t most_read = uint64_t{4} << 30;  // bytes taken into memory of what cannot be mapped
  uint64_t map_from = 1 << 20;             // plain files from this size on are mapped (bytes)
};

class Bytes {
 public:
  // `path`, or standard input for "-". The errors are predicates without the file's name: "is a folder". What begins
  // like no .olean is not read to its end: its first bytes are enough to say what it is.
  static Result<Bytes> open(const std::string& path, const ReadLimits& limits = {});

  // A copy, for what is in memory already (tests, generators).
  static Bytes copy(std::string_view text);

  Bytes(Bytes&& other) noexcept;
  Bytes& operator=(Bytes&& other) noexcept;
  ~Bytes();

  // Begins at an address that is a multiple of 8; valid as long as this object is.
  std::string_view text() const { return {begin_, size_}; }
  bool mapped() const { return slot_ >= 0; }
  bool lost() const;

 private:
  Bytes() = default;
  static Result<Bytes> read(int file, uint64_t expected, const ReadLimits& limits);
  bool map(int file, uint64_t size);
  void release();

  std::unique_ptr<uint64_t[]> read_;  // of words, so that it is aligned
  const char* begin_ = nullptr;
  size_t size_ = 0;
  int file_ = -1;  // of a mapping, to see how long the file is now
  int slot_ = -1;  // of the mapping, in the table that the signal's handler reads
};

}  // namespace assay::olean
