// Runs a parsed text on the simulated machine: expands its words, connects its commands, and does what they say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "world/shell_command.h"
#include "world/shell_parse.h"

namespace assay::shell {

inline constexpr size_t most_words = 5000;           // of one command, after expansion
inline constexpr size_t longest_words = 256 << 10;   // bytes of them together
inline constexpr size_t longest_variable = 4 << 10;  // bytes of a value
inline constexpr size_t most_variables = 100;
inline constexpr int deepest_run = 8;  // commands that run commands: sudo xargs find -exec, substitutions

class Interpreter {
 public:
  // Both must outlive it. What the text changes in them stays.
  Interpreter(Machine& machine, Session& session) : machine_(machine), session_(session) {}

  // Answers the exit code of the last pipeline. Outputs and errors go to `terminal` in the order in which they come.
  int run(const Script& script, Output& terminal) { return run(script, terminal, terminal); }
  bool spent() const { return meter_.spent(); }

 private:
  struct Streams;

  int run(const Script& script, Output& out, Output& err);
  int run(const Pipeline& pipeline, Output& out, Output& err);
  int run(const Command& command, std::string_view in, Output& out, Output& err);
  int run(const std::vector<std::string>& args, std::string_view in, Output& out, Output& err);

  int run_shell(const std::vector<std::string>& args, std::string_view in, Output& out, Output& err);

  Status connect(const Command& command, Streams& streams, Output& err);
  Status write_back(Streams& streams);

  // --- Expansion; errors go to `err` ---
  Result<std::vector<std::string>> expand(const std::vector<Word>& words, Output& err);
  Status expand(const Word& word, std::vector<std::string>& fields, Output& err);
  Result<std::string> expand_to_text(const Word& word, Output& err);  // without splitting and globbing
  std::string value_of(const Part& part, Output& err);
  std::vector<std::string> matching_paths(const std::string& pattern);

  Machine& machine_;
  Session& session_;
  Meter meter_;
  int depth_ = 0;
  int substituted_ = 0;  // exit code of the last substitution
};

}  // namespace assay::shell
