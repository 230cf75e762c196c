#include "cli/output.h"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace assay {
namespace {

constexpr size_t kBuffer = 64 << 10;
constexpr int kUncut =
    100'000;  // the width of what is no terminal: lists are not cut there, tables use 100 columns anyway

// False, with errno, where not all of it could be written.
bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

int width_of(int file, bool terminal) {
  // An explicit COLUMNS wins, so that a pipe or a test can ask for a width.
  if (const char* columns = std::getenv("COLUMNS")) {
    int width = std::atoi(columns);
    if (width > 0 && width < kUncut) return width;
  }
  winsize size{};
  if (terminal && ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return terminal ? 80 : kUncut;
}

bool colours_wanted(bool terminal) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return terminal && !(no_color && *no_color) && !(term && std::strcmp(term, "dumb") == 0);
}

}  // namespace

Output::Output() {
  std::setlocale(LC_CTYPE, "");
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe becomes EPIPE, which flush() knows how to take
  to_terminal_ = isatty(STDOUT_FILENO);
  errors_to_terminal_ = isatty(STDERR_FILENO);
  bool unicode = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  style_ = {colours_wanted(to_terminal_), width_of(STDOUT_FILENO, to_terminal_), unicode};
  error_style_ = {colours_wanted(errors_to_terminal_), width_of(STDERR_FILENO, errors_to_terminal_), unicode};
}

Output::~Output() { flush(); }

void Output::print(std::string_view text) { print_exact(style_.unicode ? std::string(text) : in_ascii(text)); }

void Output::print_exact(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBuffer) flush();
}

void Output::note(std::string_view text) {
  flush();  // what was printed before stands before
  write_all(STDERR_FILENO, error_style_.unicode ? std::string(text) : in_ascii(text));
}

void Output::flush() {
  if (buffer_.empty()) return;
  bool written = write_all(STDOUT_FILENO, buffer_);
  int error = errno;
  buffer_.clear();
  if (written) return;
  if (error == EPIPE) std::_Exit(0);  // the reader has seen enough
  write_all(STDERR_FILENO, std::string("assay: the output could not be written: ") + std::strerror(error) + "\n");
  std::_Exit(3);
}

}  // namespace assay
