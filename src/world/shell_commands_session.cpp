// cd date env exit export help hostname pwd sleep uname unset which xargs: where and when one is, and running others.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "world/shell_command.h"
#include "world/shell_parse.h"

namespace assay::shell {
namespace {

// --- The session ---

int run_pwd(Process& process) {
  process.out.line(process.session.cwd);
  return 0;
}

int run_cd(Process& process) {
  auto& variables = process.session.variables;
  if (process.args.size() > 2) {
    process.err.line("bash: cd: too many arguments");
    return 1;
  }
  std::string target = process.args.size() < 2 ? variables["HOME"] : process.args[1];
  bool back = target == "-";
  if (back) target = variables["OLDPWD"];
  std::string path = process.path(target);
  Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
  const char* why = !entry                                              ? entry.error().text.c_str()
                    : !(*entry)->directory                              ? "Not a directory"
                    : !allows(**entry, process.session.who, may_search) ? "Permission denied"
                                                                        : nullptr;
  if (why != nullptr) {
    process.err.line(fmt::format("bash: cd: {}: {}", target, why));
    return 1;
  }
  variables["OLDPWD"] = process.session.cwd;
  variables["PWD"] = process.session.cwd = path;
  if (back) process.out.line(path);
  return 0;
}

int run_exit(Process& process) {
  process.session.ended = true;
  if (process.args.size() < 2) return process.session.status;
  std::optional<int64_t> status = whole_number(process.args[1]);
  if (status) return static_cast<int>(*status % 256);
  process.err.line(fmt::format("bash: exit: {}: numeric argument required", process.args[1]));
  return 2;
}

int run_env(Process& process) {
  if (process.args.size() > 1) return process.misuse({"running a command is not supported here"});
  for (const auto& [name, value] : process.session.variables) process.out.line(name + "=" + value);
  return 0;
}

int run_export(Process& process) {
  for (size_t i = 1; i < process.args.size(); ++i) {
    std::string name = process.args[i].substr(0, process.args[i].find('='));
    if (!is_variable_name(name)) {
      process.err.line(fmt::format("bash: export: `{}': not a valid identifier", process.args[i]));
      return 1;
    }
    bool fits = process.args[i].size() < 4096 && process.session.variables.size() < 100;
    if (fits && name.size() < process.args[i].size())
      process.session.variables[name] = process.args[i].substr(name.size() + 1);
  }
  return 0;
}

int run_unset(Process& process) {
  for (size_t i = 1; i < process.args.size(); ++i) process.session.variables.erase(process.args[i]);
  return 0;
}

int run_date(Process& process) {
  static constexpr LongOption longs[] = {
      {"utc", 'u'}, {"universal", 'u'}, {"iso-8601", 'I'}, {"date", 'd'}, {"set", 's'}};
  Result<Options> options = parse_options(process, "uId:s:R", longs);
  if (!options) return process.misuse(options.error());
  if (options->has('s')) return process.fail("cannot set date: Operation not permitted");
  int64_t when = process.machine.clock;
  if (options->has('d')) {
    std::string given = options->value('d');
    std::optional<int64_t> parsed = given == "now" || given == "today" ? when
                                    : given == "yesterday"             ? when - 86400
                                    : given == "tomorrow"              ? when + 86400
                                                                       : parse_time(given);
    if (!parsed) return process.fail(fmt::format("invalid date '{}'", given));
    when = *parsed;
  }
  std::string format = options->has('I') ? "%F" : options->has('R') ? "%a, %d %b %Y %T %z" : "%a %b %e %T %Z %Y";
  if (!options->operands.empty()) {
    if (options->operands[0][0] != '+') return process.fail(fmt::format("invalid date '{}'", options->operands[0]));
    format = options->operands[0].substr(1);
  }
  process.out.line(format_time(when, format));
  return 0;
}

int run_sleep(Process&) { return 0; }

int run_hostname(Process& process) {
  process.out.line(process.machine.hostname);
  return 0;
}

int run_uname(Process& process) {
  bool all = process.args.size() > 1 && process.args[1] == "-a";
  process.out.line(all ? fmt::format("Linux {} 6.1.0 x86_64 GNU/Linux", process.machine.hostname) : "Linux");
  return 0;
}

// --- Other commands ---

int run_which(Process& process) {
  int status = 0;
  for (size_t i = 1; i < process.args.size(); ++i) {
    if (find_command(process.args[i]) != nullptr)
      process.out.line("/usr/bin/" + process.args[i]);
    else
      status = 1;
  }
  return status;
}

int run_xargs(Process& process) {
  Result<Options> options = parse_options(process, "+n:I:0rt");
  if (!options) return process.misuse(options.error());
  std::vector<std::string> command = options->operands;
  if (command.empty()) command = {"echo"};
  // Words; with -I the lines, with -0 what stands between NUL bytes. Quotes are letters here.
  std::vector<std::string> items;
  std::string separators = options->has('0') ? std::string(1, '\0') : options->has('I') ? "\n" : " \t\n";
  for (size_t at = 0; at < process.in.size();) {
    size_t end = std::min(process.in.find_first_of(separators, at), process.in.size());
    if (end > at) items.emplace_back(process.in.substr(at, end - at));
    at = end + 1;
  }
  std::optional<int64_t> most = whole_number(options->value('n', "5000"));
  if (!most || *most == 0) return process.fail("value for -n option should be >= 1");
  if (items.empty() && (options->has('r') || options->has('I'))) return 0;
  int status = 0;
  size_t at = 0;
  do {
    std::vector<std::string> args = command;
    if (options->has('I')) {
      const std::string& mark = options->value('I');
      for (std::string& arg : args)
        for (size_t i = arg.find(mark); !mark.empty() && i != std::string::npos && arg.size() < longest_path * 4;
             i = arg.find(mark, i + items[at].size()))
          arg.replace(i, mark.size(), items[at]);
      ++at;
    } else {
      for (int64_t i = 0; i < *most && at < items.size(); ++i) args.push_back(items[at++]);
    }
    int code = process.run(args, "");
    if (code == 127 || code == 126) return code;
    if (code != 0) status = 123;
  } while (at < items.size() && !process.meter.spent());
  return status;
}

int run_help(Process& process) {
  if (process.args.size() > 1) {
    const CommandRow* row = find_command(process.args[1]);
    if (row == nullptr) {
      process.err.line(
          fmt::format("bash: help: no help topics match `{}'.", valid_utf8(process.args[1].substr(0, 200))));
      return 1;
    }
    process.out.line(row->help);
    return 0;
  }
  process.out.line("These commands are here; NAME --help says more. They can be joined by ; && || | and > >> < 2>&1.");
  for (const CommandRow& row : all_commands()) process.out.line(std::string("  ") + row.help);
  return 0;
}

}  // namespace

std::span<const CommandRow> session_commands() {
  static constexpr CommandRow rows[] = {
      {"cd", run_cd, "cd [DIRECTORY | -]: go to a directory"},
      {"date", run_date, "date [-u] [-d TIME] [+FORMAT]: print the time"},
      {"env", run_env, "env: print the variables"},
      {"exit", run_exit, "exit [CODE]: run nothing more of this command line"},
      {"export", run_export, "export NAME=VALUE...: set variables"},
      {"help", run_help, "help [COMMAND]: print this list, or a command's line"},
      {"hostname", run_hostname, "hostname: print the name of this machine"},
      {"pwd", run_pwd, "pwd: print the directory you are in"},
      {"sleep", run_sleep, "sleep SECONDS: go on at once (time stands still here)"},
      {"uname", run_uname, "uname [-a]: print the system's name"},
      {"unset", run_unset, "unset NAME...: forget variables"},
      {"which", run_which, "which COMMAND...: print where commands are"},
      {"xargs", run_xargs, "xargs [-n N] [-I MARK] [-0r] COMMAND [WORD...]: run a command with words of the input"},
  };
  return rows;
}

}  // namespace assay::shell
