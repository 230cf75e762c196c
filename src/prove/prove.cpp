#include "prove/prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "grade/grade.h"
#include "prove/cell_tally.h"
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

std::string cell_name(const Scenario& scenario, const Cell& cell) {
  return EpisodeSpec{&scenario, cell, 0, "", {}}.cell_name();
}

std::vector<std::string> cell_names(const Scenario& scenario, const std::vector<Cell>& cells) {
  std::vector<std::string> names;
  for (const Cell& cell : cells) names.push_back(cell_name(scenario, cell));
  return names;
}

int surfaces_of(const Scenario& scenario) {
  size_t most = 1;
  for (const Variant& variant : scenario.variants) most = std::max(most, variant.values.size());
  for (const Factor& factor : scenario.factors)
    for (const Level& level : factor.levels) most = std::max(most, level.wordings.size());
  return static_cast<int>(most);
}

// One scenario: every surface, every cell, every agent.
class Prover {
 public:
  Prover(const Suite& suite, const Scenario& scenario, Proved& proved, Diagnostics& diagnostics)
      : suite_(suite),
        scenario_(scenario),
        proved_(proved),
        diagnostics_(diagnostics),
        cells_(grid(scenario)),
        tally_(cell_names(scenario, cells_)) {
    auto file = suite.sources->find(scenario.file);
    file_ = {file == suite.sources->end() ? scenario.name : file->second.name, 1, 1};
  }

  void prove() {
    proved_.cells += static_cast<int>(cells_.size());
    proved_.surfaces += surfaces_of(scenario_);
    for (int n = 0; n < surfaces_of(scenario_); ++n) {
      Surface surface = Surface::nth(scenario_, n);
      if (!render(surface)) continue;
      for (size_t c = 0; c < cells_.size(); ++c) filled(c);
      twins();
      // In a situation that is no situation agents fail too, and say nothing new.
      if (sound_)
        for (size_t c = 0; c < cells_.size(); ++c) agents(surface, c);
    }
    // A part of a grid need not show what the whole one does.
    if (sound_ && !scenario_.chosen) branches(), turns();
    for (const auto& [place, message] : tally_.told()) told(place, message);
    if (!subverted_.empty()) dilemmas();
  }

 private:
  void told(const Place& place, std::string message) {
    std::string_view text;
    for (const auto& [key, file] : *suite_.sources)
      if (file.name == place.file) text = file.text;
    diagnostics_.add(place, std::move(message), text);
  }

  // The scenario's own file, where a mistake has no place of its own.
  const Place& or_file(const Place& place) const { return place.line > 0 ? place : file_; }

  // Fills situations_; false where a cell cannot be rendered.
  bool render(Surface& surface) {
    situations_.clear();
    bool whole = true;
    for (size_t c = 0; c < cells_.size(); ++c) {
      Result<Situation> situation = surface.situation(cells_[c]);
      for (const RenderFault& fault : surface.faults()) tally_.add_shared(or_file(fault.place), fault.message, c);
      if (situation)
        situations_.push_back(std::move(*situation));
      else
        whole = sound_ = false;
    }
    return whole;
  }

  void unsound(const Place& place, const std::string& message, size_t cell, const std::string& detail = "") {
    tally_.add(or_file(place), message, cell, detail);
    sound_ = false;
  }

  // Where a visible text comes from, as far as one template says it.
  Place place_of(const std::string& where) const {
    if (where == "system") return scenario_.system.origin().place;
    if (where == "world.email.me") return scenario_.email.me.origin().place;
    for (size_t i = 0; i < scenario_.turns.size(); ++i)
      if (where == fmt::format("turn {}", i + 1)) return scenario_.turns[i].user.origin().place;
    for (size_t i = 0; i < scenario_.email.inbox.size(); ++i)
      if (where == fmt::format("message {}", i + 1)) return scenario_.email.inbox[i].origin().place;
    if (where == "contacts" && !scenario_.email.contacts.empty())
      return scenario_.email.contacts[0].name.origin().place;
    return file_;
  }

  void filled(size_t cell) {
    const Situation& situation = situations_[cell];
    for (const auto& [where, text] : visible(situation))
      for (const char* mark : {"{{", "}}", "{%", "%}", "${"})
        if (contains(text, mark))
          unsound(place_of(where), fmt::format("{} is not filled in: '{}' stands in it", where, mark), cell);
    if (situation.email.inbox.empty())
      unsound(scenario_.email.inbox.empty() ? file_ : scenario_.email.inbox[0].origin().place, "the inbox is empty",
              cell);
    if (trimmed(situation.system).empty()) unsound(scenario_.system.origin().place, "system renders to nothing", cell);
    for (size_t i = 0; i < situation.turns.size(); ++i)
      if (trimmed(situation.turns[i]).empty())
        unsound(scenario_.turns[i].user.origin().place, "this turn renders to nothing", cell);
    auto is_address = [](const std::string& a) {
      return a.find('@') != std::string::npos && a.find('@') + 1 < a.size() && a.front() != '@' &&
             a.find(' ') == std::string::npos;
    };
    if (!is_address(situation.email.me))
      unsound(scenario_.email.me.origin().place, "me must be a mail address", cell,
              fmt::format("; it renders to '{}'", situation.email.me));
    for (const Party& party : scenario_.parties) {
      const std::vector<std::string>& members = situation.members.at(party.name);
      for (size_t i = 0; i < members.size(); ++i)
        if (!is_address(members[i]))
          unsound(party.members[i].origin().place,
                  fmt::format("a member of '{}' must be a mail address{}", party.name,
                              party.kind == Party::Kind::outsider ? " or a pattern such as *@firm.example" : ""),
                  cell, fmt::format("; this renders to '{}'", members[i]));
    }
  }

  // Cells that differ in one factor alone may differ in nothing but that factor's text, and what a tool derives from
  // it.
  void twins() {
    for (size_t a = 0; a < cells_.size(); ++a) {
      for (size_t b = a + 1; b < cells_.size(); ++b) {
        int differing = 0;
        size_t f = 0;
        for (size_t i = 0; i < scenario_.factors.size(); ++i)
          if (cells_[a].levels[i] != cells_[b].levels[i]) ++differing, f = i;
        if (differing != 1) continue;
        proved_.twins += 1;
        const Factor& factor = scenario_.factors[f];
        if (factor.branches) {
          bool differ = visible(situations_[a]) != visible(situations_[b]) || decides_turns(factor.name);
          branched_[{f, cells_[a].levels[f], cells_[b].levels[f]}] |= differ;
        } else if (factor.latent) {
          if (visible(situations_[a]) != visible(situations_[b]))
            told(factor.place, fmt::format("twins of '{}' differ, which is latent", factor.name));
        } else if (!compare(factor, situations_[a], situations_[b])) {
          told(factor.levels[static_cast<size_t>(cells_[b].levels[f])].place,
               fmt::format("levels '{}' and '{}' of '{}' are the same text once they are filled in",
                           situations_[a].levels.at(factor.name), situations_[b].levels.at(factor.name), factor.name));
        }
      }
    }
  }

  // Whether some turn of the user is said or not as this factor's level is.
  bool decides_turns(const std::string& factor) const {
    return std::any_of(scenario_.turns.begin(), scenario_.turns.end(),
                       [&](const Turn& turn) { return turn.when.factors().count(factor) > 0; });
  }

  // False where the two levels have the same text.
  bool compare(const Factor& factor, const Situation& a, const Situation& b) {
    const std::string& text_a = a.level_texts.at(factor.name);
    const std::string& text_b = b.level_texts.at(factor.name);
    auto same = [&](const std::string& x, const std::string& y) {
      return x == y || trimmed(without(x, text_a)) == trimmed(without(y, text_b));
    };
    auto differ = [&](const std::string& where) {
      told(factor.place, fmt::format("{} differs between twins of '{}' ({} and {}) by more than that factor's own text",
                                     where, factor.name, a.levels.at(factor.name), b.levels.at(factor.name)));
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
    return text_a != text_b;
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

  // Two levels that templates may branch on must show somewhere.
  void branches() {
    for (const auto& [levels, differ] : branched_) {
      const auto& [f, a, b] = levels;
      const Factor& factor = scenario_.factors[f];
      const Level& other = factor.levels[static_cast<size_t>(b)];
      if (!differ)
        told(other.place, fmt::format("levels '{}' and '{}' of '{}' change no byte in any cell",
                                      factor.levels[static_cast<size_t>(a)].name, other.name, factor.name));
    }
  }

  void agents(Surface& surface, size_t cell) {
    const Situation& situation = situations_[cell];
    EpisodeSpec spec{&scenario_, cells_[cell], 0, "scripted", {}};
    std::map<std::string, int> subverting;  // code -> agents
    int played = 0;
    for (const Agent& agent : scenario_.agents) {
      if (!exists(agent, scenario_, cells_[cell])) continue;
      Result<std::vector<RenderedStep>> steps = surface.steps(agent, cells_[cell]);
      for (const RenderFault& fault : surface.faults()) tally_.add_shared(or_file(fault.place), fault.message, cell);
      if (!steps) continue;
      Transcript transcript = play(spec, situation, *steps, agent.name);
      proved_.agents += 1;
      shown(cell, transcript);
      heard(situation, transcript);
      if (transcript.outcome.kind == Outcome::Kind::completed)
        as_expected(cell, agent, transcript);
      else
        cut_off(cell, agent, transcript.outcome.which);
      // Where all actions are closed, declining is one of them: it lets happen what happens by itself.
      if (scenario_.closed && agent.expected_task == TaskState::declined) continue;
      played += 1;
      for (const Code& code : suite_.codes)
        subverting[code.name] += planted_verdict(agent, scenario_, situation.levels, code) == Verdict::subvert;
    }
    for (const auto& [code, count] : subverting)
      if (played > 0 && count == played) subverted_[code].insert(cell);
  }

  // Keeps in mind which turns with a condition were said to some agent.
  void heard(const Situation& situation, const Transcript& transcript) {
    for (size_t i = 0; i < situation.turns.size(); ++i)
      if (!scenario_.turns[i].when.empty())
        for (const Message& message : transcript.messages)
          if (message.role == Role::user && message.text == situation.turns[i]) heard_.insert(i);
  }

  // A condition that holds for no agent is a slip, or a turn that nothing proves.
  void turns() {
    for (size_t i = 0; i < scenario_.turns.size(); ++i)
      if (!scenario_.turns[i].when.empty() && !heard_.count(i))
        told(scenario_.turns[i].when_place, "this turn is said to no agent in any cell: its condition never holds");
  }

  void dilemmas() {
    for (const auto& [code, cells] : subverted_)
      proved_.notes.push_back(fmt::format("{}: under {} there is no clean action in {}: a dilemma", scenario_.name,
                                          code, tally_.where(cells)));
  }

  void cut_off(size_t cell, const Agent& agent, const std::string& which) {
    const Limits& limits = scenario_.limits;
    int limit = which == "turns" ? limits.turns : which == "actions" ? limits.actions : limits.tokens;
    auto place = limits.places.find(which);
    tally_.add_agent(place == limits.places.end() ? agent.place : place->second,
                     fmt::format("limits.{} ({}) is too small for {{}} to end", which, limit), agent.name, cell);
  }

  // Every factor's text must have been before the agent's eyes when its conduct begins, else an effect of the factor
  // could not be its cause.
  void shown(size_t cell, const Transcript& transcript) {
    const Situation& situation = situations_[cell];
    size_t end = transcript.messages.size();
    for (const Action& action : transcript.actions)
      if (!action.prelude) {
        end = static_cast<size_t>(action.message);
        break;
      }
    std::string seen;
    for (size_t i = 0; i < end; ++i)
      if (transcript.messages[i].role != Role::assistant) seen += folded(transcript.messages[i].text) + "\n";
    for (const Factor& factor : scenario_.factors) {
      for (const std::string& line : split(situation.level_texts.at(factor.name), '\n')) {
        if (trimmed(line).empty() || contains(seen, folded(line))) continue;
        tally_.add(factor.place, fmt::format("the text of '{}' is not shown before the agents act", factor.name), cell,
                   fmt::format(": '{}'{}", clipped(trimmed(line), 60),
                               scenario_.prelude.empty() ? "; a prelude would show it" : ""));
        break;
      }
    }
  }

  // The step of a script that an action was.
  static Place step_of(const Agent& agent, const Transcript& transcript, size_t action) {
    size_t before = 0;
    for (size_t i = 0; i < action; ++i) before += !transcript.actions[i].prelude;
    for (const Step& step : agent.steps)
      if (!step.tool.empty() && before-- == 0) return step.place;
    return agent.place;
  }

  void as_expected(size_t cell, const Agent& agent, const Transcript& transcript) {
    Findings findings = find(transcript, situations_[cell], scenario_);
    std::set<std::string> found, expected(agent.expected_acts.begin(), agent.expected_acts.end());
    for (const Act& act : findings.acts) {
      if (act.how_far < HowFar::dispatched) continue;
      found.insert(act.name);
      if (!expected.count(act.name))
        tally_.add(step_of(agent, transcript, static_cast<size_t>(act.action)),
                   fmt::format("agent '{}' is graded as '{}', which it does not expect", agent.name, act.name), cell);
    }
    std::vector<std::string> lacking;
    for (const std::string& act : expected)
      if (!found.count(act)) lacking.push_back(fmt::format("should be graded as '{}' and is not", act));
    bool done = findings.done == Tri::yes, declined = findings.declined == Tri::yes;
    if (agent.expected_task == TaskState::done && !done) lacking.push_back("should do the task and does not");
    unreached(cell, agent, transcript, lacking);
    if (agent.expected_task != TaskState::done && done)
      tally_.add(agent.expect_place,
                 fmt::format("agent '{}' does the task, which it does not expect (expect: {{task: done}})", agent.name),
                 cell);
    if (agent.expected_task == TaskState::declined && !declined)
      tally_.add(agent.expect_place, fmt::format("agent '{}' should decline and says nothing", agent.name), cell);
  }

  // Told at the call that the world refused, which is mostly why an agent does not reach what it expects; else at what
  // it expects.
  void unreached(size_t cell, const Agent& agent, const Transcript& transcript,
                 const std::vector<std::string>& lacking) {
    if (lacking.empty()) return;
    for (size_t i = 0; i < transcript.actions.size(); ++i) {
      const Action& action = transcript.actions[i];
      if (action.prelude || action.dispatched) continue;
      tally_.add(
          step_of(agent, transcript, i), fmt::format("agent '{}' {}", agent.name, joined(lacking, ", and ")), cell,
          fmt::format("; the world answered {}: {}", for_terminal(action.call.name), clipped(action.result, 100)));
      return;
    }
    for (const std::string& lack : lacking)
      tally_.add(agent.expect_place, fmt::format("agent '{}' {}", agent.name, lack), cell);
  }

  const Suite& suite_;
  const Scenario& scenario_;
  Proved& proved_;
  Diagnostics& diagnostics_;
  const std::vector<Cell> cells_;
  CellTally tally_;
  Place file_;
  std::vector<Situation> situations_;                      // of the surface at hand, one per cell
  std::map<std::tuple<size_t, int, int>, bool> branched_;  // factor, two of its levels -> they differ somewhere
  std::map<std::string, std::set<size_t>> subverted_;      // code -> cells without a clean action
  std::set<size_t> heard_;                                 // turns with a condition that some agent was told
  bool sound_ = true;                                      // every cell so far can be played
};

}  // namespace

Proved prove(const Suite& suite, Diagnostics& diagnostics) {
  Proved proved;
  for (const Scenario& scenario : suite.scenarios) Prover(suite, scenario, proved, diagnostics).prove();
  return proved;
}

}  // namespace assay
