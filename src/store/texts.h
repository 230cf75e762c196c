// The table `text`: every text once, found by its XXH3-128, zstd-compressed where that is smaller.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/result.h"
#include "store/sqlite.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace assay {

// Texts short enough to gain nothing, and those that the views show, stay as they are.
enum class Keep {
  smallest,  // compressed where that saves at least a tenth of 128 bytes or more
  readable,  // as it is up to 4 KiB, so that SQL can show it
};

class TextWriter {
 public:
  explicit TextWriter(Database& db);
  ~TextWriter();
  // The id of `text`, which is stored if it is new; none for "". A text over largest_text fails the connection.
  std::optional<int64_t> put(std::string_view text, Keep keep = Keep::smallest);

 private:
  // Ids of texts met lately, so that what repeats costs no SQL. Two generations: what is asked for moves to the young
  // one, and when that is full the old one is dropped, so never more than twice `generation_size` are held (some 3
  // MB).
  static constexpr size_t generation_size = 25'000;
  using Known = std::unordered_map<Hash128, int64_t, Hash128Hasher>;
  void remember(const Hash128& hash, int64_t id);
  int64_t store(std::string_view text, std::string_view hash_bytes, Keep keep);

  Database& db_;
  Statement find_, insert_;
  Known young_, old_;
  std::string packed_;
  ZSTD_CCtx_s* context_;
};

class TextReader {
 public:
  explicit TextReader(Database& db);
  ~TextReader();
  // Nothing read from the file is believed: sizes are bounded before memory is taken.
  Result<std::string> get(int64_t id);

 private:
  Result<std::string> decode(int64_t size, bool zstd, std::string_view body);

  Database& db_;
  Statement find_;
  ZSTD_DCtx_s* context_;
};

}  // namespace assay
