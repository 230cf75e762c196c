#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>

namespace assay {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch only what takes no lock");

constexpr char kWords[] = "\nassay: finishing what is open; Ctrl-C again stops at once\n";

void on_signal(int) {
  int error = errno;
  stop = true;
  if (::write(STDERR_FILENO, kWords, sizeof kWords - 1) < 0) {
  }  // nobody is listening; stopping is what counts
  errno = error;
}

}  // namespace

const std::atomic<bool>& stop_on_signal() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags =
      static_cast<int>(SA_RESETHAND | SA_RESTART);  // the second signal finds the default, which ends the program
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop;
}

}  // namespace assay
