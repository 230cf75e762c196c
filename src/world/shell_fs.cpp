#include "world/shell_fs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"

namespace assay::shell {
namespace {

Error because(const char* text) { return Error{text}; }

const char not_found[] = "No such file or directory";
const char denied[] = "Permission denied";
const char not_permitted[] = "Operation not permitted";
const char is_directory[] = "Is a directory";
const char not_directory[] = "Not a directory";
const char exists[] = "File exists";
const char not_empty[] = "Directory not empty";
const char too_large[] = "File too large";
const char no_space[] = "No space left on device";
const char name_too_long[] = "File name too long";
const char busy[] = "Device or resource busy";
const char invalid[] = "Invalid argument";

}  // namespace

// --- Paths ---

std::string absolute(std::string_view cwd, std::string_view path) {
  std::vector<std::string> parts;
  auto walk = [&](std::string_view steps) {
    for (const std::string& step : split(steps, '/')) {
      if (step.empty() || step == ".") continue;
      if (step != "..")
        parts.push_back(step);
      else if (!parts.empty())
        parts.pop_back();
    }
  };
  if (!path.starts_with('/')) walk(cwd);
  walk(path);
  return "/" + joined(parts, "/");
}

std::string parent_of(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

std::string name_of(std::string_view path) {
  size_t slash = path.rfind('/');
  return path.size() <= 1 || slash == std::string_view::npos ? std::string(path) : std::string(path.substr(slash + 1));
}

std::string below(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.ends_with('/')) path += '/';
  return path += name;
}

bool is_inside(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.size() > 1;
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

// --- Accounts ---

bool User::in(std::string_view group) const { return std::find(groups.begin(), groups.end(), group) != groups.end(); }

bool Account::can_log_in() const {
  return enabled && !login_shell.ends_with("/nologin") && !login_shell.ends_with("/false");
}

User user_named(const Accounts& accounts, const std::string& name) {
  auto found = accounts.find(name);
  return {name, found == accounts.end() ? std::vector<std::string>{name} : found->second.groups};
}

bool is_group(const Accounts& accounts, const std::string& group) {
  for (const auto& [name, account] : accounts)
    if (name == group || std::find(account.groups.begin(), account.groups.end(), group) != account.groups.end())
      return true;
  return false;
}

int group_id(const Accounts& accounts, const std::string& group) {
  if (auto own = accounts.find(group); own != accounts.end()) return own->second.uid;
  std::set<std::string> others;
  for (const auto& [name, account] : accounts)
    for (const std::string& other : account.groups)
      if (!accounts.contains(other)) others.insert(other);
  return 2000 + static_cast<int>(std::distance(others.begin(), others.lower_bound(group)));
}

// --- Permissions ---

bool allows(const Entry& entry, const User& who, Permission wanted) {
  if (who.is_root()) return true;
  int shift = who.name == entry.owner ? 6 : who.in(entry.group) ? 3 : 0;
  return (entry.mode >> shift) & wanted;
}

// Each directory above the path is there, is one, and may be searched.
Status Files::reach(const std::string& path, const User& who) const {
  for (size_t slash = 0; slash != std::string::npos; slash = path.find('/', slash + 1)) {
    std::string above = slash == 0 ? "/" : path.substr(0, slash);
    if (above == path) break;  // "/" itself
    auto found = entries_.find(above);
    if (found == entries_.end()) return because(not_found);
    if (!found->second.directory) return because(not_directory);
    if (!allows(found->second, who, may_search)) return because(denied);
  }
  return Done{};
}

Result<const Entry*> Files::look(const std::string& path, const User& who) const {
  if (Status reached = reach(path, who); !reached) return reached.error();
  auto found = entries_.find(path);
  if (found == entries_.end()) return because(not_found);
  return &found->second;
}

Result<Entry*> Files::find_to_change(const std::string& path, const User& who) {
  if (Status reached = reach(path, who); !reached) return reached.error();
  auto found = entries_.find(path);
  if (found == entries_.end()) return because(not_found);
  return &found->second;
}

// Whether `who` may make the name `path` appear or go in its directory.
Status Files::may_change_names_in(const std::string& directory, const std::string& path, const User& who) const {
  const Entry& parent = entries_.at(directory);
  if (!allows(parent, who, may_write) || !allows(parent, who, may_search)) return because(denied);
  auto old = entries_.find(path);
  bool sticky = parent.mode & 01000;
  if (sticky && old != entries_.end() && !who.is_root() && who.name != old->second.owner && who.name != parent.owner)
    return because(not_permitted);
  return Done{};
}

Status Files::has_room_for(const std::string& path, size_t bytes) const {
  if (path.size() > longest_path || std::count(path.begin(), path.end(), '/') > deepest_path ||
      name_of(path).size() > longest_name)
    return because(name_too_long);
  if (bytes > longest_file) return because(too_large);
  if (entries_.size() >= most_entries || bytes_ + bytes > most_file_bytes) return because(no_space);
  return Done{};
}

// --- Looking ---

Result<std::string> Files::read(const std::string& path, const User& who) const {
  Result<const Entry*> entry = look(path, who);
  if (!entry) return entry.error();
  if ((*entry)->directory) return because(is_directory);
  if (!allows(**entry, who, may_read)) return because(denied);
  return *(*entry)->text;
}

Result<std::vector<std::string>> Files::list(const std::string& directory, const User& who) const {
  Result<const Entry*> entry = look(directory, who);
  if (!entry) return entry.error();
  if (!(*entry)->directory) return because(not_directory);
  if (!allows(**entry, who, may_read)) return because(denied);
  std::vector<std::string> names;
  std::string prefix = below(directory, "");
  for (auto i = entries_.upper_bound(prefix); i != entries_.end() && i->first.starts_with(prefix); ++i)
    if (i->first.find('/', prefix.size()) == std::string::npos) names.push_back(i->first.substr(prefix.size()));
  return names;
}

// --- Changing ---

Status Files::write(const std::string& path, std::string text, const User& who) {
  if (path == null_device) return Done{};
  if (Status reached = reach(path, who); !reached) return reached;
  auto found = entries_.find(path);
  if (found == entries_.end()) {
    if (Status allowed = may_change_names_in(parent_of(path), path, who); !allowed) return allowed;
    if (Status room = has_room_for(path, text.size()); !room) return room;
    bytes_ += text.size();
    entries_[path] = {next_id_++,
                      false,
                      who.name,
                      who.groups.at(0),
                      0644,
                      clock_,
                      std::make_shared<const std::string>(std::move(text))};
    return Done{};
  }
  Entry& file = found->second;
  if (file.directory) return because(is_directory);
  if (!allows(file, who, may_write)) return because(denied);
  if (text.size() > longest_file) return because(too_large);
  if (bytes_ - file.text->size() + text.size() > most_file_bytes) return because(no_space);
  bytes_ += text.size() - file.text->size();
  file.text = std::make_shared<const std::string>(std::move(text));
  file.modified = clock_;
  return Done{};
}

Status Files::append(const std::string& path, std::string_view text, const User& who) {
  auto found = entries_.find(path);
  std::string whole = found == entries_.end() ? "" : *found->second.text;  // write() judges whether it may be changed
  return write(path, whole.append(text), who);
}

Status Files::make_directory(const std::string& path, const User& who) {
  if (Status reached = reach(path, who); !reached) return reached;
  if (entries_.contains(path)) return because(exists);
  if (Status allowed = may_change_names_in(parent_of(path), path, who); !allowed) return allowed;
  if (Status room = has_room_for(path, 0); !room) return room;
  entries_[path] = {next_id_++, true, who.name, who.groups.at(0), 0755, clock_};
  return Done{};
}

Status Files::remove(const std::string& path, const User& who) {
  Result<const Entry*> entry = look(path, who);
  if (!entry) return entry.error();
  if (path == "/" || path == null_device) return because(busy);
  if (Status allowed = may_change_names_in(parent_of(path), path, who); !allowed) return allowed;
  auto next = entries_.lower_bound(below(path, ""));
  if (next != entries_.end() && is_inside(next->first, path)) return because(not_empty);
  bytes_ -= (*entry)->text->size();
  entries_.erase(path);
  return Done{};
}

Status Files::move(const std::string& from, const std::string& to, const User& who) {
  Result<const Entry*> source = look(from, who);
  if (!source) return source.error();
  if (from == "/" || to == "/" || from == null_device || to == null_device) return because(busy);
  if (Status reached = reach(to, who); !reached) return reached;
  if (from == to) return Done{};
  if (is_inside(to, from)) return because(invalid);
  for (const std::string& path : {from, to})
    if (Status allowed = may_change_names_in(parent_of(path), path, who); !allowed) return allowed;

  std::vector<std::string> paths = {from};
  for (auto i = entries_.lower_bound(below(from, "")); i != entries_.end() && is_inside(i->first, from); ++i)
    paths.push_back(i->first);
  for (const std::string& path : paths) {
    std::string moved = to + path.substr(from.size());
    if (moved.size() > longest_path || std::count(moved.begin(), moved.end(), '/') > deepest_path ||
        name_of(moved).size() > longest_name)
      return because(name_too_long);
  }
  if (auto target = entries_.find(to); target != entries_.end()) {
    if ((*source)->directory && !target->second.directory) return because(not_directory);
    if (!(*source)->directory && target->second.directory) return because(is_directory);
    if (Status removed = remove(to, who); !removed) return removed;
  }
  for (const std::string& path : paths) {
    auto node = entries_.extract(path);
    node.key() = to + path.substr(from.size());
    entries_.insert(std::move(node));
  }
  return Done{};
}

Status Files::touch(const std::string& path, int64_t when, const User& who) {
  Result<Entry*> entry = find_to_change(path, who);
  if (!entry) return entry.error();
  if (who.name != (*entry)->owner && !allows(**entry, who, may_write)) return because(denied);
  if (path != null_device) (*entry)->modified = when;
  return Done{};
}

Status Files::set_mode(const std::string& path, int mode, const User& who) {
  Result<Entry*> entry = find_to_change(path, who);
  if (!entry) return entry.error();
  if (!who.is_root() && who.name != (*entry)->owner) return because(not_permitted);
  (*entry)->mode = mode & 07777;
  return Done{};
}

Status Files::set_owner(const std::string& path, const std::string& owner, const std::string& group, const User& who) {
  Result<Entry*> entry = find_to_change(path, who);
  if (!entry) return entry.error();
  bool gives_away = !owner.empty() && owner != (*entry)->owner;
  bool own_group = group.empty() || (who.name == (*entry)->owner && who.in(group));
  if (!who.is_root() && (gives_away || !own_group)) return because(not_permitted);
  if (!owner.empty()) (*entry)->owner = owner;
  if (!group.empty()) (*entry)->group = group;
  return Done{};
}

// --- Setting up ---

Files::Files(int64_t clock) : clock_(clock) {
  auto directory = [&](int mode) { return Entry{next_id_++, true, "root", "root", mode, clock}; };
  entries_["/"] = directory(0755);
  for (const char* path : {"/dev", "/etc", "/home", "/var"}) entries_[path] = directory(0755);
  entries_["/tmp"] = directory(01777);
  entries_[null_device] = Entry{next_id_++, false, "root", "root", 0666, clock};
}

Status Files::put(const std::string& path, Entry entry) {
  if (path == null_device) return because(exists);
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    std::string above = path.substr(0, slash);
    auto found = entries_.find(above);
    if (found == entries_.end()) {
      if (Status room = has_room_for(above, 0); !room) return room;
      entries_[above] = {next_id_++, true, "root", "root", 0755, entry.modified};
    } else if (!found->second.directory) {
      return because(not_directory);
    }
  }
  auto old = entries_.find(path);
  if (old != entries_.end() && old->second.directory != entry.directory)
    return because(entry.directory ? not_directory : is_directory);
  size_t before = old == entries_.end() ? 0 : old->second.text->size();
  bytes_ -= before;
  if (Status room = has_room_for(path, entry.text->size()); !room) {
    bytes_ += before;
    return room;
  }
  bytes_ += entry.text->size();
  entry.id = old == entries_.end() ? next_id_++ : old->second.id;
  entries_[path] = std::move(entry);
  return Done{};
}

}  // namespace assay::shell
