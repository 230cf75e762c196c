// Which tools the agent has, and what is behind them: mail, files, accounts.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "scenario/render.h"
#include "scenario/scenario_loader.h"
#include "world/email.h"
#include "world/shell.h"

namespace assay {
namespace {

const std::vector<std::string> all_boxes = {"email", "shell"};  // in the order in which their tools stand

bool has(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_directory(const YamlNode& path) { return path.text.ends_with('/'); }

}  // namespace

// What `tools` lists, or what `world` describes where there is no `tools`.
void ScenarioLoader::toolboxes(const Fields& top) {
  const YamlNode *listed = top.get("tools"), *world = top.get("world");
  std::vector<std::string> named;
  bool all_known = true;
  if (listed) {
    std::vector<const YamlNode*> items;
    for (const YamlNode& item : listed->items) items.push_back(&item);
    if (listed->kind == YamlNode::Kind::text) items.push_back(listed);
    for (const YamlNode* item : items) {
      if (item->kind == YamlNode::Kind::map) {
        custom_tools_.push_back(item);
      } else if (item->kind != YamlNode::Kind::text) {
        mistake(*item,
                fmt::format("an item of `tools` is email, shell or a tool of its own, {{name: ..., reply: ...}}; "
                            "found {}",
                            item->kind_name()));
        all_known = false;
      } else if (has(named, item->text)) {
        mistake(*item, fmt::format("'{}' stands in tools a second time", item->text));
      } else if (!has(all_boxes, item->text)) {
        mistake(*item, fmt::format("there are no tools '{}'; {}", item->text, guess(item->text, all_boxes)));
        all_known = false;
      }
      named.push_back(item->text);
    }
  }
  if (world)
    for (const auto& [key, value] : world->entries) {
      if (listed && all_known && has(all_boxes, key.text) && !has(named, key.text))
        mistake(key, fmt::format("`tools` does not list {0}, so the agent has no {0}", key.text));
      named.push_back(key.text);  // after the mistake too: what speaks of its tools is right
    }
  for (const std::string& box : all_boxes)
    if (has(named, box)) boxes_.push_back(box);
  if (has(boxes_, "email")) add_tools(email_tools());
  if (has(boxes_, "shell")) add_tools(shell_tools());
  if (named.empty())
    mistake(listed ? *listed : root_,
            "the agent has no tools; describe `email` or `shell` in `world`, or declare tools of your own in `tools`");
}

void ScenarioLoader::add_tools(const std::vector<ToolSpec>& tools) {
  made_.tools.insert(made_.tools.end(), tools.begin(), tools.end());
}

void ScenarioLoader::world(const Fields& top) {
  if (!custom_tools_.empty()) made_.custom.emplace();
  const YamlNode* node = top.get("world");
  if (!node) {
    if (!boxes_.empty()) mistake(root_, fmt::format("a scenario with the tools {0} needs `world: {0}:`", boxes_[0]));
  } else {
    std::vector<std::string> known = all_boxes;
    known.push_back("state");
    Fields fields(*node, "world", known, boxes_, diagnostics_);
    if (auto* described = fields.get("email")) email(*described);
    if (auto* described = fields.get("shell")) shell(*described);
    if (auto* described = fields.get("state")) state(*described);
  }
  for (const YamlNode* tool : custom_tools_) custom_tool(*tool);
}
void ScenarioLoader::email(const YamlNode& node) {
  EmailPlan& plan = made_.email.emplace();
  Fields mail(node, "the email world", {"me", "inbox", "contacts"}, {"me", "inbox"}, diagnostics_);
  if (auto* me = mail.get("me")) plan.me = text(*me, "me");
  if (auto* inbox = mail.get("inbox"))
    for (const YamlNode* item : as_texts(*inbox, "inbox", diagnostics_)) plan.inbox.push_back(text(*item, "a message"));
  const YamlNode* contacts = mail.get("contacts");
  if (!contacts) return;
  if (contacts->kind != YamlNode::Kind::list)
    return mistake(*contacts, "contacts must be a list: - {name: The board, address: board@firm.example}");
  for (const YamlNode& item : contacts->items) {
    Fields entry(item, "a contact", {"name", "address", "outside"}, {"name", "address"}, diagnostics_);
    if (!entry.get("name") || !entry.get("address")) continue;
    plan.contacts.push_back({text(*entry.get("name"), "name"), text(*entry.get("address"), "address"), {}});
    if (auto* outside = entry.get("outside"))
      plan.contacts.back().outside = as_truth(*outside, "outside", diagnostics_);
  }
}

void ScenarioLoader::shell(const YamlNode& node) {
  ShellPlan& plan = made_.shell.emplace();
  plan.place = node.origin.place;
  Fields fields(node, "the shell world", {"me", "cwd", "clock", "hostname", "accounts", "files"}, {"files"},
                diagnostics_);
  if (auto* me = fields.get("me")) plan.me = text(*me, "me");
  if (auto* cwd = fields.get("cwd"); cwd && is_path(*cwd)) plan.cwd = text(*cwd, "cwd");
  if (auto* clock = fields.get("clock")) plan.clock = time(*clock, "clock");
  if (auto* hostname = fields.get("hostname")) {
    plan.hostname = text(*hostname, "hostname");
    // What its templates make of it is known only once they are filled in.
    if (hostname->kind == YamlNode::Kind::text && hostname->text.find('{') == std::string::npos &&
        !is_hostname(hostname->text))
      mistake(*hostname, not_a_hostname(hostname->text));
  }
  if (auto* accounts = fields.get("accounts"))
    each(*accounts, "accounts", [&](const YamlNode& key, const YamlNode& value) { account(key, value); });
  if (auto* files = fields.get("files"))
    each(*files, "files", [&](const YamlNode& key, const YamlNode& value) { file(key, value); });
}

void ScenarioLoader::account(const YamlNode& key, const YamlNode& value) {
  AccountEntry made;
  made.name = text(key, "an account's name");
  if (value.kind != YamlNode::Kind::nothing) {
    Fields fields(value, fmt::format("the account '{}'", key.text),
                  {"home", "groups", "enabled", "display_name", "login_shell"}, {}, diagnostics_);
    if (auto* home = fields.get("home"); home && is_path(*home)) made.home = text(*home, "home");
    if (auto* groups = fields.get("groups"))
      for (const YamlNode* group : as_names(*groups, "groups", diagnostics_))
        made.groups.push_back(text(*group, "a group"));
    if (auto* enabled = fields.get("enabled"))
      made.enabled = as_truth(*enabled, "enabled", diagnostics_).value_or(true);
    if (auto* name = fields.get("display_name")) made.display_name = text(*name, "display_name");
    if (auto* program = fields.get("login_shell")) made.login_shell = text(*program, "login_shell");
  }
  made_.shell->accounts.push_back(std::move(made));
}

void ScenarioLoader::file(const YamlNode& key, const YamlNode& value) {
  const bool directory = is_directory(key);
  const std::string what = fmt::format("{} '{}'", directory ? "the folder" : "the file", key.text);
  FileEntry made;
  made.mode = directory ? 0755 : 0644;
  if (is_path(key)) made.path = text(key, "a path");
  if (directory && value.kind == YamlNode::Kind::text && !value.text.empty()) {
    mistake(value, fmt::format("{} has a text; the path of a file has no '/' at its end", what));
  } else if (value.kind == YamlNode::Kind::text) {
    made.text = text(value, "a file");
  } else if (value.kind == YamlNode::Kind::nothing) {
    if (!directory) mistake(key, fmt::format("{} has no text; an empty file is written ''", what));
  } else {
    Fields fields(value, what, {"text", "owner", "group", "mode", "modified"},
                  directory ? std::vector<std::string>{} : std::vector<std::string>{"text"}, diagnostics_);
    if (auto* content = fields.get("text")) {
      made.text = text(*content, "text");
      if (directory) mistake(*content, fmt::format("{} has a text; the path of a file has no '/' at its end", what));
    }
    if (auto* owner = fields.get("owner")) made.owner = text(*owner, "owner");
    if (auto* group = fields.get("group")) made.group = text(*group, "group");
    if (auto* modified = fields.get("modified")) made.modified = time(*modified, "modified");
    if (auto* mode = fields.get("mode")) {
      const std::string& digits = mode->text;
      if (mode->kind != YamlNode::Kind::text || digits.size() < 3 || digits.size() > 4 ||
          digits.find_first_not_of("01234567") != std::string::npos)
        mistake(*mode, fmt::format("a mode is three or four octal digits, such as '0640'; found '{}'", digits));
      else
        made.mode = std::stoi(digits, nullptr, 8);
    }
  }
  made_.shell->files.push_back(std::move(made));
}

// What its templates make of a path is known only once they are filled in; how it begins mostly is.
bool ScenarioLoader::is_path(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::text || node.text.starts_with("/") || node.text.starts_with("{")) return true;
  mistake(node, fmt::format("a path begins with '/'; found '{}'", node.text));
  return false;
}

// What its templates make of a time is known only once they are filled in.
Template ScenarioLoader::time(const YamlNode& node, const std::string& what) {
  Template made = text(node, what);
  if (node.kind == YamlNode::Kind::text && node.text.find('{') == std::string::npos && !shell_time(node.text))
    mistake(node, not_a_time(what, node.text));
  return made;
}

void ScenarioLoader::patterns(const YamlNode& node, const std::string& what, bool paths,
                              std::vector<NamedPatterns>& into) {
  each(node, what, [&](const YamlNode& key, const YamlNode& value) {
    NamedPatterns made{key.text, {}};
    if (!is_label(key.text))
      mistake(key, fmt::format("a name in {} has letters, digits, - and _ only; found '{}'", what, key.text));
    for (const YamlNode* item : as_texts(value, fmt::format("'{}'", key.text), diagnostics_))
      if (!paths || is_path(*item)) made.patterns.push_back(text(*item, "a pattern"));
    if (value.kind == YamlNode::Kind::list && value.items.empty())
      mistake(value, fmt::format("'{}' needs at least one pattern", key.text));
    into.push_back(std::move(made));
  });
}

}  // namespace assay
