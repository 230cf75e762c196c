#include "skill/olean/bytes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "skill/olean/header.h"
#include "skill/olean/words.h"

namespace assay::olean {
namespace {

// What is mapped at this moment. The handler of SIGBUS looks a fault up here and puts empty memory over what the file
// no longer has, from the fault to the mapping's end. mmap is no function that POSIX calls safe inside a handler; on
// Linux and the BSDs it is a system call and nothing else.
struct Slot {
  std::atomic<bool> taken = false;
  std::atomic<uintptr_t> begin = 0;  // 0: nothing here
  std::atomic<size_t> size = 0;
  std::atomic<bool> lost = false;
};
Slot slots[64];  // further files are read instead
uintptr_t page_size = 4096;
struct sigaction other_handler;

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto at = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Slot& slot : slots) {
    const uintptr_t begin = slot.begin.load();
    const size_t size = slot.size.load();
    if (begin == 0 || at < begin || at - begin >= size) continue;
    const uintptr_t page = at & ~(page_size - 1);
    void* empty = mmap(reinterpret_cast<void*>(page), begin + size - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (empty == MAP_FAILED) break;
    slot.lost.store(true);
    errno = error;
    return;
  }
  errno = error;
  if (other_handler.sa_flags & SA_SIGINFO) return other_handler.sa_sigaction(signal, info, context);
  if (other_handler.sa_handler != SIG_DFL && other_handler.sa_handler != SIG_IGN)
    return other_handler.sa_handler(signal);
  sigaction(SIGBUS, &other_handler, nullptr);  // none of ours: it happens again, and ends as it would have
}

void watch_bus_errors() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction ours{};
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = SA_SIGINFO;
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, &ours, &other_handler);
  });
}

const char* what_it_is_instead(mode_t mode) {
  if (S_ISDIR(mode)) return "is a folder";
  if (S_ISFIFO(mode)) return "is a pipe; '-' reads one from standard input";
  if (S_ISSOCK(mode)) return "is a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "is a device";
  return nullptr;
}

class Descriptor {
 public:
  Descriptor(int file, bool ours) : file_(file), ours_(ours) {}
  ~Descriptor() {
    if (ours_ && file_ >= 0) close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return file_; }

 private:
  int file_;
  bool ours_;
};

}  // namespace

Result<Bytes> Bytes::open(const std::string& path, const ReadLimits& limits) {
  const bool input = path == "-";
  // Not to wait for somebody to write into a pipe, O_NONBLOCK; on plain files it does nothing.
  const Descriptor file(input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
                        !input);
  struct stat about{};
  if (file < 0 || fstat(file, &about) != 0) return Error{std::strerror(errno)};
  const char* instead = what_it_is_instead(about.st_mode);
  if (instead && (!input || S_ISDIR(about.st_mode))) return Error{instead};

  const bool plain = S_ISREG(about.st_mode) && (!input || lseek(file, 0, SEEK_CUR) == 0);
  const auto size = plain && about.st_size > 0 ? static_cast<uint64_t>(about.st_size) : 0;
  if (size >= limits.map_from && size > 0) {
    Bytes mapped;
    if (mapped.map(file, size)) return mapped;
  }
  return read(file, size, limits);
}

Bytes Bytes::copy(std::string_view text) {
  Bytes out;
  out.read_ = std::make_unique_for_overwrite<uint64_t[]>(text.size() / 8 + 1);
  if (!text.empty()) std::memcpy(out.read_.get(), text.data(), text.size());
  out.begin_ = reinterpret_cast<const char*>(out.read_.get());
  out.size_ = text.size();
  return out;
}

// `expected`: the size where it is known, else 0.
Result<Bytes> Bytes::read(int file, uint64_t expected, const ReadLimits& limits) {
  if (expected > limits.most_read)
    return Error{words("has ", expected, " bytes and cannot be mapped; the limit for reading is ", limits.most_read)};
  constexpr size_t first = 64 << 10;
  size_t room = expected > 0 ? expected + 8 : first;  // more than expected, so that its end is met in one go
  Bytes out;
  out.read_ = std::make_unique_for_overwrite<uint64_t[]>(room / 8 + 1);
  for (;;) {
    if (out.size_ == room) {
      if (room >= limits.most_read)
        return Error{words("goes on beyond ", limits.most_read, " bytes, the limit for reading")};
      const size_t more = std::min<uint64_t>(room * 2, limits.most_read);
      auto larger = std::make_unique_for_overwrite<uint64_t[]>(more / 8 + 1);
      std::memcpy(larger.get(), out.read_.get(), out.size_);
      out.read_ = std::move(larger);
      room = more;
    }
    const ssize_t got = ::read(file, reinterpret_cast<char*>(out.read_.get()) + out.size_, room - out.size_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{words("could not be read: ", std::string_view(std::strerror(errno)))};
    if (got == 0) break;
    out.size_ += static_cast<size_t>(got);
    const auto begin = std::string_view(reinterpret_cast<const char*>(out.read_.get()), out.size_);
    if (out.size_ >= first && !begin.starts_with(every_header_begins)) break;
  }
  out.begin_ = reinterpret_cast<const char*>(out.read_.get());
  return out;
}

bool Bytes::map(int file, uint64_t size) {
  watch_bus_errors();
  for (int i = 0; i < static_cast<int>(std::size(slots)); ++i) {
    Slot& slot = slots[i];
    if (slot.taken.exchange(true)) continue;
    void* begin = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (begin == MAP_FAILED) {
      slot.taken = false;
      return false;
    }
    slot.lost = false;
    slot.size = size;
    slot.begin = reinterpret_cast<uintptr_t>(begin);
    begin_ = static_cast<const char*>(begin);
    size_ = size;
    slot_ = i;
    file_ = fcntl(file, F_DUPFD_CLOEXEC, 0);
    return true;
  }
  return false;
}

bool Bytes::lost() const {
  if (slot_ < 0) return false;
  struct stat now{};
  const bool shorter = file_ >= 0 && fstat(file_, &now) == 0 && static_cast<uint64_t>(now.st_size) < size_;
  return shorter || slots[slot_].lost.load();
}

void Bytes::release() {
  if (slot_ < 0) return;
  Slot& slot = slots[slot_];
  slot.begin = 0;
  munmap(const_cast<char*>(begin_), size_);
  slot.taken = false;
  slot_ = -1;
  if (file_ >= 0) close(file_);
  file_ = -1;
}

Bytes::Bytes(Bytes&& other) noexcept
    : read_(std::move(other.read_)),
      begin_(std::exchange(other.begin_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      file_(std::exchange(other.file_, -1)),
      slot_(std::exchange(other.slot_, -1)) {}

Bytes& Bytes::operator=(Bytes&& other) noexcept {
  if (this == &other) return *this;
  release();
  read_ = std::move(other.read_);
  begin_ = std::exchange(other.begin_, nullptr);
  size_ = std::exchange(other.size_, 0);
  file_ = std::exchange(other.file_, -1);
  slot_ = std::exchange(other.slot_, -1);
  return *this;
}

Bytes::~Bytes() { release(); }

}  // namespace assay::olean
