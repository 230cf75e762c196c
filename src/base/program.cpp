#include "base/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kept_of_errors = 2000;  // bytes, the last ones

// Two ends, closed when they are no longer needed.
class Pipe {
 public:
  enum class Kind {
    pipe,
    socket,  // writing to a reader that has gone is an error there, and no signal that would end us
  };
  explicit Pipe(Kind kind = Kind::pipe) {
    const int failed =
        kind == Kind::pipe ? ::pipe2(ends_, O_CLOEXEC) : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_);
    if (failed) ends_[0] = ends_[1] = -1;
  }
  ~Pipe() { close_read(), close_write(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool ok() const { return ends_[0] >= 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read() { shut(ends_[0]); }
  void close_write() { shut(ends_[1]); }

 private:
  static void shut(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  int ends_[2];
};

std::vector<std::string> environment() {
  std::vector<std::string> kept;
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"})
    if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// One run of a program, from its start to its end.
class Run {
 public:
  explicit Run(const Program& program)
      : program_(program), deadline_(Clock::now() + std::chrono::seconds(program.seconds)) {}
  ~Run() { end(); }

  Status start() {
    if (!in_.ok() || !out_.ok() || !err_.ok() || !started_.ok()) return wrong("cannot be started: no more pipes");
    // Everything that allocates is done before fork: between fork and exec only a few calls are safe.
    std::vector<std::string> words = program_.command, variables = environment();
    std::vector<char*> argv = pointers(words), envp = pointers(variables);
    child_ = ::fork();
    if (child_ < 0) return wrong(fmt::format("cannot be started: {}", std::strerror(errno)));
    if (child_ == 0) {
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // where we are killed and can end nothing
      ::dup2(in_.read_end(), STDIN_FILENO);
      ::dup2(out_.write_end(), STDOUT_FILENO);
      ::dup2(err_.write_end(), STDERR_FILENO);
      for (int signal : {SIGINT, SIGTERM, SIGPIPE}) ::signal(signal, SIG_DFL);
      if (program_.folder.empty() || ::chdir(program_.folder.c_str()) == 0)
        ::execvpe(argv[0], argv.data(), envp.data());
      const int failed = errno;
      if (::write(started_.write_end(), &failed, sizeof failed) < 0) ::_exit(126);
      ::_exit(127);
    }
    ::setpgid(child_, child_);
    in_.close_read(), out_.close_write(), err_.close_write(), started_.close_write();
    int failed = 0;
    if (::read(started_.read_end(), &failed, sizeof failed) == sizeof failed)
      return wrong(fmt::format("cannot be started: {}", std::strerror(failed)));
    for (int end : {in_.write_end(), out_.read_end(), err_.read_end()}) ::fcntl(end, F_SETFL, O_NONBLOCK);
    return Done{};
  }

  // Writes the question and reads the answer, whatever order the program likes.
  Status talk(const std::string& question) {
    size_t written = 0;
    bool out_open = true, err_open = true;
    while (out_open || err_open) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0) return wrong(fmt::format("took longer than {} s and was stopped", program_.seconds));
      pollfd wait[3] = {{in_.write_end(), POLLOUT, 0},
                        {out_open ? out_.read_end() : -1, POLLIN, 0},
                        {err_open ? err_.read_end() : -1, POLLIN, 0}};
      if (::poll(wait, 3, static_cast<int>(left)) < 0 && errno != EINTR)
        return wrong(fmt::format("cannot be heard: {}", std::strerror(errno)));
      if (wait[0].revents) send(question, written);
      if (wait[1].revents) out_open = receive(out_.read_end(), answer_);
      if (wait[2].revents) {
        err_open = receive(err_.read_end(), said_);
        if (said_.size() > 2 * kept_of_errors) said_.erase(0, said_.size() - kept_of_errors);
      }
      if (answer_.size() > longest_answer) return wrong(fmt::format("wrote more than {} bytes", longest_answer));
    }
    return ended();
  }

  const std::string& answer() const { return answer_; }
  Error wrong(const std::string& what) const { return {fmt::format("The program {} {}", name_of(program_), what)}; }

 private:
  void send(const std::string& question, size_t& written) {
    const ssize_t n = ::send(in_.write_end(), question.data() + written, question.size() - written, MSG_NOSIGNAL);
    if (n > 0) written += static_cast<size_t>(n);
    // A program that does not care to read is no error.
    if (written == question.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) in_.close_write();
  }

  static bool receive(int end, std::string& into) {
    char some[16384];
    const ssize_t n = ::read(end, some, sizeof some);
    if (n > 0) into.append(some, static_cast<size_t>(n));
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
  }

  // Both ends are closed: the program ends by itself, or its time does it.
  Status ended() {
    int status = 0;
    while (::waitpid(child_, &status, WNOHANG) == 0) {
      if (Clock::now() >= deadline_)
        return wrong(fmt::format("took longer than {} s and was stopped", program_.seconds));
      ::poll(nullptr, 0, 2);
    }
    ::kill(-child_, SIGKILL);  // what it may have left behind
    child_ = -1;
    std::string said(trimmed(said_));
    if (said.size() > 300) said = "…" + said.substr(said.size() - 300);
    if (!said.empty()) said = ": " + said;
    if (WIFSIGNALED(status)) return wrong(fmt::format("was ended by signal {}{}", WTERMSIG(status), said));
    if (WEXITSTATUS(status) != 0) return wrong(fmt::format("failed with exit code {}{}", WEXITSTATUS(status), said));
    return Done{};
  }

  void end() {
    if (child_ <= 0) return;
    ::kill(-child_, SIGKILL);
    ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  const Program& program_;
  const Clock::time_point deadline_;
  Pipe in_{Pipe::Kind::socket}, out_, err_, started_;
  pid_t child_ = -1;
  std::string answer_, said_;
};

}  // namespace

std::string name_of(const Program& program) { return joined(program.command, " "); }

Result<Json> ask_program(const Program& program, const Json& question) {
  if (program.command.empty()) return Error{"A program needs a name"};
  Run run(program);
  if (Status started = run.start(); !started) return started.error();
  if (Status talked = run.talk(to_line(question) + "\n"); !talked) return talked.error();
  Result<Json> answer = parse_json(run.answer());
  if (!answer) return run.wrong(fmt::format("answered what is no JSON ({})", answer.error().text));
  if (!answer->is_object()) return run.wrong("answered JSON that is no object");
  return answer;
}

}  // namespace assay
