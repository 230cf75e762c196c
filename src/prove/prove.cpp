#include "prove/prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "grade/grade.h"
#include "run/episode.h"
#include "scenario/policy.h"
#include "scenario/render.h"

namespace assay {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string without(std::string text, const std::string& part) {
  if (part.empty()) return text;
  for (size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

// Every text of a situation that a model can come to see, named for messages.
std::vector<std::pair<std::string, std::string>> visible(const Situation& situation) {
  std::vector<std::pair<std::string, std::string>> texts = {{"system", situation.system},
                                                            {"world.email.me", situation.email.me}};
  for (size_t i = 0; i < situation.turns.size(); ++i)
    texts.emplace_back(fmt::format("turn {}", i + 1), situation.turns[i]);
  for (const Mail& mail : situation.email.inbox)
    texts.emplace_back(fmt::format("message {}", mail.id),
                       joined({mail.from, mail.to, mail.subject, mail.date, mail.body}, "\n"));
  for (const Contact& contact : situation.email.contacts)
    texts.emplace_back("contacts", contact.name + "\n" + contact.address);
  return texts;
}

// Plays a script to its end, as a model that does just that.
Transcript play(const EpisodeSpec& spec, const Situation& situation, const std::vector<RenderedStep>& steps,
                const std::string& agent) {
  std::vector<RenderedStep> script = situation.prelude;
  script.insert(script.end(), steps.begin(), steps.end());
  Episode episode(spec, situation, {.given_prelude = false, .own_prelude = static_cast<int>(situation.prelude.size())});
  while (std::optional<Request> request = episode.next()) {
    size_t turn = static_cast<size_t>(request->turn);
    Reply reply;
    reply.played_agent = agent;
    if (turn >= script.size())
      reply.text = "Done.";
    else if (script[turn].call.name.empty())
      reply.text = script[turn].say;
    else
      reply.calls = {script[turn].call};
    episode.feed(std::move(reply));
  }
  return std::move(episode).finish();
}

class Prover {
 public:
  Prover(const Suite& suite, Diagnostics& diagnostics) : suite_(suite), diagnostics_(diagnostics) {}

  Proved prove() {
    for (const Scenario& scenario : suite_.scenarios) prove(scenario);
    return std::move(proved_);
  }

 private:
  void fail(const Scenario& scenario, const Place& place, std::string message) {
    auto source = suite_.sources->find(scenario.file);
    Place at = place;
    if (at.file.empty()) at = {source == suite_.sources->end() ? scenario.name : source->second.name, 0, 0};
    std::string text;
    for (const auto& [key, file] : *suite_.sources)
      if (file.name == at.file) text = file.text;
    diagnostics_.add(at, std::move(message), text);
  }

  void prove(const Scenario& scenario) {
    std::vector<Cell> cells = grid(scenario);
    proved_.cells += static_cast<int>(cells.size());
    int surfaces = 1;
    for (const Variant& variant : scenario.variants)
      surfaces = std::max(surfaces, static_cast<int>(variant.values.size()));
    for (const Factor& factor : scenario.factors)
      for (const Level& level : factor.levels) surfaces = std::max(surfaces, static_cast<int>(level.wordings.size()));
    proved_.surfaces += surfaces;
    for (int n = 0; n < surfaces; ++n) {
      Surface surface = Surface::nth(scenario, n);
      std::vector<Situation> situations;
      for (const Cell& cell : cells) {
        Result<Situation> situation = surface.situation(cell);
        if (!situation) return fail(scenario, {}, situation.error().text);
        situations.push_back(std::move(*situation));
      }
      for (size_t c = 0; c < cells.size(); ++c) filled(scenario, cells[c], situations[c]);
      twins(scenario, cells, situations);
      for (size_t c = 0; c < cells.size(); ++c) agents(scenario, surface, cells[c], situations[c], n == 0);
    }
  }

  std::string cell_name(const Scenario& scenario, const Cell& cell) {
    std::string name = EpisodeSpec{&scenario, cell, 0, "", {}}.cell_name();
    return name.empty() ? "the only cell" : "the cell " + name;
  }

  void filled(const Scenario& scenario, const Cell& cell, const Situation& situation) {
    for (const auto& [where, text] : visible(situation))
      for (const char* mark : {"{{", "}}", "{%", "%}", "${"})
        if (contains(text, mark))
          fail(scenario, {},
               fmt::format("{} is not filled in: '{}' stands in it, in {}", where, mark, cell_name(scenario, cell)));
    if (situation.email.inbox.empty())
      fail(scenario, {}, fmt::format("the inbox is empty in {}", cell_name(scenario, cell)));
    if (trimmed(situation.system).empty())
      fail(scenario, scenario.system.origin().place,
           fmt::format("system renders to nothing in {}", cell_name(scenario, cell)));
    for (size_t i = 0; i < situation.turns.size(); ++i)
      if (trimmed(situation.turns[i]).empty())
        fail(scenario, scenario.turns[i].origin().place,
             fmt::format("this turn renders to nothing in {}", cell_name(scenario, cell)));
    auto is_address = [](const std::string& a) {
      return a.find('@') != std::string::npos && a.find('@') + 1 < a.size() && a.front() != '@' &&
             a.find(' ') == std::string::npos;
    };
    if (!is_address(situation.email.me))
      fail(scenario, scenario.email.me.origin().place,
           fmt::format("me must be a mail address; it renders to '{}'", situation.email.me));
    for (const Party& party : scenario.parties) {
      const std::vector<std::string>& members = situation.members.at(party.name);
      for (size_t i = 0; i < members.size(); ++i)
        if (!is_address(members[i]))
          fail(scenario, party.members[i].origin().place,
               fmt::format("a member of '{}' must be a mail address; this renders to '{}'", party.name, members[i]));
    }
  }

  // Cells that differ in one factor alone may differ in nothing but that factor's text, and what a tool derives from
  // it.
  void twins(const Scenario& scenario, const std::vector<Cell>& cells, const std::vector<Situation>& situations) {
    for (size_t a = 0; a < cells.size(); ++a) {
      for (size_t b = a + 1; b < cells.size(); ++b) {
        int differing = 0;
        size_t factor = 0;
        for (size_t f = 0; f < scenario.factors.size(); ++f)
          if (cells[a].levels[f] != cells[b].levels[f]) ++differing, factor = f;
        if (differing != 1) continue;
        proved_.twins += 1;
        if (!scenario.factors[factor].branches)
          compare(scenario, scenario.factors[factor], situations[a], situations[b]);
      }
    }
  }

  void compare(const Scenario& scenario, const Factor& factor, const Situation& a, const Situation& b) {
    const std::string& text_a = a.level_texts.at(factor.name);
    const std::string& text_b = b.level_texts.at(factor.name);
    auto same = [&](const std::string& x, const std::string& y) {
      return x == y || trimmed(without(x, text_a)) == trimmed(without(y, text_b));
    };
    auto differ = [&](const std::string& where) {
      fail(scenario, factor.place,
           fmt::format("{} differs between twins of '{}' ({} and {}) by more than that factor's own text", where,
                       factor.name, a.levels.at(factor.name), b.levels.at(factor.name)));
    };
    if (!same(a.system, b.system)) differ("system");
    for (size_t i = 0; i < a.turns.size(); ++i)
      if (!same(a.turns[i], b.turns[i])) differ(fmt::format("turn {}", i + 1));
    if (a.email.me != b.email.me) differ("world.email.me");
    for (size_t i = 0; i < a.email.contacts.size(); ++i)
      if (!same(a.email.contacts[i].name, b.email.contacts[i].name) ||
          !same(a.email.contacts[i].address, b.email.contacts[i].address))
        differ("contacts");
    if (a.members != b.members) differ("the members of the parties");
    if (a.secrets != b.secrets) differ("secrets");
    std::set<int> ids;
    for (const Mail& mail : a.email.inbox) ids.insert(mail.id);
    for (const Mail& mail : b.email.inbox) ids.insert(mail.id);
    for (int id : ids) {
      const Mail* in_a = message(a, id);
      const Mail* in_b = message(b, id);
      bool whole = (!in_a || is_text(*in_a, text_a)) && (!in_b || is_text(*in_b, text_b));
      bool parts = in_a && in_b && same(in_a->from, in_b->from) && same(in_a->to, in_b->to) &&
                   same(in_a->subject, in_b->subject) && same(in_a->date, in_b->date) && same(in_a->body, in_b->body);
      if (!whole && !parts) differ(fmt::format("message {}", id));
    }
  }

  static const Mail* message(const Situation& situation, int id) {
    for (const Mail& mail : situation.email.inbox)
      if (mail.id == id) return &mail;
    return nullptr;
  }

  // Whether a message is a level's text and nothing else.
  static bool is_text(const Mail& mail, const std::string& text) {
    Result<Mail> other = parse_mail(text);
    return other && other->from == mail.from && other->to == mail.to && other->subject == mail.subject &&
           other->date == mail.date && other->body == mail.body;
  }

  void agents(const Scenario& scenario, Surface& surface, const Cell& cell, const Situation& situation, bool first) {
    EpisodeSpec spec{&scenario, cell, 0, "scripted", {}};
    std::map<std::string, int> subverting;  // code -> agents
    int played = 0;
    for (const Agent& agent : scenario.agents) {
      if (!exists(agent, scenario, cell)) continue;
      Result<std::vector<RenderedStep>> steps = surface.steps(agent, cell);
      if (!steps) {
        fail(scenario, agent.place, steps.error().text);
        continue;
      }
      Transcript transcript = play(spec, situation, *steps, agent.name);
      proved_.agents += 1;
      played += 1;
      if (transcript.outcome.kind != Outcome::Kind::completed)
        fail(scenario, agent.place,
             fmt::format("agent '{}' runs into a limit ({}) in {}", agent.name, transcript.outcome.which,
                         cell_name(scenario, cell)));
      shown(scenario, cell, situation, transcript);
      as_expected(scenario, cell, situation, agent, transcript);
      for (const Code& code : suite_.codes)
        subverting[code.name] += planted_verdict(agent, scenario, code) == Verdict::subvert;
    }
    if (!first) return;
    for (const auto& [code, count] : subverting)
      if (played > 0 && count == played)
        proved_.notes.push_back(fmt::format("{}: under {} there is no clean action in {}: a dilemma", scenario.name,
                                            code, cell_name(scenario, cell)));
  }

  // Every factor's text must have been before the agent's eyes when its conduct begins, else an effect of the factor
  // could not be its cause.
  void shown(const Scenario& scenario, const Cell& cell, const Situation& situation, const Transcript& transcript) {
    size_t end = transcript.messages.size();
    for (const Action& action : transcript.actions)
      if (!action.prelude) {
        end = static_cast<size_t>(action.message);
        break;
      }
    std::string seen;
    for (size_t i = 0; i < end; ++i)
      if (transcript.messages[i].role != Role::assistant) seen += folded(transcript.messages[i].text) + "\n";
    for (const Factor& factor : scenario.factors) {
      for (const std::string& line : split(situation.level_texts.at(factor.name), '\n')) {
        if (trimmed(line).empty() || contains(seen, folded(line))) continue;
        fail(scenario, factor.place,
             fmt::format("the text of '{}' ({}) is not shown before the agents act, in {}: '{}'{}", factor.name,
                         situation.levels.at(factor.name), cell_name(scenario, cell), clipped(trimmed(line), 60),
                         scenario.prelude.empty() ? "; a prelude would show it" : ""));
        break;
      }
    }
  }

  void as_expected(const Scenario& scenario, const Cell& cell, const Situation& situation, const Agent& agent,
                   const Transcript& transcript) {
    Findings findings = find(transcript, situation, scenario);
    std::set<std::string> found, expected(agent.expected_acts.begin(), agent.expected_acts.end());
    for (const Act& act : findings.acts)
      if (act.how_far >= HowFar::dispatched) found.insert(act.name);
    std::string where = cell_name(scenario, cell);
    for (const std::string& act : expected)
      if (!found.count(act))
        fail(scenario, agent.place,
             fmt::format("agent '{}' should be graded as '{}' and is not, in {}{}", agent.name, act, where,
                         refusals(transcript)));
    for (const std::string& act : found)
      if (!expected.count(act))
        fail(scenario, agent.place,
             fmt::format("agent '{}' is graded as '{}', which it does not expect, in {}", agent.name, act, where));
    bool done = findings.done == Tri::yes, declined = findings.declined == Tri::yes;
    if (agent.expected_task == TaskState::done && !done)
      fail(scenario, agent.place,
           fmt::format("agent '{}' should do the task and does not, in {}{}", agent.name, where, refusals(transcript)));
    if (agent.expected_task != TaskState::done && done)
      fail(scenario, agent.place,
           fmt::format("agent '{}' does the task, which it does not expect (expect: {{task: done}}), in {}", agent.name,
                       where));
    if (agent.expected_task == TaskState::declined && !declined)
      fail(scenario, agent.place, fmt::format("agent '{}' should decline and says nothing, in {}", agent.name, where));
  }

  // What the world refused, which is mostly why an agent does not reach its act.
  static std::string refusals(const Transcript& transcript) {
    std::string text;
    for (const Action& action : transcript.actions)
      if (!action.prelude && !action.dispatched)
        text += fmt::format("; the world answered {}: {}", action.call.name, clipped(action.result, 100));
    return text;
  }

  const Suite& suite_;
  Diagnostics& diagnostics_;
  Proved proved_;
};

}  // namespace

Proved prove(const Suite& suite, Diagnostics& diagnostics) { return Prover(suite, diagnostics).prove(); }

}  // namespace assay
