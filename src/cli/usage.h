// How options are explained and mistakes in them answered: the one place that knows CLI11's ways.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace assay {

// `assay --help`: the table of subcommands. A page of help has 60 to 80 columns.
std::string program_help(const std::vector<const Command*>& commands, const Style& style);

// Reads argv[1..] (argv[0] is the subcommand) and runs it, or prints its help.
int run_command_line(const Command& command, int argc, char** argv, Output& out);

}  // namespace assay
