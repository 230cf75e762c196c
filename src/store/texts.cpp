#include "store/texts.h"

#include <fmt/format.h>
#include <zstd.h>

#include <cstring>

#include "store/schema.h"

namespace assay {
namespace {

constexpr size_t readable_size = 4096;
constexpr size_t smallest_compressed = 128;

}  // namespace

TextWriter::TextWriter(Database& db)
    : db_(db),
      find_(db, "SELECT id FROM text WHERE hash = ?1"),
      insert_(db, "INSERT INTO text (hash, size, zstd, body) VALUES (?1, ?2, ?3, ?4)"),
      context_(ZSTD_createCCtx()) {}

TextWriter::~TextWriter() { ZSTD_freeCCtx(context_); }

std::optional<int64_t> TextWriter::put(std::string_view text, Keep keep) {
  if (text.empty() || !db_.ok()) return std::nullopt;
  const Hash128 hash = hash128(text);
  if (auto known = young_.find(hash); known != young_.end()) return known->second;
  if (auto known = old_.find(hash); known != old_.end()) {
    remember(hash, known->second);
    return known->second;
  }
  char hash_bytes[16];
  std::memcpy(hash_bytes, &hash.high, 8);
  std::memcpy(hash_bytes + 8, &hash.low, 8);
  const std::string_view address(hash_bytes, sizeof hash_bytes);

  find_.bind(Blob{address});
  int64_t id = 0;
  if (find_.row()) {
    id = find_.integer(0);
    find_.reset();
  } else {
    id = store(text, address, keep);
  }
  if (!db_.ok()) return std::nullopt;
  remember(hash, id);
  return id;
}

int64_t TextWriter::store(std::string_view text, std::string_view hash_bytes, Keep keep) {
  if (text.size() > largest_text) {
    db_.fail(SQLITE_TOOBIG);
    return 0;
  }
  const bool try_zstd = text.size() >= smallest_compressed && !(keep == Keep::readable && text.size() <= readable_size);
  if (try_zstd) {
    packed_.resize(ZSTD_compressBound(text.size()));
    size_t size = ZSTD_compressCCtx(context_, packed_.data(), packed_.size(), text.data(), text.size(), 1);
    if (!ZSTD_isError(size) && size < text.size() - text.size() / 10) {
      insert_.run(Blob{hash_bytes}, text.size(), true, Blob{std::string_view(packed_).substr(0, size)});
      return db_.last_id();
    }
  }
  // As TEXT, not BLOB, so that LIKE and the JSON functions of SQL work on it; SQLite keeps any bytes.
  insert_.run(Blob{hash_bytes}, text.size(), false, text);
  return db_.last_id();
}

void TextWriter::remember(const Hash128& hash, int64_t id) {
  if (young_.size() >= generation_size) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(hash, id);
}

TextReader::TextReader(Database& db)
    : db_(db), find_(db, "SELECT size, zstd, body FROM text WHERE id = ?1"), context_(ZSTD_createDCtx()) {}

TextReader::~TextReader() { ZSTD_freeDCtx(context_); }

Result<std::string> TextReader::get(int64_t id) {
  find_.bind(id);
  if (!find_.row()) return Error{db_.ok() ? fmt::format("text {} is missing", id) : db_.message()};
  Result<std::string> text = decode(find_.integer(0), find_.integer(1) != 0, find_.bytes(2));
  find_.reset();
  if (!text) return Error{fmt::format("text {} {}", id, text.error().text)};
  return text;
}

Result<std::string> TextReader::decode(int64_t size, bool zstd, std::string_view body) {
  if (size < 0 || static_cast<uint64_t>(size) > largest_text) return Error{"has a size that cannot be"};
  if (!zstd) {
    if (body.size() != static_cast<size_t>(size)) return Error{"is not as long as it should be"};
    return std::string(body);
  }
  if (ZSTD_getFrameContentSize(body.data(), body.size()) != static_cast<uint64_t>(size))
    return Error{"is not as long as it should be"};
  std::string text(static_cast<size_t>(size), '\0');
  size_t written = ZSTD_decompressDCtx(context_, text.data(), text.size(), body.data(), body.size());
  if (ZSTD_isError(written) || written != text.size()) return Error{"could not be decompressed"};
  return text;
}

}  // namespace assay
