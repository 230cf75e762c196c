// A command of the simulated shell, as a function: what it sees (Process), how it reads its options, and the table of
// all of them.
//
//   int run_wc(Process& process) {
//     Result<Options> options = parse_options(process, "clw", {{"lines", 'l'}});
//     if (!options) return process.misuse(options.error());
//     ...
//   }
//
// Texts and exit codes follow GNU coreutils 9.1, grep 3.8, sed 4.9, findutils 4.9, diffutils 3.8 and shadow 4.13 in the
// C locale, as far as shell_test.cpp shows.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "world/shell_fs.h"

namespace assay::shell {

inline constexpr size_t longest_stream = 1 << 20;   // bytes that one pipe or output holds; the rest is dropped
inline constexpr int64_t work_per_call = 64 << 20;  // units, about bytes looked at; then everything is killed
inline constexpr int killed = 137;                  // the exit code after that

// Counts the work of one call. Every loop over outside data pays; who finds it spent stops.
class Meter {
 public:
  void pay(size_t units) { left_ -= static_cast<int64_t>(units) + 1; }
  bool spent() const { return left_ < 0; }

 private:
  int64_t left_ = work_per_call;
};

// Where a command writes. Bounded: what is beyond is dropped and remembered.
class Output {
 public:
  explicit Output(size_t limit = longest_stream) : limit_(limit) {}
  void write(std::string_view text);
  void line(std::string_view text) { write(text), write("\n"); }
  bool full() const { return dropped_ > 0; }
  size_t dropped() const { return dropped_; }  // bytes
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  size_t limit_, dropped_ = 0;
};

// What all accounts share.
struct Machine {
  Files files;
  Accounts accounts;
  std::string hostname;
  int64_t clock;               // seconds since 1970, UTC; it stands still
  bool lists_accounts = true;  // keeps /etc/passwd and /etc/group as the accounts are

  // After each change of `accounts`.
  void list_accounts();
};

// What /etc/passwd and /etc/group say of these accounts.
std::string passwd_text(const Accounts& accounts);
std::string group_text(const Accounts& accounts);

// What belongs to the one who types.
struct Session {
  User who;
  std::string cwd;
  std::map<std::string, std::string> variables;  // all of them exported
  int status = 0;                                // $?
  bool ended = false;                            // by `exit`: nothing more of this text runs
};

struct Process {
  Machine& machine;
  Session& session;
  const std::vector<std::string>& args;  // args[0] is the command's name
  std::string_view in;
  Output& out;
  Output& err;  // may be the same as `out`
  Meter& meter;
  // Runs another command with these arguments and input, and answers its exit code (sudo, xargs, find -exec).
  std::function<int(const std::vector<std::string>& args, std::string_view in)> run;

  const std::string& name() const { return args[0]; }
  std::string path(std::string_view operand) const { return absolute(session.cwd, operand); }
  // A whole file, or the input for "-".
  Result<std::string> read(std::string_view operand);
  // "name: text" to the errors; the answer is `status`, so that a command can say `return process.fail(...)`.
  int fail(std::string_view text, int status = 1);
  // Wrong options: the same with "Try 'name --help' for more information.".
  int misuse(const Error& error, int status = 1);
};

// --- Options ---

struct Options {
  std::string flags;                                 // the letters of the options given, in order
  std::vector<std::pair<char, std::string>> values;  // of those that take one
  std::vector<std::string> operands;
  bool has(char flag) const { return flags.find(flag) != std::string::npos; }
  std::string value(char flag, std::string otherwise = "") const;  // the last that was given
  std::string lines(char flag) const;                              // all that were given, one a line
  // The one of these letters that came last, or '\0'.
  char last_of(std::string_view letters) const;
};

struct LongOption {
  const char* name;
  char flag;
};

// As getopt_long(3) reads them: `letters` names the options, a ':' follows those that take a value; options may stand
// between operands (not with a leading '+'); "--" ends them. The error is for misuse().
Result<Options> parse_options(const Process& process, std::string_view letters, std::span<const LongOption> longs = {});

// A whole decimal number from 0 to 10^12, or nothing.
std::optional<int64_t> whole_number(std::string_view text);

// --- Small things that several commands need ---

// Lines without their newlines; a text that does not end in one has its rest as last line.
std::vector<std::string_view> lines_of(std::string_view text);

// `* ? [a-z] [!a-z]` and backslashes; a `?` is one code point.
bool matches_pattern(std::string_view pattern, std::string_view text);

// strftime(3), in English and UTC.
std::string format_time(int64_t seconds, std::string_view format);
// "2026-03-04", "2026-03-04 15:06", "2026-03-04T15:06:07Z"; UTC.
std::optional<int64_t> parse_time(std::string_view text);

// "-rw-r--r--"
std::string mode_letters(const Entry& entry);

// --- The table ---

struct CommandRow {
  const char* name;
  int (*run)(Process&);
  const char* help;  // the usage in one line, and what it does
};

// In alphabetical order. cd, export, unset and exit change the session they are given.
std::span<const CommandRow> all_commands();
const CommandRow* find_command(std::string_view name);

// The parts of the table, one a file: shell_commands_*.cpp.
std::span<const CommandRow> session_commands();
std::span<const CommandRow> word_commands();
std::span<const CommandRow> text_commands();
std::span<const CommandRow> grep_commands();
std::span<const CommandRow> sed_commands();
std::span<const CommandRow> diff_commands();
std::span<const CommandRow> look_commands();
std::span<const CommandRow> change_commands();
std::span<const CommandRow> account_commands();

}  // namespace assay::shell
