// assay: the program. A row of the table below is a subcommand; everything else is the business of the rooms.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/text.h"
#include "cli/usage.h"

namespace assay {
namespace {

int dispatch(int argc, char** argv, Output& out) {
  static const std::vector<const Command*> commands = {
      &lint_command,    &plan_command,     &run_command,    &grade_command, &show_command,
      &summary_command, &validate_command, &schema_command, &model_command, &chat_command,
      &organism_command, &olean_command,  &report_command};

  std::string word = argc > 1 ? argv[1] : "";
  if (word == "--version") {
    out.print("assay " ASSAY_VERSION "\n");
    return exit_done;
  }
  if (word == "--help" || word == "-h" || word == "help") {
    out.print(program_help(commands, out.style()));
    return exit_done;
  }
  if (word.empty()) {
    out.note(program_help(commands, out.error_style()));
    return exit_bad_input;
  }
  std::vector<std::string> names = {"--help", "--version"};
  for (const Command* command : commands) {
    if (word == command->name) return run_command_line(*command, argc - 1, argv + 1, out);
    names.emplace_back(command->name);
  }
  std::string near = nearest(word, names);
  out.note(fmt::format("assay: unknown {} '{}'{}\nassay --help lists what there is.\n",
                       word[0] == '-' ? "option" : "command", one_line(word),
                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  return exit_bad_input;
}

}  // namespace

int fail(Output& out, const Error& error) {
  std::string text = for_terminal(error.text);
  // Mistakes in files come as a list, each with its own place (Diagnostics::format), and stand as they are.
  std::string first = text.substr(0, text.find('\n'));
  bool listed = first.size() < text.size() && first.find(": error: ") != first.npos;
  out.note(fmt::format("{}{}{}", listed ? "" : "assay: ", text, text.ends_with('\n') ? "" : "\n"));
  return error.kind == ErrorKind::unfinished ? exit_unfinished : exit_bad_input;
}

}  // namespace assay

namespace {

// Memory may run out anywhere, on any thread. What the run file holds is safe: it is written in whole transactions.
[[noreturn]] void end_badly() {
  const char* words = "assay: ended by a mistake of its own\n";
  int code = 70;  // as an internal error is known to shells
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    words = "assay: not enough memory; what is stored is kept, and the same command goes on\n";
    code = assay::exit_unfinished;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "assay: %s\n", assay::for_terminal(e.what()).c_str());
  } catch (...) {
  }
  std::fputs(words, stderr);
  std::_Exit(code);
}

}  // namespace

int main(int argc, char** argv) {
  std::set_terminate(end_badly);
  // A write beyond `ulimit -f` then fails like one on a full disk, which the run file and Output know how to take.
  std::signal(SIGXFSZ, SIG_IGN);
  assay::Output out;
  int code = assay::dispatch(argc, argv, out);
  out.flush();
  return code;
}
