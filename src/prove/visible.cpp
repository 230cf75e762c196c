#include "prove/visible.h"

#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace assay {
namespace {

std::string shown(const ToolValue& value) {
  return value.text.empty() ? to_line(value.fixed) : with_blanks_named(value.text);
}

void add_email(const EmailPlan& plan, const EmailSetup& email, std::vector<VisibleText>& texts) {
  texts.push_back({"world.email.me", plan.me.origin().place, email.me});
  for (const Mail& mail : email.inbox)
    texts.push_back({fmt::format("message {}", mail.id), plan.inbox[static_cast<size_t>(mail.id) - 1].origin().place,
                     joined({mail.from, mail.to, mail.subject, mail.date, mail.body}, "\n")});
  for (size_t i = 0; i < email.contacts.size(); ++i)
    texts.push_back(
        {"contacts", plan.contacts[i].name.origin().place, email.contacts[i].name + "\n" + email.contacts[i].address});
}

void add_shell(const ShellPlan& plan, const Situation& situation, std::vector<VisibleText>& texts) {
  const ShellSetup& shell = *situation.shell;
  const std::string clock = fmt::format("{}", shell.clock);  // in seconds: what differs is seen
  for (const auto& [where, written, text] :
       {std::tuple{"world.shell.me", &plan.me, &shell.me}, std::tuple{"world.shell.cwd", &plan.cwd, &shell.cwd},
        std::tuple{"world.shell.hostname", &plan.hostname, &shell.hostname},
        std::tuple{"world.shell.clock", &plan.clock, &clock}})
    texts.push_back({where, written->empty() ? plan.place : written->origin().place, *text});
  for (const auto& [name, account] : shell.accounts)
    texts.push_back({fmt::format("the account '{}'", name), plan.place,
                     joined({name, account.display_name, account.home, account.login_shell, joined(account.groups, " "),
                             account.enabled ? "" : "disabled"},
                            "\n")});
  for (size_t i = 0; i < plan.files.size(); ++i) {
    const std::string& path = situation.file_paths[i];
    if (path.empty()) continue;
    const ShellFile& file = shell.files.at(path);
    texts.push_back({fmt::format("the file '{}'", path),
                     (file.text.empty() ? plan.files[i].path : plan.files[i].text).origin().place,
                     joined({path, file.owner, file.group, fmt::format("{}", file.modified), file.text}, "\n")});
  }
}

void add_custom(const CustomPlan& plan, const CustomSetup& custom, std::vector<VisibleText>& texts) {
  for (const StateEntry& entry : plan.state)
    texts.push_back({fmt::format("state.{}", entry.name), entry.place, to_line(custom.state[entry.name])});
  for (size_t i = 0; i < plan.tools.size(); ++i) {
    const CustomTool& tool = custom.tools[i];
    const std::string where = fmt::format("the tool {}", tool.spec.name);
    texts.push_back({where, plan.tools[i].reply.origin().place, with_blanks_named(tool.reply)});
    for (size_t r = 0; r < tool.refusals.size(); ++r)
      texts.push_back({where, plan.tools[i].refusals[r].reply.origin().place,
                       with_blanks_named(tool.refusals[r].reply) + "\n" + shown(tool.refusals[r].value)});
    for (size_t c = 0; c < tool.changes.size(); ++c)
      texts.push_back({where, plan.tools[i].reply.origin().place, shown(tool.changes[c].value)});
  }
}

// Two situations, and the level's text that each may have for itself.
class Comparison {
 public:
  Comparison(const std::string& factor, const Situation& a, const Situation& b)
      : a_(a), b_(b), text_a_(a.level_texts.at(factor)), text_b_(b.level_texts.at(factor)) {}

  std::vector<std::string> found() {
    check("system", a_.system, b_.system);
    for (size_t i = 0; i < a_.turns.size(); ++i) check(fmt::format("turn {}", i + 1), a_.turns[i], b_.turns[i]);
    // A question that has the level's text in it would tell what it asks for.
    if (a_.check != b_.check) told("check.ask, which must be the same at every level,");
    if (a_.email) email(*a_.email, *b_.email);
    if (a_.shell) shell(*a_.shell, *b_.shell);
    if (a_.custom) custom(*a_.custom, *b_.custom);
    if (a_.members != b_.members) told("the members of the parties");
    if (a_.secrets != b_.secrets) told("secrets");
    if (a_.paths != b_.paths) told("paths");
    if (a_.logins != b_.logins) told("logins");
    return std::move(found_);
  }

 private:
  static std::string without(std::string text, const std::string& part) {
    if (part.empty()) return text;
    for (size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
    return text;
  }

  bool same(const std::string& x, const std::string& y) const {
    return x == y || trimmed(without(x, text_a_)) == trimmed(without(y, text_b_));
  }

  // Of the machine: either each is the level's text and nothing else, or they are the same.
  bool same_time(int64_t x, int64_t y) const {
    return x == y || (shell_time(text_a_) == x && shell_time(text_b_) == y);
  }

  // Each place is told once.
  void told(const std::string& where) {
    if (found_.empty() || found_.back() != where) found_.push_back(where);
  }
  void check(const std::string& where, const std::string& x, const std::string& y) {
    if (!same(x, y)) told(where);
  }

  void email(const EmailSetup& a, const EmailSetup& b) {
    if (a.me != b.me) told("world.email.me");
    for (size_t i = 0; i < a.contacts.size(); ++i) {
      check("contacts", a.contacts[i].name, b.contacts[i].name);
      check("contacts", a.contacts[i].address, b.contacts[i].address);
    }
    std::map<int, std::pair<const Mail*, const Mail*>> mails;  // by id, in either
    for (const Mail& mail : a.inbox) mails[mail.id].first = &mail;
    for (const Mail& mail : b.inbox) mails[mail.id].second = &mail;
    for (const auto& [id, pair] : mails) {
      const auto [in_a, in_b] = pair;
      bool whole = (!in_a || is_text(*in_a, text_a_)) && (!in_b || is_text(*in_b, text_b_));
      bool parts = in_a && in_b && same(in_a->from, in_b->from) && same(in_a->to, in_b->to) &&
                   same(in_a->subject, in_b->subject) && same(in_a->date, in_b->date) && same(in_a->body, in_b->body);
      if (!whole && !parts) told(fmt::format("message {}", id));
    }
  }

  // Whether a message is a level's text and nothing else.
  static bool is_text(const Mail& mail, const std::string& text) {
    Result<Mail> other = parse_mail(text);
    return other && other->from == mail.from && other->to == mail.to && other->subject == mail.subject &&
           other->date == mail.date && other->body == mail.body;
  }

  void shell(const ShellSetup& a, const ShellSetup& b) {
    check("world.shell.me", a.me, b.me);
    check("world.shell.cwd", a.cwd, b.cwd);
    check("world.shell.hostname", a.hostname, b.hostname);
    if (!same_time(a.clock, b.clock)) told("world.shell.clock");
    if (a.accounts.size() != b.accounts.size()) told("accounts");
    for (const auto& [name, account] : a.accounts) {
      auto other = b.accounts.find(name);
      if (other == b.accounts.end() || !same(account.home, other->second.home) ||
          !same(account.display_name, other->second.display_name) ||
          !same(account.login_shell, other->second.login_shell) ||
          !same(joined(account.groups, " "), joined(other->second.groups, " ")))
        told(fmt::format("the account '{}'", name));
    }
    // By the place in the scenario, which is the same for both: a file may be there in one of them alone.
    for (size_t i = 0; i < a_.file_paths.size(); ++i) {
      const std::string &path_a = a_.file_paths[i], &path_b = b_.file_paths[i];
      const ShellFile* in_a = path_a.empty() ? nullptr : &a.files.at(path_a);
      const ShellFile* in_b = path_b.empty() ? nullptr : &b.files.at(path_b);
      if (!in_a && !in_b) continue;
      bool one = !in_a || !in_b;
      bool whole = one && (!in_a || trimmed(in_a->text) == trimmed(text_a_)) &&
                   (!in_b || trimmed(in_b->text) == trimmed(text_b_));
      bool parts = !one && same(path_a, path_b) && same(in_a->text, in_b->text) && same(in_a->owner, in_b->owner) &&
                   same(in_a->group, in_b->group) && same_time(in_a->modified, in_b->modified);
      if (!whole && !parts) told(fmt::format("the file '{}'", in_a ? path_a : path_b));
    }
  }

  void custom(const CustomSetup& a, const CustomSetup& b) {
    for (const auto& [name, value] : a.state.items())
      if (!same_json(value, b.state[name])) told("state." + name);
    for (size_t i = 0; i < a.tools.size(); ++i) {
      const CustomTool &in_a = a.tools[i], &in_b = b.tools[i];
      const std::string where = fmt::format("the tool {}", in_a.spec.name);
      check(where, with_blanks_named(in_a.reply), with_blanks_named(in_b.reply));
      for (size_t r = 0; r < in_a.refusals.size(); ++r) {
        check(where, with_blanks_named(in_a.refusals[r].reply), with_blanks_named(in_b.refusals[r].reply));
        check(where, shown(in_a.refusals[r].value), shown(in_b.refusals[r].value));
      }
      for (size_t c = 0; c < in_a.changes.size(); ++c)
        check(where, shown(in_a.changes[c].value), shown(in_b.changes[c].value));
    }
  }

  // Of the state: a value, or a list of them.
  bool same_json(const Json& x, const Json& y) const {
    if (x.is_string() && y.is_string()) return same(x.get<std::string>(), y.get<std::string>());
    if (!x.is_array() || !y.is_array() || x.size() != y.size()) return x == y;
    for (size_t i = 0; i < x.size(); ++i)
      if (!same_json(x[i], y[i])) return false;
    return true;
  }

  const Situation &a_, &b_;
  const std::string &text_a_, &text_b_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<VisibleText> visible(const Scenario& scenario, const Situation& situation) {
  std::vector<VisibleText> texts = {{"system", scenario.system.origin().place, situation.system}};
  for (size_t i = 0; i < situation.turns.size(); ++i)
    texts.push_back({fmt::format("turn {}", i + 1), scenario.turns[i].user.origin().place, situation.turns[i]});
  if (scenario.check) texts.push_back({"check.ask", scenario.check->place, situation.check});
  if (scenario.email) add_email(*scenario.email, *situation.email, texts);
  if (scenario.shell) add_shell(*scenario.shell, situation, texts);
  if (scenario.custom) add_custom(*scenario.custom, *situation.custom, texts);
  return texts;
}

std::vector<std::string> differences(const std::string& factor, const Situation& a, const Situation& b) {
  return Comparison(factor, a, b).found();
}

}  // namespace assay
