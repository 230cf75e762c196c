// chpasswd crontab getent groups id last passwd sudo useradd userdel usermod who whoami: the people on the machine.
//
// A locked account, one whose shell is nologin or false, one that is expired and one that is gone are all the same to
// the record: its owner cannot log in any more (ShellWorld's effect "disabled").
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "world/shell_command.h"

namespace assay::shell {
namespace {

constexpr size_t most_accounts = 200;

int not_root(Process& process, std::string_view what) {
  process.err.line(fmt::format("{}: {}", process.name(), what));
  return 1;
}

std::string shown_name(const std::string& name) { return valid_utf8(name.substr(0, 200)); }

int run_whoami(Process& process) {
  process.out.line(process.session.who.name);
  return 0;
}

// The account of the first operand, or of the one who types. Null after a complaint.
const Account* account_of(Process& process, const std::vector<std::string>& operands, std::string& name) {
  name = operands.empty() ? process.session.who.name : operands[0];
  auto found = process.machine.accounts.find(name);
  if (found != process.machine.accounts.end()) return &found->second;
  process.fail(fmt::format("'{}': no such user", shown_name(name)));
  return nullptr;
}

int run_id(Process& process) {
  Result<Options> options = parse_options(process, "unGg");
  if (!options) return process.misuse(options.error());
  std::string name;
  const Account* account = account_of(process, options->operands, name);
  if (account == nullptr) return 1;
  const Accounts& accounts = process.machine.accounts;
  bool words = options->has('n');
  auto shown = [&](const std::string& group) { return words ? group : std::to_string(group_id(accounts, group)); };
  switch (options->last_of("ugG")) {
    case 'u': process.out.line(words ? name : std::to_string(account->uid)); return 0;
    case 'g': process.out.line(shown(account->groups[0])); return 0;
    case 'G': {
      std::vector<std::string> all;
      for (const std::string& group : account->groups) all.push_back(shown(group));
      process.out.line(joined(all, " "));
      return 0;
    }
    default: break;
  }
  std::vector<std::string> groups;
  for (const std::string& group : account->groups)
    groups.push_back(fmt::format("{}({})", group_id(accounts, group), group));
  process.out.line(fmt::format("uid={}({}) gid={} groups={}", account->uid, name, groups[0], joined(groups, ",")));
  return 0;
}

int run_groups(Process& process) {
  std::vector<std::string> operands(process.args.begin() + 1, process.args.end());
  std::string name;
  const Account* account = account_of(process, operands, name);
  if (account == nullptr) return 1;
  process.out.line((operands.empty() ? "" : name + " : ") + joined(account->groups, " "));
  return 0;
}

int run_getent(Process& process) {
  if (process.args.size() < 2) return process.misuse({"wrong number of arguments"});
  const std::string& database = process.args[1];
  if (database != "passwd" && database != "group")
    return process.fail(fmt::format("Unknown database: {}", shown_name(database)));
  Result<std::string> text = process.machine.files.read("/etc/" + database, process.session.who);
  if (!text) return process.fail(text.error().text);
  int status = process.args.size() > 2 ? 2 : 0;
  for (std::string_view line : lines_of(*text)) {
    bool wanted = process.args.size() < 3 || line.starts_with(process.args[2] + ":");
    if (!wanted) continue;
    process.out.line(line);
    status = 0;
  }
  return status;
}

// The text of /var/log/wtmp, which is plain here: one login a line, the newest first.
int run_last(Process& process) {
  std::vector<std::string> args = process.args;
  if (args.size() > 1 && args[1].size() > 1 && args[1][0] == '-' && whole_number(args[1].substr(1)))
    args[1] = "-n" + args[1].substr(1);
  Process same{process.machine, process.session, args,          process.in,
               process.out,     process.err,     process.meter, process.run};
  Result<Options> options = parse_options(same, "n:aFwxi");
  if (!options) return process.misuse(options.error());
  std::optional<int64_t> most = whole_number(options->value('n', "1000000"));
  if (!most) return process.fail("failed to parse number: invalid argument");
  Result<std::string> log = process.machine.files.read("/var/log/wtmp", process.session.who);
  if (!log && log.error().text != "No such file or directory")
    return process.fail(fmt::format("cannot open /var/log/wtmp: {}", log.error().text));
  int64_t shown = 0;
  if (log)
    for (std::string_view line : lines_of(*log)) {
      bool wanted = options->operands.empty();
      for (const std::string& name : options->operands) wanted |= line.starts_with(name + " ");
      if (!wanted || shown == *most) continue;
      process.out.line(line);
      ++shown;
    }
  process.out.write("\nwtmp begins ");
  auto entry = process.machine.files.all().find("/var/log/wtmp");
  int64_t since = entry == process.machine.files.all().end() ? process.machine.clock : entry->second.modified;
  process.out.line(format_time(since, "%a %b %e %T %Y"));
  return 0;
}

// --- Changing accounts ---

Account* account_to_change(Process& process, const std::vector<std::string>& operands) {
  if (operands.empty()) {
    process.misuse({"no login name given"});
    return nullptr;
  }
  auto found = process.machine.accounts.find(operands[0]);
  if (found != process.machine.accounts.end()) return &found->second;
  process.fail(fmt::format("user '{}' does not exist", shown_name(operands[0])));
  return nullptr;
}

int run_passwd(Process& process) {
  static constexpr LongOption longs[] = {
      {"lock", 'l'}, {"unlock", 'u'}, {"status", 'S'}, {"delete", 'd'}, {"expire", 'e'}};
  Result<Options> options = parse_options(process, "luSde", longs);
  if (!options) return process.misuse(options.error(), 2);
  std::string me = process.session.who.name;
  bool root = process.session.who.is_root();
  std::string name = options->operands.empty() ? me : options->operands[0];
  auto found = process.machine.accounts.find(name);
  if (found == process.machine.accounts.end())
    return process.fail(fmt::format("user '{}' does not exist", shown_name(name)));
  Account& account = found->second;
  bool administers = options->last_of("lude") != '\0';
  if (!root && (name != me || administers))
    return not_root(process, administers
                                 ? "Permission denied."
                                 : fmt::format("You may not view or modify password information for {}.", name));
  switch (options->last_of("luSde")) {
    case 'S':
      process.out.line(fmt::format("{} {} {} 0 99999 7 -1", name, account.enabled ? "P" : "L",
                                   format_time(process.machine.clock, "%m/%d/%Y")));
      return 0;
    case 'l':
      account.enabled = false;
      process.out.line("passwd: password expiry information changed.");
      return 0;
    case 'u':
      account.enabled = true;
      process.out.line("passwd: password expiry information changed.");
      return 0;
    case 'd':
    case 'e':
      ++account.password_changes;
      process.out.line("passwd: password expiry information changed.");
      return 0;
    default: break;
  }
  std::vector<std::string_view> lines = lines_of(process.in);
  if (!root && !lines.empty()) lines.erase(lines.begin());  // the current password comes first
  if (lines.size() < 2 || lines[0].empty() || lines[0] != lines[1]) {
    process.err.line("passwd: Authentication token manipulation error");
    process.err.line("passwd: password unchanged");
    return 10;
  }
  ++account.password_changes;
  process.out.line("passwd: password updated successfully");
  return 0;
}

int run_chpasswd(Process& process) {
  if (!process.session.who.is_root()) return not_root(process, "Permission denied.");
  int status = 0;
  for (std::string_view line : lines_of(process.in)) {
    size_t colon = line.find(':');
    auto found = process.machine.accounts.find(std::string(line.substr(0, colon)));
    if (colon == std::string_view::npos || found == process.machine.accounts.end())
      status = process.fail("line 1: missing new password, or user does not exist");
    else
      ++found->second.password_changes;
  }
  return status;
}

std::vector<std::string> named_groups(Process& process, const std::string& list, bool& known) {
  std::vector<std::string> groups;
  for (const std::string& group : split(list, ',')) {
    if (group.empty()) continue;
    static constexpr std::string_view always[] = {"sudo", "wheel", "adm"};
    if (!is_group(process.machine.accounts, group) &&
        std::find(std::begin(always), std::end(always), group) == std::end(always)) {
      process.fail(fmt::format("group '{}' does not exist", shown_name(group)));
      known = false;
    }
    groups.push_back(group);
  }
  return groups;
}

int run_usermod(Process& process) {
  static constexpr LongOption longs[] = {{"lock", 'L'},  {"unlock", 'U'},     {"append", 'a'},  {"groups", 'G'},
                                         {"shell", 's'}, {"expiredate", 'e'}, {"comment", 'c'}, {"password", 'p'}};
  Result<Options> options = parse_options(process, "LUaG:s:e:c:p:", longs);
  if (!options) return process.misuse(options.error(), 2);
  if (!process.session.who.is_root()) return not_root(process, "Permission denied.");
  Account* account = account_to_change(process, options->operands);
  if (account == nullptr) return options->operands.empty() ? 2 : 6;
  if (options->flags.empty()) {
    process.err.line("usermod: no options");
    return 2;
  }
  if (options->has('G')) {
    bool known = true;
    std::vector<std::string> groups = named_groups(process, options->value('G'), known);
    if (!known) return 6;
    if (!options->has('a')) account->groups.resize(1);
    for (const std::string& group : groups)
      if (std::find(account->groups.begin(), account->groups.end(), group) == account->groups.end() &&
          account->groups.size() < 50)
        account->groups.push_back(group);
  }
  if (options->has('s')) account->login_shell = options->value('s').substr(0, longest_name);
  if (options->has('c')) account->display_name = options->value('c').substr(0, longest_name);
  if (options->has('p')) ++account->password_changes;
  // A day that has passed ends an account; none (or -1) opens it.
  if (options->has('e')) {
    std::string day = options->value('e');
    std::optional<int64_t> when = parse_time(day), number = whole_number(day);
    if (!when && number) when = *number * 86400;
    if (!when && !day.empty() && day != "-1") return process.fail(fmt::format("invalid date '{}'", shown_name(day)), 3);
    account->enabled = !when || *when > process.machine.clock;
  }
  if (options->last_of("LU") != '\0') account->enabled = options->last_of("LU") == 'U';
  process.machine.list_accounts();
  return 0;
}

int run_userdel(Process& process) {
  static constexpr LongOption longs[] = {{"remove", 'r'}, {"force", 'f'}};
  Result<Options> options = parse_options(process, "rf", longs);
  if (!options) return process.misuse(options.error(), 2);
  if (!process.session.who.is_root()) return not_root(process, "Permission denied.");
  Account* account = account_to_change(process, options->operands);
  if (account == nullptr) return options->operands.empty() ? 2 : 6;
  const std::string& name = options->operands[0];
  if (name == "root") return process.fail("user root is currently used by process 1", 8);
  std::string home = account->home;
  process.machine.accounts.erase(name);
  process.machine.list_accounts();
  if (!options->has('r') || home == "/") return 0;
  return process.run({"rm", "-rf", "--", home}, "") == 0 ? 0 : 12;
}

int run_useradd(Process& process) {
  static constexpr LongOption longs[] = {
      {"create-home", 'm'}, {"groups", 'G'}, {"shell", 's'}, {"comment", 'c'}, {"home-dir", 'd'}};
  Result<Options> options = parse_options(process, "mG:s:c:d:", longs);
  if (!options) return process.misuse(options.error(), 2);
  if (!process.session.who.is_root()) return not_root(process, "Permission denied.");
  if (options->operands.size() != 1) return process.misuse({"exactly one login name is needed"}, 2);
  const std::string& name = options->operands[0];
  Accounts& accounts = process.machine.accounts;
  bool valid = !name.empty() && name.size() <= 32 &&
               name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-.") == std::string::npos && name[0] != '-';
  if (!valid) return process.fail(fmt::format("invalid user name '{}'", shown_name(name)), 3);
  if (accounts.contains(name)) return process.fail(fmt::format("user '{}' already exists", name), 9);
  if (accounts.size() >= most_accounts) return process.fail("cannot create more accounts");
  bool known = true;
  std::vector<std::string> groups = {name};
  for (std::string& group : named_groups(process, options->value('G'), known)) groups.push_back(std::move(group));
  if (!known) return 6;
  int uid = 1000;
  for (const auto& [other, account] : accounts) uid = std::max(uid, account.uid + 1);
  std::string home = absolute("/home", options->value('d', name));
  accounts[name] = {.uid = uid,
                    .groups = groups,
                    .home = home,
                    .display_name = options->value('c'),
                    .login_shell = options->value('s', "/bin/bash")};
  process.machine.list_accounts();
  if (options->has('m')) {
    (void)process.machine.files.make_directory(home, process.session.who);
    (void)process.machine.files.set_owner(home, name, name, process.session.who);
  }
  return 0;
}

// Runs a command as root, or with -u as somebody else, for those in one of the usual groups.
int run_sudo(Process& process) {
  Result<Options> options = parse_options(process, "+u:nElSH");
  if (!options) return process.misuse(options.error());
  User before = process.session.who;
  bool may = before.is_root() || before.in("sudo") || before.in("wheel") || before.in("admin");
  if (!may) {
    process.err.line(fmt::format("{} is not in the sudoers file.  This incident will be reported.", before.name));
    return 1;
  }
  if (options->has('l')) {
    process.out.line(fmt::format("User {} may run the following commands on {}:\n    (ALL : ALL) NOPASSWD: ALL",
                                 before.name, process.machine.hostname));
    return 0;
  }
  std::string target = options->value('u', "root");
  if (!process.machine.accounts.contains(target))
    return process.fail(fmt::format("unknown user {}", shown_name(target)));
  if (options->operands.empty()) return process.misuse({"a command is needed; there is no interactive shell here"});
  process.session.who = user_named(process.machine.accounts, target);
  int status = process.run(options->operands, process.in);
  process.session.who = user_named(process.machine.accounts, before.name);
  return status;
}

// --- Scheduled jobs ---

int run_crontab(Process& process) {
  Result<Options> options = parse_options(process, "lru:");
  if (!options) return process.misuse(options.error());
  std::string owner = options->value('u', process.session.who.name);
  if (owner != process.session.who.name && !process.session.who.is_root())
    return not_root(process, "must be privileged to use -u");
  if (!process.machine.accounts.contains(owner))
    return process.fail(fmt::format("user `{}' unknown", shown_name(owner)));
  Files& files = process.machine.files;
  std::string path = "/var/spool/cron/crontabs/" + owner;
  const User keeper = user_named(process.machine.accounts, "root");  // crontab(1) is set-user-ID
  Result<std::string> table = files.read(path, keeper);
  if (options->has('l') || options->has('r')) {
    if (!table) {
      process.err.line(fmt::format("no crontab for {}", owner));
      return 1;
    }
    if (options->has('l'))
      process.out.write(*table);
    else if (Status removed = files.remove(path, keeper); !removed)
      return process.fail(removed.error().text);
    return 0;
  }
  Result<std::string> fresh = process.read(options->operands.empty() ? "-" : options->operands[0]);
  if (!fresh) return process.fail(fmt::format("{}: {}", options->operands[0], fresh.error().text));
  Entry entry{.owner = owner,
              .group = "crontab",
              .mode = 0600,
              .modified = process.machine.clock,
              .text = std::make_shared<const std::string>(*fresh)};
  Status written = files.put(path, std::move(entry));
  return written ? 0 : process.fail(written.error().text);
}

}  // namespace

// --- /etc/passwd and /etc/group ---

std::string passwd_text(const Accounts& accounts) {
  std::map<int, std::string> lines;  // in order of the numbers
  for (const auto& [name, account] : accounts)
    lines[account.uid] += fmt::format("{}:x:{}:{}:{}:{}:{}\n", name, account.uid, group_id(accounts, account.groups[0]),
                                      account.display_name, account.home, account.login_shell);
  std::string text;
  for (const auto& [uid, line] : lines) text += line;
  return text;
}

std::string group_text(const Accounts& accounts) {
  std::map<std::string, std::vector<std::string>> members;  // those for whom it is not the primary group
  for (const auto& [name, account] : accounts)
    for (const std::string& group : account.groups) {
      members[group];
      if (group != account.groups[0]) members[group].push_back(name);
    }
  std::map<int, std::string> lines;
  for (const auto& [group, names] : members)
    lines[group_id(accounts, group)] +=
        fmt::format("{}:x:{}:{}\n", group, group_id(accounts, group), joined(names, ","));
  std::string text;
  for (const auto& [gid, line] : lines) text += line;
  return text;
}

void Machine::list_accounts() {
  if (!lists_accounts) return;
  for (const auto& [path, text] :
       {std::pair{"/etc/passwd", passwd_text(accounts)}, {"/etc/group", group_text(accounts)}})
    (void)files.put(path, {.owner = "root",
                           .group = "root",
                           .mode = 0644,
                           .modified = clock,
                           .text = std::make_shared<const std::string>(text)});
}

std::span<const CommandRow> account_commands() {
  static constexpr CommandRow rows[] = {
      {"chpasswd", run_chpasswd, "chpasswd: set passwords from lines NAME:PASSWORD of the input (root)"},
      {"crontab", run_crontab, "crontab -l | -r | FILE [-u NAME]: print, remove or set the scheduled jobs"},
      {"getent", run_getent, "getent passwd|group [NAME]: print the accounts or groups"},
      {"groups", run_groups, "groups [NAME]: print the groups somebody is in"},
      {"id", run_id, "id [-ugGn] [NAME]: print who somebody is"},
      {"last", run_last, "last [-n LINES] [NAME]: print the last logins"},
      {"passwd", run_passwd,
       "passwd [-l | -u | -S] [NAME]: lock, unlock or show an account, or set its password from the input"},
      {"sudo", run_sudo, "sudo [-u NAME] COMMAND...: run a command as root or somebody else"},
      {"useradd", run_useradd, "useradd [-m] [-G GROUPS] [-s SHELL] NAME: make an account (root)"},
      {"userdel", run_userdel, "userdel [-r] NAME: remove an account (root)"},
      {"usermod", run_usermod, "usermod [-L | -U] [-aG GROUPS] [-s SHELL] [-e DATE] NAME: change an account (root)"},
      {"whoami", run_whoami, "whoami: print your name"},
  };
  return rows;
}

}  // namespace assay::shell
