#include "prove/prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "grade/dilemma.h"
#include "grade/grade.h"
#include "prove/branches.h"
#include "prove/cell_tally.h"
#include "prove/codes.h"
#include "prove/play.h"
#include "prove/visible.h"
#include "scenario/policy.h"
#include "scenario/render.h"

namespace assay {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

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
        tally_(cell_names(scenario, cells_)),
        rules_(scenario) {
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
    if (sound_ && !scenario_.chosen) branches(), turns(), parts_of_rules(), unsaid_wrongs();
    for (const auto& [place, message] : tally_.told()) told(place, message);
    if (sound_) dilemmas();
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

  void filled(size_t cell) {
    const Situation& situation = situations_[cell];
    for (const VisibleText& part : visible(scenario_, situation))
      for (const char* mark : {"{{", "}}", "{%", "%}", "${"})
        if (contains(part.text, mark) && !is_shell_script(part, mark))
          unsound(part.place, fmt::format("{} is not filled in: '{}' stands in it", part.where, mark), cell);
    if (situation.email) mailbox(cell, *situation.email);
    if (situation.shell) machine(cell, *situation.shell);
    tools_named(cell, "system", scenario_.system, situation.system);
    if (scenario_.check && trimmed(situation.check).empty())
      unsound(scenario_.check->place, "check.ask renders to nothing", cell);
    for (size_t i = 0; i < situation.turns.size(); ++i)
      tools_named(cell, fmt::format("turn {}", i + 1), scenario_.turns[i].user, situation.turns[i]);
    if (trimmed(situation.system).empty()) unsound(scenario_.system.origin().place, "system renders to nothing", cell);
    for (size_t i = 0; i < situation.turns.size(); ++i)
      if (trimmed(situation.turns[i]).empty())
        unsound(scenario_.turns[i].user.origin().place, "this turn renders to nothing", cell);
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

  // What reads as the name of a tool - a word with an underscore that begins or sounds like one of them - is one.
  void tools_named(size_t cell, const std::string& where, const Template& written, const std::string& text) {
    std::vector<std::string> names, beginnings = {"email_"};
    for (const ToolSpec& tool : scenario_.tools) {
      names.push_back(tool.name);
      if (size_t end = tool.name.find('_'); end != std::string::npos)
        beginnings.push_back(tool.name.substr(0, end + 1));
    }
    auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    for (size_t at = 0; at < text.size(); ++at) {
      size_t end = at;
      while (end < text.size() && in_name(text[end])) ++end;
      const std::string word = text.substr(at, end - at);
      const bool in_address = end < text.size() && text[end] == '@';
      at = std::max(at, end);
      if (word.find('_') == std::string::npos || in_address || std::count(names.begin(), names.end(), word)) continue;
      const std::string meant = nearest(word, names);
      bool begins =
          std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& b) { return word.starts_with(b); });
      if (meant.empty() && !begins) continue;
      size_t column = written.text().find(word);
      tally_.add(or_file(written.origin().at(written.text(), column == std::string::npos ? 0 : column)),
                 fmt::format("{} names a tool '{}', which the agent does not have; {}", where, word,
                             meant.empty() ? "it has " + joined(names, ", ") : "did you mean '" + meant + "'?"),
                 cell);
    }
  }

  static bool is_address(const std::string& text) {
    size_t at = text.find('@');
    return at != std::string::npos && at > 0 && at + 1 < text.size() && text.find(' ') == std::string::npos;
  }

  // In a file ${NAME} is what a script of the machine's says.
  static bool is_shell_script(const VisibleText& part, std::string_view mark) {
    return mark == "${" && part.where.starts_with("the file ");
  }

  void mailbox(size_t cell, const EmailSetup& email) {
    const EmailPlan& plan = *scenario_.email;
    if (email.inbox.empty())
      unsound(plan.inbox.empty() ? file_ : plan.inbox[0].origin().place, "the inbox is empty", cell);
    if (!is_address(email.me))
      unsound(plan.me.origin().place, "me must be a mail address", cell, fmt::format("; it renders to '{}'", email.me));
  }

  void machine(size_t cell, const ShellSetup& shell) {
    const ShellPlan& plan = *scenario_.shell;
    if (shell.files.empty()) unsound(plan.place, "no file is on the machine", cell);
    for (const ShellMistake& mistake : mistakes_in(shell)) {
      const Situation& situation = situations_[cell];
      Place place = plan.place;
      if (mistake.in == ShellMistake::In::me && !plan.me.empty()) place = plan.me.origin().place;
      if (mistake.in == ShellMistake::In::cwd && !plan.cwd.empty()) place = plan.cwd.origin().place;
      for (size_t i = 0; i < plan.files.size(); ++i)
        if (mistake.in == ShellMistake::In::file && situation.file_paths[i] == mistake.name)
          place = plan.files[i].path.origin().place;
      for (size_t i = 0; i < plan.accounts.size(); ++i)
        if (mistake.in == ShellMistake::In::account && situation.account_names[i] == mistake.name)
          place = plan.accounts[i].name.origin().place;
      const char* what = mistake.in == ShellMistake::In::file      ? "this file"
                         : mistake.in == ShellMistake::In::account ? "this account"
                                                                   : "this machine";
      // The sentence names what it is called on this surface; the message is told once for all of them.
      unsound(place, fmt::format("{} cannot be made", what), cell, ": " + mistake.text);
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
          bool differ =
              visible(scenario_, situations_[a]) != visible(scenario_, situations_[b]) || decides_turns(factor.name);
          branched_[{f, cells_[a].levels[f], cells_[b].levels[f]}] |= differ;
        } else if (factor.latent) {
          if (visible(scenario_, situations_[a]) != visible(scenario_, situations_[b]))
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
    for (const std::string& where : differences(factor.name, a, b))
      told(factor.place, fmt::format("{} differs between twins of '{}' ({} and {}) by more than that factor's own text",
                                     where, factor.name, a.levels.at(factor.name), b.levels.at(factor.name)));
    return a.level_texts.at(factor.name) != b.level_texts.at(factor.name);
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
    for (const Agent& agent : scenario_.agents) {
      if (!exists(agent, scenario_, cells_[cell])) continue;
      Result<std::vector<RenderedStep>> steps = surface.steps(agent, cells_[cell]);
      for (const RenderFault& fault : surface.faults()) tally_.add_shared(or_file(fault.place), fault.message, cell);
      if (!steps) continue;
      Transcript transcript = play(spec, situation, *steps, agent.name);
      proved_.agents += 1;
      shown(cell, transcript);
      heard(situation, transcript);
      rules_.see(agent, transcript, situation);
      if (transcript.outcome.kind == Outcome::Kind::completed)
        as_expected(cell, agent, transcript);
      else
        cut_off(cell, agent, transcript.outcome);
    }
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

  void parts_of_rules() {
    for (const auto& [place, sentence] : rules_.unneeded())
      proved_.notes.push_back(fmt::format("{}:{}:{}: {}", place.file, place.line, place.column, sentence));
  }

  // An act that goes against someone, and nobody who says against whom: then a slip in `wrongs` shows nowhere.
  void unsaid_wrongs() {
    for (const ActRule& act : scenario_.acts) {
      const bool against_someone =
          !act.wrongs.named.empty() ||
          std::ranges::any_of(act.wrongs.by.at, [](const auto& at) { return !at.second.empty(); });
      if (against_someone && !whom_said_.count(act.name))
        proved_.notes.push_back(
            fmt::format("{}:{}:{}: no scripted agent that does '{}' and no other act says whom it wrongs (expect: "
                        "{{wrongs: [...]}}), so a slip "
                        "there would not be found",
                        act.place.file, act.place.line, act.place.column, act.name));
    }
  }

  void dilemmas() {
    for (const std::string& code : scenario_.dilemma)
      if (!suite_.code(code)) told(scenario_.dilemma_place, fmt::format("the suite has no code of conduct '{}'", code));
    for (const Code& code : suite_.codes) {
      std::set<size_t> cells;
      for (size_t c = 0; c < cells_.size(); ++c)
        if (is_dilemma(scenario_, cells_[c], code)) cells.insert(c);
      if (!cells.empty())
        proved_.notes.push_back(fmt::format("{}: under {} there is no clean action in {}: a dilemma", scenario_.name,
                                            code.name, tally_.where(cells)));
      else if (!scenario_.chosen && std::ranges::count(scenario_.dilemma, code.name) > 0)
        told(scenario_.dilemma_place,
             fmt::format("under '{}' every cell has a clean action: there is no dilemma, and `dilemma` promises one",
                         code.name));
    }
  }

  void cut_off(size_t cell, const Agent& agent, const Outcome& outcome) {
    if (outcome.kind != Outcome::Kind::limit)
      return tally_.add(agent.place, fmt::format("agent '{}' cannot go on", agent.name), cell, ": " + outcome.text);
    const std::string& which = outcome.which;
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
    wrongs(cell, agent, findings);
    if (!findings.fault.empty())
      tally_.add(agent.expect_place, fmt::format("agent '{}' cannot be graded", agent.name), cell,
                 ": " + findings.fault);
    std::vector<std::string> lacking;
    for (const std::string& act : expected)
      if (!found.count(act)) lacking.push_back(fmt::format("should be graded as '{}' and is not", act));
    const bool done = findings.done == Tri::yes, declined = findings.declined == Tri::yes;
    if (agent.does_task() && !done) lacking.push_back("should do the task and does not" + unmet(findings));
    asked(cell, agent, findings, lacking);
    unreached(cell, agent, transcript, lacking);
    if (!agent.does_task() && done)
      tally_.add(agent.expect_place,
                 fmt::format("agent '{}' does the task, which it does not expect (expect: {{task: done}})", agent.name),
                 cell);
    verdicts(cell, agent, findings);
    if (agent.declines() && !declined)
      tally_.add(agent.expect_place, fmt::format("agent '{}' should decline and says nothing", agent.name), cell);
  }

  // Of a task with several conditions, those that no action met.
  std::string unmet(const Findings& findings) const {
    std::vector<std::string> open;
    for (size_t part = 0; part < findings.met.size(); ++part)
      if (!findings.met[part]) open.push_back(fmt::format("`{}`", scenario_.task.when[part].text()));
    return findings.met.size() < 2 ? "" : fmt::format(" (nothing it does meets {})", joined(open, ", nor "));
  }

  // What the acts come to under a code: else a slip in a clause, a kind or whom an act wrongs would pass for conduct.
  void verdicts(size_t cell, const Agent& agent, const Findings& findings) {
    for (const ExpectedVerdict& expected : agent.expected_verdicts) {
      const Code* code = suite_.code(expected.code);
      if (!code) continue;
      const VerdictRow row = judge(findings, scenario_, *code);
      if (row.verdict == Verdict::ungraded && !findings.open_questions.empty()) continue;  // a program was not run
      const std::string& wanted = expected.by.in(situations_[cell].levels, expected.verdict);
      if (name_of(row.verdict) != wanted)
        tally_.add(expected.place,
                   fmt::format("agent '{}' is graded {} under {}, and expects {}", agent.name, name_of(row.verdict),
                               expected.code, wanted),
                   cell, ": " + row.reason);
    }
  }

  // Whoever says what it is asked says all, so that a rule that became too narrow is noticed, and one that became too
  // wide.
  void asked(size_t cell, const Agent& agent, const Findings& findings, std::vector<std::string>& lacking) {
    if (!agent.expected_asked) return;
    const std::vector<std::string>& expected = agent.expected_asked->in(situations_[cell].levels);
    for (const std::string& act : expected)
      if (std::ranges::count(findings.near, act) == 0)
        lacking.push_back(
            fmt::format("should be asked about '{}' and is not: nothing that it does meets that rule", act));
    for (const std::string& act : findings.near)
      if (std::ranges::count(expected, act) == 0)
        tally_.add(agent.expect_place,
                   fmt::format("agent '{}' is asked about '{}', which its `asked` does not name", agent.name, act),
                   cell);
  }

  // An act may be found and go against the wrong party.
  void wrongs(size_t cell, const Agent& agent, const Findings& findings) {
    if (!agent.expected_wrongs) return;
    std::set<std::string> found;
    std::map<std::string, std::set<std::string>> by_act;
    for (const Act& act : findings.acts) {
      if (act.how_far < HowFar::dispatched) continue;
      found.insert(act.wrongs.begin(), act.wrongs.end());
      by_act[act.name].insert(act.wrongs.begin(), act.wrongs.end());
    }
    // Of two acts that wrong the same party one could hide the other's slip.
    for (const auto& [name, parties] : by_act)
      if (std::ranges::none_of(by_act, [&](const auto& other) {
            return other.first != name &&
                   std::ranges::any_of(other.second, [&](const auto& party) { return parties.count(party) > 0; });
          }))
        whom_said_.insert(name);
    const std::vector<std::string>& list = agent.expected_wrongs->in(situations_[cell].levels);
    const std::set<std::string> expected(list.begin(), list.end());
    auto names = [](const std::set<std::string>& of) {
      return of.empty() ? "nobody" : joined({of.begin(), of.end()}, ", ");
    };
    if (found != expected)
      tally_.add(
          agent.expect_place,
          fmt::format("agent '{}' wrongs {}, and expects to wrong {}", agent.name, names(found), names(expected)),
          cell);
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
    // Nothing was refused; what its last call came to says most.
    std::string last;
    for (const Action& action : transcript.actions)
      if (!action.prelude)
        last = fmt::format("; its last call was {}, and the world answered: {}", for_terminal(action.call.name),
                           clipped(for_terminal(action.result), 100));
    for (const std::string& lack : lacking)
      tally_.add(agent.expect_place, fmt::format("agent '{}' {}", agent.name, lack), cell, last);
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
  std::set<std::string> whom_said_;                        // acts done by agents that say whom they wrong
  Branches rules_;                                         // which parts of conditions some agent needed
  std::set<size_t> heard_;                                 // turns with a condition that some agent was told
  bool sound_ = true;                                      // every cell so far can be played
};

}  // namespace

Proved prove(const Suite& suite, Diagnostics& diagnostics) {
  Proved proved;
  prove_codes(suite, diagnostics);
  for (const Scenario& scenario : suite.scenarios) Prover(suite, scenario, proved, diagnostics).prove();
  return proved;
}

}  // namespace assay
