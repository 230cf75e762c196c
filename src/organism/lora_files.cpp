#include "organism/lora_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/hash.h"
#include "base/text.h"

namespace assay::lora {
namespace {

constexpr std::string_view magic = "assay LoRA checkpoint 1\n";

// "" or why not.
std::string written(const std::string& path, std::string_view bytes, int flags) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  if (file < 0) return std::strerror(errno);
  std::string why;
  while (why.empty() && !bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n >= 0)
      bytes.remove_prefix(static_cast<size_t>(n));
    else if (errno != EINTR)
      why = std::strerror(errno);
  }
  if (why.empty() && ::fsync(file) != 0 && errno != EINVAL) why = std::strerror(errno);  // EINVAL: a device
  if (::close(file) != 0 && why.empty()) why = std::strerror(errno);
  return why;
}

void put(std::string& to, const void* from, size_t size) { to.append(static_cast<const char*>(from), size); }

void put(std::string& to, const std::vector<float>& numbers) {
  const uint64_t n = numbers.size();
  put(to, &n, sizeof n);
  put(to, numbers.data(), n * sizeof(float));
}

// Takes from the front; false where there is not as much.
bool take(std::string_view& from, void* to, size_t size) {
  if (from.size() < size) return false;
  if (size > 0) std::memcpy(to, from.data(), size);
  from.remove_prefix(size);
  return true;
}

bool take(std::string_view& from, std::vector<float>& numbers) {
  uint64_t n = 0;
  if (!take(from, &n, sizeof n) || n > from.size() / sizeof(float)) return false;
  numbers.resize(n);
  return take(from, numbers.data(), n * sizeof(float));
}

}  // namespace

Status write_whole(const std::string& path, std::string_view bytes) {
  struct stat info{};
  const bool device = ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
  const std::string beside = device ? path : path + ".part";
  std::string why = written(beside, bytes, device ? 0 : O_CREAT | O_TRUNC);
  if (why.empty() && !device && std::rename(beside.c_str(), path.c_str()) != 0) why = std::strerror(errno);
  if (why.empty()) return Done{};
  if (!device) ::unlink(beside.c_str());
  return Error{fmt::format("{} could not be written: {}.", for_terminal(path), why), ErrorKind::unfinished};
}

Result<std::string> read_whole(const std::string& path) {
  std::error_code failed;
  std::ifstream file(path, std::ios::binary);
  if (!file || !std::filesystem::is_regular_file(path, failed))
    return Error{fmt::format("{} cannot be read: there is no such file.", for_terminal(path))};
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return Error{fmt::format("{} cannot be read.", for_terminal(path))};
  return bytes;
}

std::string Checkpoint::bytes() const {
  std::string to(magic);
  const uint64_t length = made_for.size();
  put(to, &length, sizeof length);
  to += made_for;
  put(to, &steps, sizeof steps);
  put(to, &tokens, sizeof tokens);
  to += gathered ? '\1' : '\0';
  for (const auto* numbers : {&values, &first, &second, &gradient}) put(to, *numbers);
  const Hash128 hash = hash128(to);
  put(to, &hash.high, sizeof hash.high);
  put(to, &hash.low, sizeof hash.low);
  return to;
}

Result<Checkpoint> Checkpoint::read(std::string_view from) {
  constexpr size_t hashed = 2 * sizeof(uint64_t);
  if (!from.starts_with(magic)) return Error{"is no checkpoint of a training"};
  const Error damaged{"is a checkpoint that is damaged or cut off"};
  if (from.size() < magic.size() + hashed) return damaged;
  std::string_view end = from.substr(from.size() - hashed);
  from.remove_suffix(hashed);
  Hash128 hash;
  take(end, &hash.high, sizeof hash.high);
  take(end, &hash.low, sizeof hash.low);
  if (hash != hash128(from)) return damaged;

  from.remove_prefix(magic.size());
  Checkpoint c;
  uint64_t length = 0;
  if (!take(from, &length, sizeof length) || length > from.size()) return damaged;
  c.made_for = from.substr(0, length);
  from.remove_prefix(length);
  char gathered = 0;
  if (!take(from, &c.steps, sizeof c.steps) || !take(from, &c.tokens, sizeof c.tokens) || !take(from, &gathered, 1))
    return damaged;
  c.gathered = gathered != 0;
  for (auto* numbers : {&c.values, &c.first, &c.second, &c.gradient})
    if (!take(from, *numbers)) return damaged;
  if (!from.empty()) return damaged;
  return c;
}

}  // namespace assay::lora
