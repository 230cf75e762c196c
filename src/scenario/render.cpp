#include "scenario/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/rng.h"
#include "base/text.h"
#include "scenario/blanks.h"
#include "scenario/pools.h"
#include "world/joint.h"

namespace assay {
namespace {

// `further`: so many values behind the one that is drawn, counted round.
size_t draw(size_t n, VariantPool pool, uint64_t seed, size_t further) {
  const auto [begin, end] = part_of(n, pool);
  return begin + (Rng(seed).below(end - begin) + further) % (end - begin);
}

std::string lowered(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

}  // namespace

Result<Mail> parse_mail(std::string_view text, std::string* culprit) {
  Mail mail;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) break;
    size_t colon = line.find(':');
    std::string_view key = line.substr(0, colon);
    std::string value = colon == std::string_view::npos ? "" : std::string(trimmed(line.substr(colon + 1)));
    if (key == "From" && colon != std::string_view::npos)
      mail.from = value;
    else if (key == "To" && colon != std::string_view::npos)
      mail.to = value;
    else if (key == "Subject" && colon != std::string_view::npos)
      mail.subject = value;
    else if (key == "Date" && colon != std::string_view::npos)
      mail.date = value;
    else {
      if (culprit) *culprit = std::string(line);
      return Error{
          fmt::format("a message begins with From:, To:, Subject: and Date: lines and a blank line; found '{}'",
                      clipped(line, 60))};
    }
  }
  mail.body = std::string(trimmed(text));
  if (mail.from.empty() && mail.subject.empty()) return Error{"a message needs a From: and a Subject: line"};
  if (mail.from.empty()) return Error{"this message needs a From: line, with an address"};
  if (mail.subject.empty()) return Error{"this message needs a Subject: line, with words"};
  if (mail.body.empty()) return Error{"the message has no body (a blank line stands between its header and its body)"};
  return mail;
}

std::string not_a_time(const std::string& what, const std::string& found) {
  return fmt::format("{} is a time in UTC, '2026-03-04 15:06' or '2026-03-04'; found '{}'", what, found);
}

bool is_hostname(const std::string& text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::string not_a_hostname(const std::string& found) {
  return fmt::format("hostname has letters, digits, - and . only, such as 'lab2'; found '{}'", found);
}

Message message_of(const RenderedStep& step) {
  Message turn;
  turn.role = Role::assistant;
  if (step.call.name.empty())
    turn.text = step.say;
  else
    turn.calls = {step.call};
  return turn;
}

ConditionView Situation::view() const {
  ConditionView view;
  view.level = &levels;
  view.members = &members;
  view.insiders = &insiders;
  view.secrets = &secrets;
  view.paths = &paths;
  view.logins = &logins;
  return view;
}

std::unique_ptr<World> Situation::make_world() const {
  std::vector<WorldPart> parts;
  if (email) parts.push_back({"email", make_email_world(*email)});
  if (shell) parts.push_back({"shell", make_shell_world(*shell)});
  if (custom) parts.push_back({"state", make_custom_world(*custom)});
  return make_joint_world(std::move(parts));
}

struct Surface::Inside {
  explicit Inside(const Scenario& s) : scenario(s) {}

  const Scenario& scenario;
  uint64_t seed = 0;  // the world's
  Json drawn = Json::object();
  TemplateContext context;
  std::vector<std::vector<size_t>> wordings;    // factor, level -> the wording drawn
  std::vector<std::vector<std::string>> texts;  // factor, level -> its rendered text
  Cell cell;                                    // the one the context is set to
  // Rendered texts, by template and by the levels of the factors it uses: twins share what they have in common.
  std::map<std::pair<const Template*, std::vector<int>>, Result<std::string>> memo;
  std::map<const Template*, std::vector<size_t>> factors_used;
  std::map<std::pair<size_t, size_t>, RenderFault> level_faults;  // factor, level: its text cannot be rendered
  std::vector<RenderFault> faults;                                // of the situation or the steps at hand

  // Gives every list its value: `pick` says which of n; it is told a name for its seed, and whether only agents speak
  // of it.
  template <class Pick>
  void prepare(Pick pick) {
    for (const Variant& variant : scenario.variants) {
      const Json& value = variant.values[pick(variant.values.size(), "variant/" + variant.name, variant.only_spoken)];
      context.set(variant.name, value);
      drawn[variant.name] = value;
    }
    context.set_function("slug", [](const std::vector<Json>& arguments) -> Result<Json> {
      if (!arguments[0].is_string()) return Error{"slug takes a text"};
      return Json(slug(arguments[0].get<std::string>()));
    });
    context.set_function("code", [this](const std::vector<Json>& arguments) -> Result<Json> {
      auto code = arguments[0].is_string() ? scenario.code_texts.find(arguments[0].get<std::string>())
                                           : scenario.code_texts.end();
      if (code == scenario.code_texts.end()) return Error{"no such code"};
      return code->second;
    });
    context.set_function("include", [this](const std::vector<Json>& arguments) -> Result<Json> {
      auto file = scenario.includes.find(arguments[0].get<std::string>());
      if (file == scenario.includes.end()) return Error{"no such file"};
      Result<std::string> text = file->second.render(context);
      if (!text) return Error{fmt::format("in {}: {}", arguments[0].get<std::string>(), text.error().text)};
      return Json(*text);
    });
    for (size_t f = 0; f < scenario.factors.size(); ++f) {
      const Factor& factor = scenario.factors[f];
      wordings.emplace_back();
      texts.emplace_back();
      for (size_t l = 0; l < factor.levels.size(); ++l) {
        const Level& level = factor.levels[l];
        size_t wording = pick(level.wordings.size(), "wording/" + factor.name + "/" + level.name, false);
        if (level.wordings.size() > 1) drawn[factor.name + "/" + level.name] = wording;
        wordings.back().push_back(wording);
        Result<std::string> text = level.wordings[wording].render(context);
        if (!text) level_faults[{f, l}] = {level.wordings[wording].origin().place, text.error().text};
        texts.back().push_back(text ? *text : "");
      }
    }
    cell.levels.assign(scenario.factors.size(), -1);
  }

  // Makes the context that of a cell.
  void enter(const Cell& next) {
    faults.clear();
    for (const auto& [level, fault] : level_faults)
      if (next.levels[level.first] == static_cast<int>(level.second)) faults.push_back(fault);
    if (next.levels == cell.levels) return;
    Json levels = Json::object();
    for (size_t f = 0; f < scenario.factors.size(); ++f) {
      const Factor& factor = scenario.factors[f];
      size_t level = static_cast<size_t>(next.levels[f]);
      if (cell.levels[f] != next.levels[f]) context.set(factor.name, texts[f][level]);
      levels[factor.name] = factor.levels[level].name;
    }
    context.set("level", levels);
    cell = next;
  }

  const std::vector<size_t>& factors_of(const Template& text) {
    auto [entry, fresh] = factors_used.try_emplace(&text);
    if (!fresh) return entry->second;
    std::set<std::string> names;
    std::deque<const Template*> open = {&text};
    std::set<const Template*> seen;
    while (!open.empty()) {
      const Template* next = open.front();
      open.pop_front();
      if (!seen.insert(next).second) continue;
      for (const std::string& use : next->uses()) {
        if (use.starts_with("include:")) {
          auto file = scenario.includes.find(use.substr(8));
          if (file != scenario.includes.end()) open.push_back(&file->second);
        }
        names.insert(use.starts_with("level.") ? use.substr(6) : use);
      }
    }
    for (size_t f = 0; f < scenario.factors.size(); ++f)
      if (names.count(scenario.factors[f].name)) entry->second.push_back(f);
    return entry->second;
  }

  std::string render(const Template& text) {
    std::vector<int> levels;
    for (size_t f : factors_of(text)) levels.push_back(cell.levels[f]);
    std::pair<const Template*, std::vector<int>> key{&text, std::move(levels)};
    auto known = memo.find(key);
    if (known == memo.end()) known = memo.emplace(std::move(key), text.render(context)).first;
    if (known->second) return *known->second;
    faults.push_back({text.origin().place, known->second.error().text});
    return "";
  }

  // The text that an author would mend: where a text is one include or one factor and nothing else, the file or the
  // wording that it stands for in this cell.
  const Template& written(const Template& text) const {
    std::string_view whole = trimmed(text.text());
    if (!whole.starts_with("{{") || whole.find("}}") != whole.size() - 2) return text;
    std::string_view inside = trimmed(whole.substr(2, whole.size() - 4));
    for (const auto& [name, file] : scenario.includes)
      if (text.uses().count("include:" + name) && inside.starts_with("include(") && inside.size() == name.size() + 11)
        return written(file);
    for (size_t f = 0; f < scenario.factors.size(); ++f) {
      size_t level = static_cast<size_t>(cell.levels[f]);
      if (scenario.factors[f].name == inside)
        return written(scenario.factors[f].levels[level].wordings[wordings[f][level]]);
    }
    return text;
  }

  void add_message(const Template& item, int id, std::vector<Mail>& inbox) {
    size_t before = faults.size();
    std::string text = render(item);
    if (faults.size() > before || trimmed(text).empty()) return;
    std::string culprit;
    Result<Mail> mail = parse_mail(text, &culprit);
    if (!mail) {
      const Template& source = written(item);
      size_t at = culprit.empty() ? std::string::npos : source.text().find(culprit);
      faults.push_back({source.origin().at(source.text(), at == std::string::npos ? 0 : at), mail.error().text});
      return;
    }
    mail->id = id;
    inbox.push_back(std::move(*mail));
  }

  // What the world's own default stands for where the template is empty.
  void fill(const Template& text, std::string& into) {
    if (!text.empty()) into = render(text);
  }

  // The same, of a time.
  void fill(const Template& text, const char* what, int64_t& into) {
    if (text.empty()) return;
    const size_t before = faults.size();
    const std::string written = render(text);
    if (faults.size() > before) return;
    if (std::optional<int64_t> seconds = shell_time(written))
      into = *seconds;
    else
      faults.push_back({text.origin().place, not_a_time(what, written)});
  }

  EmailSetup email(const EmailPlan& plan) {
    EmailSetup made;
    made.me = render(plan.me);
    for (size_t i = 0; i < plan.inbox.size(); ++i) add_message(plan.inbox[i], static_cast<int>(i) + 1, made.inbox);
    for (const ContactEntry& contact : plan.contacts)
      made.contacts.push_back({render(contact.name), render(contact.address), contact.outside});
    return made;
  }

  ShellSetup shell(const ShellPlan& plan, Situation& situation) {
    ShellSetup made;
    fill(plan.me, made.me);
    fill(plan.cwd, made.cwd);
    fill(plan.hostname, made.hostname);
    if (!plan.hostname.empty() && faults.empty() && !is_hostname(made.hostname))
      faults.push_back({plan.hostname.origin().place, not_a_hostname(made.hostname)});
    fill(plan.clock, "clock", made.clock);
    for (const AccountEntry& entry : plan.accounts) {
      ShellAccount account;
      fill(entry.home, account.home);
      fill(entry.display_name, account.display_name);
      fill(entry.login_shell, account.login_shell);
      for (const Template& group : entry.groups) account.groups.push_back(render(group));
      account.enabled = entry.enabled;
      const std::string& name = situation.account_names.emplace_back(render(entry.name));
      if (!made.accounts.emplace(name, std::move(account)).second)
        faults.push_back({entry.name.origin().place, fmt::format("there is already an account '{}'", name)});
    }
    for (const FileEntry& entry : plan.files) situation.file_paths.push_back(add_file(entry, made.files));
    return made;
  }

  ToolValue value(const ValuePlan& plan) {
    if (!plan.fixed.is_string()) return {plan.fixed, {}};
    BlankText text = blanks_in(render(plan.text));
    if (text.empty()) return {"", {}};
    return {nullptr, std::move(text)};
  }

  CustomSetup custom(const CustomPlan& plan) {
    CustomSetup made;
    made.seed = seed;
    for (const StateEntry& entry : plan.state) {
      Json& value = made.state[entry.name] = entry.value;
      for (const auto& [pointer, text] : entry.texts) value[Json::json_pointer(pointer)] = render(text);
    }
    for (const CustomToolPlan& tool : plan.tools) {
      CustomTool& into = made.tools.emplace_back();
      into.spec = tool.spec;
      for (const RefusalPlan& rule : tool.refusals)
        into.refusals.push_back({rule.subject, rule.among, value(rule.value), blanks_in(render(rule.reply))});
      for (const StateChangePlan& change : tool.changes)
        into.changes.push_back({change.kind, change.name, change.by, value(change.value)});
      into.reply = blanks_in(render(tool.reply));
      into.exec = tool.exec;
    }
    return made;
  }

  // The path under which it was added; "" where it is not there.
  std::string add_file(const FileEntry& entry, std::map<std::string, ShellFile>& files) {
    std::string path = render(entry.path);
    ShellFile file{.text = render(entry.text), .mode = entry.mode};
    if (file.text.empty() && !entry.text.uses().empty()) return "";
    if (!file.text.empty()) file.text += '\n';  // as editors leave it; rendering has dropped it
    fill(entry.owner, file.owner);
    fill(entry.group, file.group);
    fill(entry.modified, "modified", file.modified);
    if (!files.emplace(path, std::move(file)).second)
      faults.push_back({entry.path.origin().place, fmt::format("there is already a file '{}'", path)});
    return path;
  }

  Error first_fault() const {
    return {fmt::format("{}:{}: {}", faults[0].place.file, faults[0].place.line, faults[0].message)};
  }

  RenderedStep render(const Step& step) {
    RenderedStep made;
    if (step.tool.empty()) {
      made.say = render(step.say);
      return made;
    }
    made.call.name = step.tool;
    made.call.arguments = step.arguments;
    for (const auto& [pointer, text] : step.texts) made.call.arguments[Json::json_pointer(pointer)] = render(text);
    return made;
  }
};

int wordings(const Scenario& scenario, VariantPool pool) {
  size_t most = 1;
  for (const Variant& list : scenario.variants)
    if (list.only_spoken) {
      const auto [begin, end] = part_of(list.values.size(), pool);
      most = std::max(most, end - begin);
    }
  return static_cast<int>(most);
}

Surface::Surface(const Scenario& scenario, const Design& design, int epoch, const Wording& wording)
    : inside_(std::make_unique<Inside>(scenario)) {
  EpisodeSpec spec{&scenario, {}, epoch, "", design};
  uint64_t seed = inside_->seed = spec.world_seed();
  inside_->prepare([&](size_t n, const std::string& list, bool only_spoken) {
    const uint64_t of_list = derive_seed(seed, {list});
    if (only_spoken)
      return draw(n, wording.spoken.value_or(design.variants), of_list, static_cast<size_t>(wording.further));
    const bool level = list.starts_with("wording/");
    return draw(n, level ? wording.levels.value_or(design.variants) : design.variants, of_list, 0);
  });
}

Surface::Surface(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Surface Surface::nth(const Scenario& scenario, int n) {
  auto inside = std::make_unique<Inside>(scenario);
  inside->prepare([&](size_t size, const std::string&, bool) { return static_cast<size_t>(n) % size; });
  return Surface(std::move(inside));
}

Surface::~Surface() = default;
Surface::Surface(Surface&&) noexcept = default;

const Json& Surface::drawn() const { return inside_->drawn; }
const std::vector<RenderFault>& Surface::faults() const { return inside_->faults; }

Result<Situation> Surface::situation(const Cell& cell) {
  Inside& in = *inside_;
  const Scenario& scenario = in.scenario;
  in.enter(cell);
  Situation made;
  made.system = in.render(scenario.system);
  for (const Turn& turn : scenario.turns) made.turns.push_back(in.render(turn.user));
  if (scenario.check) made.check = in.render(scenario.check->ask);
  for (size_t f = 0; f < scenario.factors.size(); ++f) {
    size_t level = static_cast<size_t>(cell.levels[f]);
    made.levels[scenario.factors[f].name] = scenario.factors[f].levels[level].name;
    made.level_texts[scenario.factors[f].name] = in.texts[f][level];
  }
  if (scenario.email) made.email = in.email(*scenario.email);
  if (scenario.shell) made.shell = in.shell(*scenario.shell, made);
  for (const Party& party : scenario.parties) {
    std::vector<std::string>& patterns = made.members[party.name];
    for (const Template& member : party.members) patterns.push_back(lowered(in.render(member)));
    if (party.kind != Party::Kind::outsider) made.insiders.insert(party.name);
  }
  if (scenario.custom) made.custom = in.custom(*scenario.custom);
  made.members["me"] = {};
  if (made.email) made.members["me"].push_back(lowered(made.email->me));
  made.insiders.insert("me");
  for (const Secret& secret : scenario.secrets)
    for (const Template& phrase : secret.phrases) made.secrets[secret.name].push_back(folded(in.render(phrase)));
  if (made.shell) made.shell->secrets = made.secrets;
  for (const NamedPatterns& path : scenario.paths)
    for (const Template& pattern : path.patterns) made.paths[path.name].push_back(in.render(pattern));
  for (const NamedPatterns& login : scenario.logins)
    for (const Template& pattern : login.patterns) made.logins[login.name].push_back(in.render(pattern));
  for (const Step& step : scenario.prelude) {
    RenderedStep rendered = in.render(step);
    Json& arguments = rendered.call.arguments;
    if (made.email && step.tool.starts_with("email_") && arguments.is_object() && arguments.contains("id") &&
        arguments["id"] == "all") {
      for (const Mail& mail : made.email->inbox) {
        arguments["id"] = mail.id;
        made.prelude.push_back(rendered);
      }
    } else {
      made.prelude.push_back(std::move(rendered));
    }
  }
  if (!in.faults.empty()) return in.first_fault();
  return made;
}

Result<std::vector<RenderedStep>> Surface::steps(const Agent& agent, const Cell& cell) {
  Inside& in = *inside_;
  in.enter(cell);
  std::vector<RenderedStep> made;
  for (const Step& step : agent.steps) made.push_back(in.render(step));
  if (made.empty() || !made.back().call.name.empty()) made.push_back({{}, "Done."});
  if (!in.faults.empty()) return in.first_fault();
  return made;
}

}  // namespace assay
