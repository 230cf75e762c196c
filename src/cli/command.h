// A subcommand is a row of main.cpp's table: its name, what it does, an example, and how it reads its options. The
// table drives dispatch, `assay --help`, and the suggestions after a typing mistake.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include "base/result.h"
#include "cli/output.h"

namespace assay {

// How the program ends; docs and scripts rely on these numbers.
enum Exit : int {
  exit_done = 0,
  exit_check_failed = 1,  // a check that was asked for did not hold
  exit_bad_input = 2,     // usage, or a file or model that is not what it must be
  exit_unfinished = 3,    // the same command again goes on
};

struct Command {
  const char* name;
  const char* does;     // one line
  const char* example;  // one or more command lines
  // Declares the options, and returns what runs once they were read; its result is the exit code. What it captured
  // lives as long as it does.
  std::function<int(Output&)> (*declare)(CLI::App& app);
  std::string (*more)() = nullptr;  // lines below the options
};

extern const Command lint_command, plan_command, run_command, grade_command, show_command, summary_command,
    validate_command, schema_command, model_command, chat_command, organism_command, olean_command, report_command;

// Tells stderr why, under the program's name or, where it is a list of mistakes in files, each with its place, as it
// is; gives the exit code of this kind of error.
int fail(Output& out, const Error& error);

}  // namespace assay
