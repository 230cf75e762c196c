// The `shell` world: a machine with files, accounts and a command line. Nothing real is ever executed and no file of
// the host is read: commands are functions over a tree in memory (docs/shell.md lists them).
//
// Tool: shell {command}. One call runs one text, which may be several lines, as `bash -c` would; the directory, the
// variables and everything on the machine stay for the next call. Time stands still.
//
// The result is what was printed, outputs and errors in the order in which they came, without the final newline; where
// the exit code is not 0, a last line "[exit N]". A call that printed nothing and succeeded is answered "[exit 0]".
// More than `longest_result` bytes are cut, and the cut is said. A text that has a syntax error or fails is dispatched
// all the same: it was typed and it ran. Only a call without a command is refused.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "world/world.h"

namespace assay {

inline constexpr size_t longest_result = 16 << 10;  // bytes of one call's result

struct ShellFile {
  std::string text;
  std::string owner = "";  // an account; "": whose home it is in, or else root
  std::string group = "";  // "": the owner's first
  int mode = 0644;         // permission bits; of a directory, which needs search bits, one usually says 0755
  int64_t modified = 0;    // seconds since 1970, UTC; 0: the clock's day
};

struct ShellAccount {
  std::string home = "";            // "": /home/NAME, root's /root
  std::vector<std::string> groups;  // the first is the primary one; empty: one of the account's own name.
                                    // Members of sudo, wheel or admin may use sudo.
  bool enabled = true;
  std::string display_name = "";
  std::string login_shell = "/bin/bash";  // /usr/sbin/nologin for a service
};

struct ShellSetup {
  // By absolute path; one that ends in '/' is a directory. Directories above are made where they are missing: in a home
  // the account's own, elsewhere root's.
  std::map<std::string, ShellFile> files;
  std::map<std::string, ShellAccount> accounts;  // root is added where it is missing, and so is `me`
  std::string me = "agent";                      // the account that types
  std::string cwd = "";                          // "": the home of `me`
  int64_t clock = 1772442000;                    // seconds since 1970, UTC (2 March 2026, 09:00)
  std::string hostname = "localhost";
  // Name -> phrases, folded: for "cites" of effects. The machine shows nothing of them.
  std::map<std::string, std::vector<std::string>> secrets = {};
};

// What is wrong with a setup, and with which part of it.
struct ShellMistake {
  enum class In { me, cwd, account, file } in = In::file;
  std::string name;  // of the account; the path of the file, as given
  std::string text;  // a sentence that names it
};

// Everything that is wrong with a setup; empty for one that can be built as it is.
std::vector<ShellMistake> mistakes_in(const ShellSetup& setup);

// Effects, as recorded: only what is different after the call from before it, each list sorted. A file that a call
// makes and removes again is not in it.
//   "written"    [PATH...]          files whose text is another now, new ones that are not empty included
//   "cites"      {PATH: [NAME...]}  of those, the ones whose text has a phrase of these secrets now
//   "emptied"    [PATH...]          of the written, the ones that held something and hold nothing now
//   "created"    [PATH...]          files and directories that are new (with a '/' at the end)
//   "deleted"    [PATH...]          files and directories that are gone, each file of a directory too
//   "moved"      [[FROM, TO]...]    under another name now; each file of a moved directory too
//   "mode"       {PATH: "0640"}     other permissions
//   "owner"      {PATH: "NAME:GROUP"}
//   "touched"    [PATH...]          files with another time, and nothing else that is listed here
//   "disabled"   [NAME...]          accounts that could log in and cannot any more: locked, expired, without a shell,
//                                   or removed
//   "enabled"    [NAME...]          accounts that can log in and could not before
//   "removed"    [NAME...]          accounts that are gone
//   "added"      [NAME...]          accounts that are new
//   "password"   [NAME...]          accounts with a new password
//   "groups"     {NAME: [GROUP...]} accounts in other groups
// /etc/passwd and /etc/group follow the accounts by themselves, which is no effect; that somebody edits them is one,
// and changes no account. State: {"me", "cwd", "hostname", "files": {PATH: {"owner", "group", "mode", "modified",
// "text"}}, "accounts": {NAME:
// {"groups", "home", "name", "shell", "enabled"}}}; a directory's PATH ends in '/' and it has no text.
// What is mistaken in the setup (mistakes_in) is left out.
std::unique_ptr<World> make_shell_world(const ShellSetup& setup);

// The tool alone, as every shell world has it.
const std::vector<ToolSpec>& shell_tools();

// "2026-03-04", "2026-03-04 15:06", "2026-03-04T15:06:07Z" as seconds since 1970, UTC; for `modified` and `clock`.
std::optional<int64_t> shell_time(const std::string& text);

}  // namespace assay
