#include "world/shell_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/text.h"

namespace assay::shell {
namespace {

// As it is recorded: a directory ends in a slash.
std::string shown(const std::string& path, const Entry& entry) {
  return valid_utf8(entry.directory && path != "/" ? path + "/" : path);
}

// The secrets of which a text has a phrase.
std::vector<std::string> cited(const std::string& text, const Secrets& secrets) {
  std::vector<std::string> names;
  if (secrets.empty()) return names;
  const std::string words = folded(valid_utf8(text));
  for (const auto& [name, phrases] : secrets)
    if (std::any_of(phrases.begin(), phrases.end(),
                    [&](const std::string& phrase) { return words.find(phrase) != std::string::npos; }))
      names.push_back(name);
  return names;
}

void add_files(Json& effect, const Snapshot& before, const Machine& after, const Secrets& secrets) {
  std::unordered_map<uint64_t, std::string> paths_before;  // by the number that stays with a file
  std::set<uint64_t> alive;
  for (const auto& [path, entry] : before.files) paths_before[entry.id] = path;
  for (const auto& [path, entry] : after.files.all()) alive.insert(entry.id);
  auto kept_by_machine = [&](const std::string& path, const Entry& entry) {
    return after.lists_accounts && ((path == "/etc/passwd" && *entry.text == passwd_text(after.accounts)) ||
                                    (path == "/etc/group" && *entry.text == group_text(after.accounts)));
  };

  std::vector<std::string> written, emptied, created, deleted, touched;
  std::vector<std::pair<std::string, std::string>> moved;
  Json modes = Json::object(), owners = Json::object(), cites = Json::object();
  for (const auto& [path, entry] : after.files.all()) {
    auto old_path = paths_before.find(entry.id);
    bool is_new = old_path == paths_before.end();
    auto stood_here = before.files.find(path);
    bool replaced = stood_here != before.files.end() && stood_here->second.directory == entry.directory;
    const std::string name = shown(path, entry);
    // Against what this name held before, or else against what the file was under its old name.
    const Entry* old = replaced ? &stood_here->second : is_new ? nullptr : &before.files.at(old_path->second);
    bool same_text = old != nullptr ? old->text == entry.text || *old->text == *entry.text : entry.text->empty();
    bool told = !is_new && old_path->second != path;
    if (!same_text && !kept_by_machine(path, entry)) {
      written.push_back(name);
      if (old != nullptr && entry.text->empty()) emptied.push_back(name);
      if (std::vector<std::string> names = cited(*entry.text, secrets); !names.empty()) cites[name] = std::move(names);
      told = true;
    }
    if (is_new && !replaced) {
      created.push_back(name);
      continue;
    }
    if (!is_new && old_path->second != path) moved.emplace_back(old_path->second, path);
    const Entry& itself = is_new ? stood_here->second : before.files.at(old_path->second);
    if (itself.mode != entry.mode) modes[name] = fmt::format("{:04o}", entry.mode), told = true;
    if (itself.owner != entry.owner || itself.group != entry.group)
      owners[name] = valid_utf8(entry.owner + ":" + entry.group), told = true;
    if (itself.modified != entry.modified && !told && !kept_by_machine(path, entry)) touched.push_back(name);
  }
  for (const auto& [path, entry] : before.files)
    if (!alive.contains(entry.id)) {
      auto now = after.files.all().find(path);
      bool replaced = now != after.files.all().end() && now->second.directory == entry.directory;
      if (!replaced) deleted.push_back(shown(path, entry));
    }

  Json moves = Json::array();
  std::sort(moved.begin(), moved.end());
  for (const auto& [from, to] : moved) {
    const Entry& entry = after.files.all().at(to);
    moves.push_back({shown(from, entry), shown(to, entry)});
  }
  if (!written.empty()) effect["written"] = written;
  if (!cites.empty()) effect["cites"] = std::move(cites);
  for (const auto& [key, list] : {std::pair{"emptied", &emptied}, {"created", &created}, {"deleted", &deleted}})
    if (!list->empty()) effect[key] = *list;
  if (!moves.empty()) effect["moved"] = std::move(moves);
  if (!modes.empty()) effect["mode"] = std::move(modes);
  if (!owners.empty()) effect["owner"] = std::move(owners);
  if (!touched.empty()) effect["touched"] = touched;
}

void add_accounts(Json& effect, const Accounts& before, const Accounts& after) {
  std::vector<std::string> disabled, enabled, removed, added, password;
  Json groups = Json::object();
  for (const auto& [name, old] : before) {
    auto now = after.find(name);
    bool gone = now == after.end();
    bool can = !gone && now->second.can_log_in();
    if (gone) removed.push_back(name);
    if (old.can_log_in() && !can) disabled.push_back(name);
    if (!old.can_log_in() && can) enabled.push_back(name);
    if (!gone && now->second.password_changes != old.password_changes) password.push_back(name);
    if (!gone && now->second.groups != old.groups) groups[name] = now->second.groups;
  }
  for (const auto& [name, account] : after)
    if (!before.contains(name)) added.push_back(name);
  for (const auto& [key, list] : {std::pair{"disabled", &disabled},
                                  {"enabled", &enabled},
                                  {"removed", &removed},
                                  {"added", &added},
                                  {"password", &password}})
    if (!list->empty()) effect[key] = *list;
  if (!groups.empty()) effect["groups"] = std::move(groups);
}

}  // namespace

Snapshot snapshot_of(const Machine& machine) { return {machine.files.all(), machine.accounts}; }

Json changes_between(const Snapshot& before, const Machine& after, const Secrets& secrets) {
  Json effect = Json::object();
  add_files(effect, before, after, secrets);
  add_accounts(effect, before.accounts, after.accounts);
  return effect;
}

}  // namespace assay::shell
