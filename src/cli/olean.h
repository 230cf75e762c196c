// What the subcommands of `assay olean` share. Each is a Command of its own, with its own page of help.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "skill/olean/files.h"
#include "skill/olean/list.h"

namespace assay {

extern const Command olean_names_command, olean_info_command, olean_check_command, olean_make_command;

// The files to look at, in the order given; a folder becomes what it holds where `folders` is set, in byte order of the
// paths, links not followed. `parts`: .olean.server and .olean.private are taken out of folders as well as .olean.
Result<std::vector<std::string>> olean_paths(const std::vector<std::string>& given, bool folders, bool parts);

struct OleanLimits {
  olean::NameLimits name;
  olean::ReadLimits read;
  uint64_t output = 0;  // 0: the listing's own rule
};
// Each of `given` is "NAME=NUMBER".
Result<OleanLimits> olean_limits(const std::vector<std::string>& given);

// --limit, with its help.
CLI::Option* add_limit_option(CLI::App& app, std::vector<std::string>& given);

// How text of a file is to be shown on standard output.
olean::Shown shown_on(const Output& out);

// Lines about a file on standard error: "FILE: warning: ...", safe for a terminal.
void note_of_file(Output& out, const std::string& file, const std::string& text);

}  // namespace assay
