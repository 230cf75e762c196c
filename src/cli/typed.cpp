#include "cli/typed.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace assay {

void hold_standard_input() {
  if (::fcntl(STDIN_FILENO, F_GETFD) >= 0 || errno != EBADF) return;
  const int empty = ::open("/dev/null", O_RDONLY);  // takes the lowest free number, which is this one
  if (empty > STDIN_FILENO) ::dup2(empty, STDIN_FILENO);
}

bool Typed::at_terminal() const { return ::isatty(STDIN_FILENO) == 1; }

// A signal may come between a look at the flag and a wait without end, so that each wait is short.
bool Typed::wait() {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (!stop_) {
    const int ready = ::poll(&input, 1, 100);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // reading will say what is wrong
  }
  return false;
}

Typed::Kind Typed::next(std::string& line) {
  bool too_long = false;
  while (true) {
    const size_t newline = buffer_.find('\n');
    if (newline != buffer_.npos || (ended_ && !buffer_.empty())) {
      line = valid_utf8(std::string_view(buffer_).substr(0, newline));
      buffer_.erase(0, newline == buffer_.npos ? newline : newline + 1);
      return too_long ? Kind::too_long : Kind::line;
    }
    if (ended_) return too_long ? Kind::too_long : Kind::end;
    if (buffer_.size() > longest_typed) {
      too_long = true;
      buffer_.clear();
    }
    if (!wait()) return Kind::end;
    char bytes[4096];
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      ended_ = true;
    else
      buffer_.append(bytes, static_cast<size_t>(n));
  }
}

}  // namespace assay
