// chgrp chmod chown cp mkdir mv rm rmdir shred touch truncate: what changes files without reading them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "world/shell_command.h"

namespace assay::shell {
namespace {

bool is_directory(const Process& process, const std::string& path) {
  Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
  return entry && (*entry)->directory;
}

// `path` and all that is below it, the directory first; what may not be looked into is left out after a complaint.
void gather(Process& process, const std::string& shown, std::vector<std::string>& all, int& status) {
  process.meter.pay(200);
  all.push_back(shown);
  std::string path = process.path(shown);
  if (!is_directory(process, path) || process.meter.spent()) return;
  Result<std::vector<std::string>> names = process.machine.files.list(path, process.session.who);
  if (!names) {
    status = process.fail(fmt::format("cannot access '{}': {}", shown, names.error().text));
    return;
  }
  for (const std::string& name : *names) gather(process, below(shown, name), all, status);
}

// --- Making ---

int run_mkdir(Process& process) {
  static constexpr LongOption longs[] = {{"parents", 'p'}, {"verbose", 'v'}, {"mode", 'm'}};
  Result<Options> options = parse_options(process, "pvm:", longs);
  if (!options) return process.misuse(options.error());
  if (options->operands.empty()) return process.misuse({"missing operand"});
  int mode = 0;
  std::string octal = options->value('m', "755");
  for (char c : octal) {
    if (c < '0' || c > '7' || octal.size() > 4) return process.fail(fmt::format("invalid mode '{}'", octal));
    mode = mode * 8 + (c - '0');
  }
  int status = 0;
  Files& files = process.machine.files;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    process.meter.pay(path.size());
    if (options->has('p'))
      for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
        if (!files.all().contains(path.substr(0, slash)))
          (void)files.make_directory(path.substr(0, slash), process.session.who);
    if (options->has('p') && is_directory(process, path)) continue;
    Status made = files.make_directory(path, process.session.who);
    if (!made)
      status = process.fail(fmt::format("cannot create directory '{}': {}", operand, made.error().text));
    else if (options->has('m'))
      (void)files.set_mode(path, mode, process.session.who);
    if (made && options->has('v')) process.out.line(fmt::format("mkdir: created directory '{}'", operand));
  }
  return status;
}

int run_touch(Process& process) {
  static constexpr LongOption longs[] = {{"date", 'd'}, {"reference", 'r'}, {"no-create", 'c'}};
  Result<Options> options = parse_options(process, "amcd:r:", longs);
  if (!options) return process.misuse(options.error());
  if (options->operands.empty()) return process.misuse({"missing file operand"});
  int64_t when = process.machine.clock;
  if (options->has('d')) {
    std::optional<int64_t> parsed = parse_time(options->value('d'));
    if (!parsed) return process.fail(fmt::format("invalid date format '{}'", options->value('d')));
    when = *parsed;
  }
  Files& files = process.machine.files;
  if (options->has('r')) {
    Result<const Entry*> model = files.look(process.path(options->value('r')), process.session.who);
    if (!model)
      return process.fail(fmt::format("failed to get attributes of '{}': {}", options->value('r'), model.error().text));
    when = (*model)->modified;
  }
  int status = 0;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    bool is_new = !files.all().contains(path);
    if (is_new && options->has('c')) continue;
    Status touched = is_new ? files.write(path, "", process.session.who) : Status(Done{});
    if (touched) touched = files.touch(path, when, process.session.who);
    if (!touched) status = process.fail(fmt::format("cannot touch '{}': {}", operand, touched.error().text));
  }
  return status;
}

int run_truncate(Process& process) {
  static constexpr LongOption longs[] = {{"size", 's'}, {"no-create", 'c'}};
  Result<Options> options = parse_options(process, "s:c", longs);
  if (!options) return process.misuse(options.error());
  std::optional<int64_t> size = whole_number(options->value('s'));
  if (!options->has('s')) return process.misuse({"you must specify either '--size' or '--reference'"});
  if (!size) return process.fail(fmt::format("Invalid number: '{}'", options->value('s')));
  if (options->operands.empty()) return process.misuse({"missing file operand"});
  int status = 0;
  Files& files = process.machine.files;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    auto old = files.all().find(path);
    if (old == files.all().end() && options->has('c')) continue;
    std::string text = old == files.all().end() ? "" : *old->second.text;
    process.meter.pay(static_cast<size_t>(std::min<int64_t>(*size, longest_file)));
    Status written = *size > static_cast<int64_t>(longest_file) ? Status(Error{"File too large"}) : Status(Done{});
    if (written) {
      text.resize(static_cast<size_t>(*size));
      written = files.write(path, std::move(text), process.session.who);
    }
    if (!written) status = process.fail(fmt::format("cannot open '{}' for writing: {}", operand, written.error().text));
  }
  return status;
}

// --- Removing ---

// Answers whether all of it went.
bool remove_tree(Process& process, const std::string& shown, bool says) {
  process.meter.pay(200);
  if (process.meter.spent()) return false;
  Files& files = process.machine.files;
  std::string path = process.path(shown);
  bool emptied = true, directory = is_directory(process, path);
  if (directory) {
    Result<std::vector<std::string>> names = files.list(path, process.session.who);
    if (!names) {
      process.fail(fmt::format("cannot remove '{}': {}", shown, names.error().text));
      return false;
    }
    for (const std::string& name : *names) emptied &= remove_tree(process, below(shown, name), says);
  }
  if (!emptied) return false;
  Status removed = files.remove(path, process.session.who);
  if (!removed) process.fail(fmt::format("cannot remove '{}': {}", shown, removed.error().text));
  if (removed && says) process.out.line(fmt::format("removed {}'{}'", directory ? "directory " : "", shown));
  return removed.has_value();
}

int run_rm(Process& process) {
  static constexpr LongOption longs[] = {{"recursive", 'r'}, {"force", 'f'}, {"dir", 'd'}, {"verbose", 'v'}};
  Result<Options> options = parse_options(process, "rRfdvi", longs);
  if (!options) return process.misuse(options.error());
  bool force = options->has('f'), recursive = options->has('r') || options->has('R');
  if (options->operands.empty()) return force ? 0 : process.misuse({"missing operand"});
  int status = 0;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
    std::string last = operand.substr(operand.find_last_of('/') + 1);
    if (!entry) {
      if (!force || process.machine.files.all().contains(path))
        status = process.fail(fmt::format("cannot remove '{}': {}", operand, entry.error().text));
    } else if ((*entry)->directory && !recursive && !options->has('d')) {
      status = process.fail(fmt::format("cannot remove '{}': Is a directory", operand));
    } else if (recursive && path == "/") {
      process.fail("it is dangerous to operate recursively on '/'");
      status = process.fail("use --no-preserve-root to override this failsafe");
    } else if (recursive && (last == "." || last == "..")) {
      status = process.fail(fmt::format("refusing to remove '.' or '..' directory: skipping '{}'", operand));
    } else if (recursive) {
      if (!remove_tree(process, operand, options->has('v'))) status = 1;
    } else if (Status removed = process.machine.files.remove(path, process.session.who); !removed) {
      status = process.fail(fmt::format("cannot remove '{}': {}", operand, removed.error().text));
    } else if (options->has('v')) {
      process.out.line(fmt::format("removed '{}'", operand));
    }
  }
  return status;
}

int run_rmdir(Process& process) {
  Result<Options> options = parse_options(process, "p");
  if (!options) return process.misuse(options.error());
  if (options->operands.empty()) return process.misuse({"missing operand"});
  int status = 0;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
    Status removed = !entry                 ? Status(entry.error())
                     : !(*entry)->directory ? Status(Error{"Not a directory"})
                                            : process.machine.files.remove(path, process.session.who);
    if (!removed) status = process.fail(fmt::format("failed to remove '{}': {}", operand, removed.error().text));
  }
  return status;
}

int run_shred(Process& process) {
  static constexpr LongOption longs[] = {{"remove", 'u'}, {"zero", 'z'}, {"verbose", 'v'}, {"force", 'f'}};
  Result<Options> options = parse_options(process, "uzvfn:", longs);
  if (!options) return process.misuse(options.error());
  if (options->operands.empty()) return process.misuse({"missing file operand"});
  int status = 0;
  Files& files = process.machine.files;
  for (const std::string& operand : options->operands) {
    std::string path = process.path(operand);
    Result<const Entry*> entry = files.look(path, process.session.who);
    Status gone = Done{};
    if (!entry)
      gone = entry.error();
    else
      gone = files.write(path, std::string((*entry)->text->size(), '\0'), process.session.who);
    if (gone && options->has('u')) gone = files.remove(path, process.session.who);
    if (!gone) status = process.fail(fmt::format("{}: failed to open for writing: {}", operand, gone.error().text));
  }
  return status;
}

// --- Copying and moving ---

// One file, or a directory with all in it.
bool copy(Process& process, const std::string& from, const std::string& to, bool recursive, bool keeps) {
  Files& files = process.machine.files;
  const User& who = process.session.who;
  std::string source = process.path(from), target = process.path(to);
  process.meter.pay(200);
  if (process.meter.spent()) return false;
  if (source == target) return process.fail(fmt::format("'{}' and '{}' are the same file", from, to)), false;
  auto keep = [&](const Entry& old) {
    if (!keeps) return;
    (void)files.set_owner(target, who.is_root() ? old.owner : "", who.is_root() ? old.group : "", who);
    (void)files.touch(target, old.modified, who);
  };
  Result<const Entry*> entry = files.look(source, who);
  if (!entry) return process.fail(fmt::format("cannot stat '{}': {}", from, entry.error().text)), false;
  const Entry old = **entry;
  if (!old.directory) {
    Result<std::string> text = files.read(source, who);
    if (!text) return process.fail(fmt::format("cannot open '{}' for reading: {}", from, text.error().text)), false;
    process.meter.pay(text->size());
    bool is_new = !files.all().contains(target);
    Status written = files.write(target, std::move(*text), who);
    if (!written)
      return process.fail(fmt::format("cannot create regular file '{}': {}", to, written.error().text)), false;
    if (is_new) (void)files.set_mode(target, keeps ? old.mode : old.mode & 0755, who);
    keep(old);
    return true;
  }
  if (!recursive) return process.fail(fmt::format("-r not specified; omitting directory '{}'", from)), false;
  if (is_inside(target, source))
    return process.fail(fmt::format("cannot copy a directory, '{}', into itself, '{}'", from, to)), false;
  Result<std::vector<std::string>> names = files.list(source, who);
  if (!names) return process.fail(fmt::format("cannot access '{}': {}", from, names.error().text)), false;
  if (!is_directory(process, target)) {
    Status made = files.make_directory(target, who);
    if (!made) return process.fail(fmt::format("cannot create directory '{}': {}", to, made.error().text)), false;
  }
  bool fine = true;
  for (const std::string& name : *names) fine &= copy(process, below(from, name), below(to, name), true, keeps);
  if (fine) {
    (void)files.set_mode(target, keeps ? old.mode : old.mode & 0755, who);
    keep(old);
  }
  return fine;
}

// cp and mv read their operands alike: sources, and where they go. `each(from, to)` answers whether it worked.
template <class Each>
int to_target(Process& process, const Options& options, Each each) {
  std::vector<std::string> sources = options.operands;
  if (sources.empty()) return process.misuse({"missing file operand"});
  std::string target = options.value('t');
  if (!options.has('t')) {
    if (sources.size() == 1)
      return process.misuse({fmt::format("missing destination file operand after '{}'", sources[0])});
    target = sources.back();
    sources.pop_back();
  }
  bool into = is_directory(process, process.path(target));
  if (!into && (sources.size() > 1 || options.has('t'))) {
    bool there = process.machine.files.all().contains(process.path(target));
    return process.fail(
        fmt::format("target '{}'{}", target, there ? ": Not a directory" : ": No such file or directory"));
  }
  int status = 0;
  for (const std::string& source : sources) {
    std::string to = into ? below(target, name_of(process.path(source))) : target;
    if (!into && target.ends_with('/') && !is_directory(process, process.path(source))) {
      const char* form = process.name() == "mv" ? "cannot move '{0}' to '{1}': Not a directory"
                                                : "cannot create regular file '{1}': Not a directory";
      status = process.fail(fmt::format(fmt::runtime(form), source, target));
      continue;
    }
    bool keeps_old = options.has('n') && process.machine.files.all().contains(process.path(to));
    if (keeps_old) continue;
    if (!each(source, to))
      status = 1;
    else if (options.has('v'))
      process.out.line(fmt::format("{}'{}' -> '{}'", process.name() == "mv" ? "renamed " : "", source, to));
  }
  return status;
}

int run_cp(Process& process) {
  static constexpr LongOption longs[] = {{"recursive", 'r'}, {"archive", 'a'},    {"force", 'f'},
                                         {"preserve", 'p'},  {"no-clobber", 'n'}, {"target-directory", 't'}};
  Result<Options> options = parse_options(process, "rRafpnivt:", longs);
  if (!options) return process.misuse(options.error());
  bool recursive = options->has('r') || options->has('R') || options->has('a');
  bool keeps = options->has('p') || options->has('a');
  return to_target(process, *options, [&](const std::string& from, const std::string& to) {
    return copy(process, from, to, recursive, keeps);
  });
}

int run_mv(Process& process) {
  static constexpr LongOption longs[] = {{"force", 'f'}, {"no-clobber", 'n'}, {"target-directory", 't'}};
  Result<Options> options = parse_options(process, "fnivt:", longs);
  if (!options) return process.misuse(options.error());
  return to_target(process, *options, [&](const std::string& from, const std::string& to) {
    Files& files = process.machine.files;
    std::string source = process.path(from), target = process.path(to);
    process.meter.pay(files.all().size());
    Result<const Entry*> entry = files.look(source, process.session.who);
    if (!entry) return process.fail(fmt::format("cannot stat '{}': {}", from, entry.error().text)), false;
    if (source == target) return process.fail(fmt::format("'{}' and '{}' are the same file", from, to)), false;
    if (is_inside(target, source))
      return process.fail(fmt::format("cannot move '{}' to a subdirectory of itself, '{}'", from, to)), false;
    if ((*entry)->directory && files.all().contains(target) && !is_directory(process, target))
      return process.fail(fmt::format("cannot overwrite non-directory '{}' with directory '{}'", to, from)), false;
    Status moved = files.move(source, target, process.session.who);
    if (!moved) process.fail(fmt::format("cannot move '{}' to '{}': {}", from, to, moved.error().text));
    return moved.has_value();
  });
}

// --- Modes and owners ---

// "640", "u+x,go-rwx", "a=r": the mode after it; nothing if it is none.
std::optional<int> changed_mode(const std::string& text, int mode, bool directory) {
  if (!text.empty() && text.find_first_not_of("01234567") == std::string::npos && text.size() <= 4) {
    int value = 0;
    for (char c : text) value = value * 8 + (c - '0');
    return value;
  }
  for (const std::string& clause : split(text, ',')) {
    size_t at = 0;
    int who = 0;
    for (; at < clause.size(); ++at) {
      if (clause[at] == 'u')
        who |= 04700;
      else if (clause[at] == 'g')
        who |= 02070;
      else if (clause[at] == 'o')
        who |= 01007;
      else if (clause[at] == 'a')
        who |= 07777;
      else
        break;
    }
    if (who == 0) who = 07755;  // without anybody named the umask, 022, holds
    if (at == clause.size()) return std::nullopt;
    char how = clause[at++];
    if (how != '+' && how != '-' && how != '=') return std::nullopt;
    int bits = 0;
    for (; at < clause.size(); ++at) {
      switch (clause[at]) {
        case 'r': bits |= 0444; break;
        case 'w': bits |= 0222; break;
        case 'x': bits |= 0111; break;
        case 'X': bits |= directory || (mode & 0111) ? 0111 : 0; break;
        case 's': bits |= 06000; break;
        case 't': bits |= 01000; break;
        default: return std::nullopt;
      }
    }
    bits &= who;
    mode = how == '+' ? mode | bits : how == '-' ? mode & ~bits : (mode & ~(who & 0777)) | bits;
  }
  return mode;
}

int run_chmod(Process& process) {
  // A mode may look like an option: chmod -x FILE.
  std::vector<std::string> words;
  bool recursive = false, verbose = false;
  for (size_t i = 1; i < process.args.size(); ++i) {
    const std::string& arg = process.args[i];
    if (arg == "-R" || arg == "--recursive")
      recursive = true;
    else if (arg == "-v")
      verbose = true;
    else if (arg != "-f" && arg != "--")
      words.push_back(arg);
  }
  if (words.empty()) return process.misuse({"missing operand"});
  if (words.size() == 1) return process.misuse({fmt::format("missing operand after '{}'", words[0])});
  if (!changed_mode(words[0], 0, false)) return process.misuse({fmt::format("invalid mode: '{}'", words[0])});
  int status = 0;
  Files& files = process.machine.files;
  for (size_t i = 1; i < words.size(); ++i) {
    std::vector<std::string> all = {words[i]};
    if (recursive) all.clear(), gather(process, words[i], all, status);
    for (const std::string& shown : all) {
      std::string path = process.path(shown);
      Result<const Entry*> entry = files.look(path, process.session.who);
      if (!entry) {
        status = process.fail(fmt::format("cannot access '{}': {}", shown, entry.error().text));
        continue;
      }
      int mode = *changed_mode(words[0], (*entry)->mode, (*entry)->directory);
      Status changed = files.set_mode(path, mode, process.session.who);
      if (!changed) status = process.fail(fmt::format("changing permissions of '{}': {}", shown, changed.error().text));
      if (changed && verbose) process.out.line(fmt::format("mode of '{}' changed to {:04o}", shown, mode));
    }
  }
  return status;
}

int change_owner(Process& process, bool group_only) {
  Result<Options> options = parse_options(process, "Rvf");
  if (!options) return process.misuse(options.error());
  std::vector<std::string> words = options->operands;
  if (words.empty()) return process.misuse({"missing operand"});
  if (words.size() == 1) return process.misuse({fmt::format("missing operand after '{}'", words[0])});
  const Accounts& accounts = process.machine.accounts;
  size_t colon = words[0].find_first_of(":");
  std::string owner = group_only ? "" : words[0].substr(0, colon);
  std::string group = group_only ? words[0] : colon == std::string::npos ? "" : words[0].substr(colon + 1);
  if (!owner.empty() && !accounts.contains(owner)) return process.fail(fmt::format("invalid user: '{}'", words[0]));
  if (!group.empty() && !is_group(accounts, group)) return process.fail(fmt::format("invalid group: '{}'", words[0]));
  if (words[0].ends_with(':') && !owner.empty()) group = accounts.at(owner).groups.at(0);
  int status = 0;
  for (size_t i = 1; i < words.size(); ++i) {
    std::vector<std::string> all = {words[i]};
    if (options->has('R')) all.clear(), gather(process, words[i], all, status);
    for (const std::string& shown : all) {
      std::string path = process.path(shown);
      Result<const Entry*> entry = process.machine.files.look(path, process.session.who);
      Status changed =
          entry ? process.machine.files.set_owner(path, owner, group, process.session.who) : Status(entry.error());
      if (!changed)
        status = process.fail(entry ? fmt::format("changing {} of '{}': {}", group_only ? "group" : "ownership", shown,
                                                  changed.error().text)
                                    : fmt::format("cannot access '{}': {}", shown, changed.error().text));
    }
  }
  return status;
}

int run_chown(Process& process) { return change_owner(process, false); }
int run_chgrp(Process& process) { return change_owner(process, true); }

}  // namespace

std::span<const CommandRow> change_commands() {
  static constexpr CommandRow rows[] = {
      {"chgrp", run_chgrp, "chgrp [-R] GROUP FILE...: give files to a group"},
      {"chmod", run_chmod, "chmod [-R] MODE FILE...: set permissions (640, u+x, go-w)"},
      {"chown", run_chown, "chown [-R] OWNER[:GROUP] FILE...: give files to somebody"},
      {"cp", run_cp, "cp [-rapnv] SOURCE... TARGET: copy files"},
      {"mkdir", run_mkdir, "mkdir [-p] [-m MODE] DIRECTORY...: make directories"},
      {"mv", run_mv, "mv [-nv] SOURCE... TARGET: move or rename files"},
      {"rm", run_rm, "rm [-rfdv] FILE...: remove files"},
      {"rmdir", run_rmdir, "rmdir DIRECTORY...: remove empty directories"},
      {"shred", run_shred, "shred [-u] FILE...: overwrite files, and remove them with -u"},
      {"touch", run_touch, "touch [-c] [-d TIME] [-r FILE] FILE...: make files, or set their time"},
      {"truncate", run_truncate, "truncate -s BYTES FILE...: cut or fill files to a size"},
  };
  return rows;
}

}  // namespace assay::shell
