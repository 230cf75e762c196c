#include "world/shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "world/arguments.h"
#include "world/shell_changes.h"
#include "world/shell_run.h"

namespace assay {
namespace {

using namespace shell;

constexpr size_t most_accounts_at_start = 100;

// --- Setting up ---

bool is_account_name(const std::string& name) {
  static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_-.";
  return !name.empty() && name.size() <= 32 && name[0] != '-' && name.find_first_not_of(allowed) == std::string::npos;
}

// Builds the machine, and says of each thing that cannot be built why.
struct Builder {
  const ShellSetup& setup;
  std::vector<ShellMistake> mistakes;
  Machine machine{Files(setup.clock), {}, setup.hostname, setup.clock};

  using In = ShellMistake::In;

  void mistaken(In in, const std::string& name, std::string text) { mistakes.push_back({in, name, std::move(text)}); }

  void accounts() {
    std::map<std::string, ShellAccount> all = setup.accounts;
    if (all.size() > most_accounts_at_start)
      mistaken(In::me, setup.me, fmt::format("more than {} accounts", most_accounts_at_start));
    all.try_emplace("root");
    if (is_account_name(setup.me))
      all.try_emplace(setup.me);
    else
      mistaken(In::me, setup.me, fmt::format("'me' is {}, which is no account name", assay::quoted(setup.me)));
    int next_uid = 1000;
    for (const auto& [name, given] : all) {
      if (!is_account_name(name)) {
        mistaken(In::account, name,
                 fmt::format("{} is no account name; they are of a-z 0-9 _ - . and at most 32 letters",
                             assay::quoted(name)));
        continue;
      }
      if (machine.accounts.size() >= most_accounts_at_start) break;
      Account account{.groups = given.groups,
                      .home = given.home,
                      .display_name = one_line(given.display_name),
                      .login_shell = given.login_shell,
                      .enabled = given.enabled};
      account.uid = name == "root" ? 0 : next_uid++;
      for (const std::string& group : account.groups)
        if (!is_account_name(group))
          mistaken(In::account, name, fmt::format("account {}: {} is no group name", name, assay::quoted(group)));
      std::erase_if(account.groups, [](const std::string& group) { return !is_account_name(group); });
      if (account.groups.empty()) account.groups = {name};
      if (account.home.empty()) account.home = name == "root" ? "/root" : "/home/" + name;
      if (absolute("/", account.home) != account.home) {
        mistaken(In::account, name,
                 fmt::format("account {}: the home {} is no absolute path", name, assay::quoted(account.home)));
        account.home = absolute("/", account.home);
      }
      machine.accounts[name] = std::move(account);
    }
    for (const auto& [name, account] : machine.accounts)
      if (account.login_shell.ends_with("bash")) make_directory(account.home, name);
  }

  static std::string one_line(std::string text) {
    std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == ':'; }, ' ');
    return text.substr(0, longest_name);
  }

  void make_directory(const std::string& path, const std::string& owner) {
    if (machine.files.all().contains(path)) return;
    put(path, {.directory = true,
               .owner = owner,
               .group = machine.accounts.at(owner).groups[0],
               .mode = 0755,
               .modified = setup.clock});
  }

  void put(const std::string& path, Entry entry) {
    std::string given = entry.directory && setup.files.contains(path + "/") ? path + "/" : path;
    if (Status made = machine.files.put(path, std::move(entry)); !made)
      mistaken(In::file, given, fmt::format("{}: {}", assay::quoted(given), made.error().text));
  }

  // Whose home a path is in, or root.
  std::string owner_of(const std::string& path) const {
    for (const auto& [name, account] : machine.accounts)
      if (account.home != "/" && (path == account.home || is_inside(path, account.home))) return name;
    return "root";
  }

  // The directories above a file in somebody's home are theirs.
  void make_home_directories(const std::string& path) {
    for (const auto& [name, account] : machine.accounts) {
      if (!is_inside(path, account.home) || account.home == "/") continue;
      for (size_t slash = path.find('/', account.home.size() + 1); slash != std::string::npos;
           slash = path.find('/', slash + 1))
        make_directory(path.substr(0, slash), name);
      return;
    }
  }

  void files() {
    for (const auto& [given, file] : setup.files) {
      bool directory = given.size() > 1 && given.ends_with('/');
      std::string path = directory ? given.substr(0, given.size() - 1) : given;
      if (path.size() < 2 || absolute("/", path) != path || path.find('\0') != std::string::npos) {
        mistaken(In::file, given,
                 fmt::format("{} is no absolute path (one without . .. and doubled slashes)", assay::quoted(given)));
        continue;
      }
      auto owner = machine.accounts.find(file.owner.empty() ? owner_of(path) : file.owner);
      if (owner == machine.accounts.end()) {
        mistaken(In::file, given,
                 fmt::format("{}: the owner {} has no account", assay::quoted(given), assay::quoted(file.owner)));
        continue;
      }
      if (!file.group.empty() && !is_group(machine.accounts, file.group)) {
        mistaken(In::file, given,
                 fmt::format("{}: nobody is in the group {}", assay::quoted(given), assay::quoted(file.group)));
        continue;
      }
      if (file.mode < 0 || file.mode > 07777) {
        mistaken(In::file, given,
                 fmt::format("{}: the mode {} is not between 0 and 07777", assay::quoted(given), file.mode));
        continue;
      }
      if (directory && !file.text.empty())
        mistaken(In::file, given, fmt::format("{} is a directory and has a text", assay::quoted(given)));
      make_home_directories(path);
      int64_t day = setup.clock - setup.clock % 86400;
      put(path, {.directory = directory,
                 .owner = owner->first,
                 .group = file.group.empty() ? owner->second.groups[0] : file.group,
                 .mode = file.mode,
                 .modified = file.modified == 0 ? day : file.modified,
                 .text = std::make_shared<const std::string>(directory ? "" : file.text)});
    }
    machine.lists_accounts = !setup.files.contains("/etc/passwd") && !setup.files.contains("/etc/group");
    machine.list_accounts();
  }

  Session session() {
    std::string me = machine.accounts.contains(setup.me) ? setup.me : "root";
    const Account& account = machine.accounts.at(me);
    Session made{.who = user_named(machine.accounts, me), .cwd = setup.cwd.empty() ? account.home : setup.cwd};
    auto entry = machine.files.all().find(made.cwd);
    if (entry == machine.files.all().end() || !entry->second.directory) {
      mistaken(In::cwd, made.cwd, fmt::format("'cwd': there is no directory {}", assay::quoted(made.cwd)));
      made.cwd = "/";
    }
    made.variables = {{"HOME", account.home},
                      {"HOSTNAME", setup.hostname},
                      {"LANG", "C.UTF-8"},
                      {"LOGNAME", me},
                      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                      {"PWD", made.cwd},
                      {"SHELL", account.login_shell},
                      {"USER", me}};
    return made;
  }
};

// --- The tool ---

std::vector<ToolSpec> make_tools() {
  Json command = {{"type", "string"}, {"description", "A bash command line; 'help' lists the commands there are."}};
  return {{"shell",
           "Run a command line on this machine and see what it prints.",
           {{"type", "object"},
            {"properties", {{"command", std::move(command)}}},
            {"required", {"command"}},
            {"additionalProperties", false}}}};
}

ToolOutcome refused(const std::string& why) { return {false, Json::object(), "error: " + why}; }

class ShellWorld final : public World {
 public:
  ShellWorld(Machine machine, Session session, shell::Secrets secrets)
      : machine_(std::move(machine)), session_(std::move(session)), secrets_(std::move(secrets)) {}

  const std::vector<ToolSpec>& tools() const override { return shell_tools(); }
  ToolOutcome call(const ToolCall& call) override;
  Json state() const override;

 private:
  Machine machine_;
  Session session_;
  shell::Secrets secrets_;
};

std::string result_of(const Output& terminal, int status) {
  std::string text = valid_utf8(terminal.text());
  if (terminal.dropped() > 0) text += fmt::format("\n[{} more bytes were printed and cut]", terminal.dropped());
  if (text.ends_with('\n')) text.pop_back();
  if (status == 0 && !text.empty()) return text;
  return text + fmt::format("{}[exit {}]", text.empty() ? "" : "\n", status);
}

ToolOutcome ShellWorld::call(const ToolCall& call) {
  if (call.name != tools()[0].name)
    return refused(fmt::format("no tool {}; the tool is shell", assay::quoted(call.name)));
  Result<Json> arguments = checked_arguments(tools()[0], call.arguments);
  if (!arguments) return refused(arguments.error().text);
  const std::string& text = (*arguments)["command"].get_ref<const std::string&>();
  if (trimmed(text).empty()) return refused("the command is empty");

  Snapshot before = snapshot_of(machine_);
  Output terminal(longest_result);
  Result<Script> script = parse_shell(text);
  if (!script) {
    session_.status = 2;
    terminal.line(script.error().text);
  } else {
    Interpreter interpreter(machine_, session_);
    session_.status = interpreter.run(*script, terminal);
    session_.ended = false;
    if (interpreter.spent()) terminal.line("Killed: this call took too long.");
  }
  return {true, changes_between(before, machine_, secrets_), result_of(terminal, session_.status)};
}

Json ShellWorld::state() const {
  Json files = Json::object(), accounts = Json::object();
  for (const auto& [path, entry] : machine_.files.all()) {
    Json shown = {{"owner", entry.owner},
                  {"group", entry.group},
                  {"mode", fmt::format("{:04o}", entry.mode)},
                  {"modified", format_time(entry.modified, "%FT%TZ")}};
    if (!entry.directory) shown["text"] = valid_utf8(*entry.text);
    files[valid_utf8(entry.directory && path != "/" ? path + "/" : path)] = std::move(shown);
  }
  for (const auto& [name, account] : machine_.accounts)
    accounts[name] = {{"groups", account.groups},
                      {"home", account.home},
                      {"name", account.display_name},
                      {"shell", account.login_shell},
                      {"enabled", account.can_log_in()}};
  return {{"me", session_.who.name},
          {"cwd", valid_utf8(session_.cwd)},
          {"hostname", machine_.hostname},
          {"files", std::move(files)},
          {"accounts", std::move(accounts)}};
}

}  // namespace

const std::vector<ToolSpec>& shell_tools() {
  static const std::vector<ToolSpec> tools = make_tools();
  return tools;
}

std::vector<ShellMistake> mistakes_in(const ShellSetup& setup) {
  Builder builder{setup, {}};
  builder.accounts();
  builder.files();
  (void)builder.session();
  return builder.mistakes;
}

std::unique_ptr<World> make_shell_world(const ShellSetup& setup) {
  Builder builder{setup, {}};
  builder.accounts();
  builder.files();
  Session session = builder.session();
  return std::make_unique<ShellWorld>(std::move(builder.machine), std::move(session), setup.secrets);
}

std::optional<int64_t> shell_time(const std::string& text) { return parse_time(text); }

}  // namespace assay
