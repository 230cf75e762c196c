// What the simulated machine of the `shell` world holds: a tree of files with owners and permissions, and the accounts
// of the people on it. Plain values: nothing here touches a real file, and a copy is a snapshot (texts are shared).
//
// Paths in this header are absolute and normal: "/", "/srv/data.csv"; no "." or "..", no doubled or final slash. There
// are no links. Errors carry the words of strerror(3) ("Permission denied"), for a command to put its name before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay::shell {

inline constexpr size_t most_entries = 4000;        // files and directories of one machine
inline constexpr size_t longest_file = 1 << 20;     // bytes
inline constexpr size_t most_file_bytes = 8 << 20;  // of all files together
inline constexpr size_t longest_name = 255;         // bytes of one part of a path
inline constexpr size_t longest_path = 1024;        // bytes
inline constexpr std::ptrdiff_t deepest_path = 64;  // parts of a path
inline constexpr char null_device[] = "/dev/null";  // reads as nothing, and what is written to it is gone

// The normal path that `path` means in the directory `cwd`.
std::string absolute(std::string_view cwd, std::string_view path);
std::string parent_of(std::string_view path);  // of "/": "/"
std::string name_of(std::string_view path);    // the last part; of "/": "/"
std::string below(std::string_view directory, std::string_view name);
bool is_inside(std::string_view path, std::string_view directory);  // strictly

// --- Accounts ---

// Whose permissions count.
struct User {
  std::string name;
  std::vector<std::string> groups;  // the first is the one that new files get
  bool is_root() const { return name == "root"; }
  bool in(std::string_view group) const;
};

struct Account {
  int uid = 0;
  std::vector<std::string> groups;  // never empty; the first is the primary one
  std::string home, display_name, login_shell = "/bin/bash";
  bool enabled = true;       // false: the password is locked, nobody can log in
  int password_changes = 0;  // counted, so that a change shows; passwords themselves are not kept
  bool operator==(const Account&) const = default;
  bool can_log_in() const;  // enabled, and with a shell that is one
};

// By name; root is always among them.
using Accounts = std::map<std::string, Account>;

User user_named(const Accounts& accounts, const std::string& name);  // a name without an account has only itself
// 0 for root's, an account's uid for the group of its name, from 2000 up (in order of the names) for the others.
int group_id(const Accounts& accounts, const std::string& group);
bool is_group(const Accounts& accounts, const std::string& group);

// --- Files ---

struct Entry {
  uint64_t id = 0;  // stays with a file that is moved
  bool directory = false;
  std::string owner, group;
  int mode = 0;                                                               // permission bits, 07777
  int64_t modified = 0;                                                       // seconds since 1970, UTC
  std::shared_ptr<const std::string> text = std::make_shared<std::string>();  // never null; of a directory empty
};

enum Permission { may_read = 4, may_write = 2, may_search = 1 };
bool allows(const Entry& entry, const User& who, Permission wanted);  // root may all

// Every change and every look is somebody's: `who` needs search permission on each directory above the path, write
// permission on the directory in which a name appears or goes (in a sticky one, such as /tmp, ownership too). After an
// error nothing has changed.
class Files {
 public:
  explicit Files(int64_t clock);  // holds /, /dev/null, /etc, /home, /tmp and /var

  Result<const Entry*> look(const std::string& path, const User& who) const;
  Result<std::string> read(const std::string& path, const User& who) const;
  Result<std::vector<std::string>> list(const std::string& directory, const User& who) const;  // names in byte order

  // Makes the file if there is none (mode 0644).
  Status write(const std::string& path, std::string text, const User& who);
  Status append(const std::string& path, std::string_view text, const User& who);
  Status make_directory(const std::string& path, const User& who);  // mode 0755
  Status remove(const std::string& path, const User& who);          // a file or an empty directory
  // Under the new name; what a file replaces is gone. A directory replaces only an empty one.
  Status move(const std::string& from, const std::string& to, const User& who);
  Status touch(const std::string& path, int64_t when, const User& who);  // the owner, or who may write
  Status set_mode(const std::string& path, int mode, const User& who);   // the owner
  // Root; the owner may give a group of theirs. "" leaves a part as it is.
  Status set_owner(const std::string& path, const std::string& owner, const std::string& group, const User& who);

  // Puts a file (or, with `directory`, a directory) without asking anybody, with the directories above it that are
  // missing (root's, 0755). For setting up, and for what the machine itself keeps.
  Status put(const std::string& path, Entry entry);

  // All of it, in byte order of the paths; for the record, not for commands.
  const std::map<std::string, Entry>& all() const { return entries_; }

 private:
  Status reach(const std::string& path, const User& who) const;
  Status may_change_names_in(const std::string& directory, const std::string& path, const User& who) const;
  Status has_room_for(const std::string& path, size_t bytes) const;
  Result<Entry*> find_to_change(const std::string& path, const User& who);

  std::map<std::string, Entry> entries_;
  int64_t clock_;
  uint64_t next_id_ = 1;
  size_t bytes_ = 0;  // of all texts
};

}  // namespace assay::shell
