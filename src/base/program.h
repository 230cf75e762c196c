// A program of the user's own that answers one question: JSON on its standard input, JSON on its standard output.
//
//   Program judge{"suites/mine", {"./is_threat.py", "--strict"}, 10};
//   Result<Json> answer = ask_program(judge, {{"text", "..."}});
//
// No shell is involved. The program runs in `folder` with PATH, HOME, LANG and TMPDIR of ours and nothing else of the
// environment; what it writes to standard error is kept for the message of an error. It is killed, with all that it
// started in its process group, when its time is over, when it writes more than `longest_answer`, or when we are done.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace assay {

inline constexpr size_t longest_answer = 1 << 20;  // bytes on standard output

struct Program {
  std::string folder;                // where it runs; "": here
  std::vector<std::string> command;  // a path of it (with a '/': from `folder`; without: looked up in PATH), arguments
  int seconds = 10;                  // of wall time
  bool operator==(const Program&) const = default;
};

// "./is_threat.py --strict", for messages.
std::string name_of(const Program& program);

// Blocks until the program has ended. Errors say which program it was: it cannot be started, took too long, failed
// (its exit code and the end of what it said), wrote too much, or wrote something that is no JSON object. May be called
// from any thread.
Result<Json> ask_program(const Program& program, const Json& question);

}  // namespace assay
