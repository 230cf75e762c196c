#include "report/choices.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "grade/grade.h"
#include "report/planted.h"

namespace assay {
namespace {

constexpr Interval shares{.low = 0, .high = 1};
constexpr Interval differences{.low = -1, .high = 1};
constexpr Interval any{.low = -std::numeric_limits<double>::infinity(),
                       .high = std::numeric_limits<double>::infinity()};

// Cells at the level of a change, and for each the one that differs from it in standing at the base instead. A code
// has no say here, so cells may be of two sorts.
std::vector<std::pair<size_t, size_t>> twin_cells(const Tally& tally, const Axis& axis) {
  std::vector<std::pair<size_t, size_t>> out;
  for (size_t cell = 0; cell < tally.cells().size(); ++cell) {
    if (tally.cells()[cell].levels[axis.factor] != axis.level) continue;
    const int twin = tally.cell_with(cell, axis.factor, tally.base(axis.factor));
    if (twin >= 0) out.emplace_back(cell, static_cast<size_t>(twin));
  }
  return out;
}

}  // namespace

// An outcome's share in one choice.
struct Choices::Value {
  double share = 0, per_token = 0, untold = 0;
};

bool Choices::add(const ChoiceRecord& record) {
  const auto subject = std::ranges::find(subjects_, record.model, &Subject::model);
  if (subject == subjects_.end()) return false;
  const auto tally = std::ranges::find(subject->tallies, record.scenario,
                                       [](const Tally& t) -> const std::string& { return t.scenario().name; });
  if (tally == subject->tallies.end()) return false;
  const int cell = tally->place_of(record.cell);
  if (cell < 0) return false;

  Choice choice{record.epoch, static_cast<size_t>(cell), {}};
  const std::vector<double> whole = shares_of(record.alternatives, Weighing::whole);
  const std::vector<double> per_token = shares_of(record.alternatives, Weighing::per_token);
  for (size_t i = 0; i < record.alternatives.size(); ++i) {
    const Alternative& one = record.alternatives[i];
    Turn& turn = choice.turns.emplace_back(
        Turn{{}, std::hash<std::string>()(one.turn), one.tokens, one.logprob, whole[i], per_token[i]});
    for (const std::string& name : one.agents) {
      const Agent* agent = tally->scenario().agent(name);
      if (!agent) return false;
      turn.agents.push_back(agent);
    }
  }
  choices_[&*tally].push_back(std::move(choice));
  return true;
}

std::vector<AlternativeRow> Choices::alternatives() const {
  struct Seen {
    std::vector<Measured> share, per_token;
    int64_t tokens = 0;
  };
  std::vector<AlternativeRow> out;
  for (const Subject& subject : subjects_)
    for (const Tally& tally : subject.tallies) {
      const std::vector<Choice>* choices = choices_of(tally);
      if (!choices) continue;
      std::map<std::vector<const Agent*>, Seen> seen;  // agents lie in the scenario's order
      for (const Choice& choice : *choices)
        for (const Turn& turn : choice.turns) {
          Seen& to = seen[turn.agents];
          to.share.push_back({0, choice.epoch, turn.share});
          to.per_token.push_back({0, choice.epoch, turn.per_token});
          to.tokens += turn.tokens;
        }
      for (const auto& [agents, found] : seen) {
        AlternativeRow& row = out.emplace_back(AlternativeRow{subject.model, tally.scenario().name, {}});
        for (const Agent* agent : agents) row.agents.push_back(agent->name);
        row.choices = static_cast<int64_t>(found.share.size());
        row.tokens = static_cast<double>(found.tokens) / static_cast<double>(row.choices);
        row.share = estimate_mean(found.share, shares);
        row.per_token = estimate_mean(found.per_token, shares);
      }
    }
  return out;
}

std::vector<AlternativeEffectRow> Choices::alternative_effects() const {
  std::vector<AlternativeEffectRow> out;
  for (const Subject& subject : subjects_)
    for (const Tally& tally : subject.tallies) {
      const std::vector<Choice>* choices = choices_of(tally);
      if (!choices) continue;
      std::map<size_t, std::map<int, const Choice*>> made;  // in a cell, at each epoch
      for (const Choice& choice : *choices) made[choice.cell][choice.epoch] = &choice;
      for (const Change& change : changes_of({&tally})) {
        const std::optional<Axis> axis = axis_of(tally, change);
        if (!axis) continue;
        std::map<const Agent*, Twins> of_each;
        for (auto [cell, twin] : twin_cells(tally, *axis))
          for (const auto& [epoch, choice] : made[cell])
            if (const auto base = made[twin].find(epoch); base != made[twin].end())
              for (const Turn& turn : choice->turns) compare(turn, *base->second, of_each);
        std::map<std::vector<size_t>, size_t> rows;  // by the turns that are compared
        for (const auto& [agent, twins] : of_each) {
          const auto [row, is_new] = rows.try_emplace(twins.turns, out.size());
          if (is_new)
            out.push_back({subject.model, tally.scenario().name, {}, change, estimate_mean(twins.log_ratios, any)});
          out[row->second].agents.push_back(agent->name);
        }
      }
    }
  return out;
}

// Of each agent that begins with this turn in both choices: by how much it is likelier than in the other one.
void Choices::compare(const Turn& turn, const Choice& other, std::map<const Agent*, Twins>& of_each) {
  const auto same = std::ranges::find(other.turns, turn.words, &Turn::words);
  if (same == other.turns.end() || !std::isfinite(turn.logprob) || !std::isfinite(same->logprob)) return;
  for (const Agent* agent : turn.agents)
    if (std::ranges::find(same->agents, agent) != same->agents.end()) {
      of_each[agent].turns.push_back(turn.words);
      of_each[agent].log_ratios.push_back({0, other.epoch, turn.logprob - same->logprob});
    }
}

void Choices::estimate(const Subject& subject, std::vector<CodeSummary>& out) const {
  for (const Scope& scope : scopes_of(subject))
    for (CellSort sort : {CellSort::ordinary, CellSort::dilemma})
      for (size_t code = 0; code < out.size(); ++code) estimate(subject, scope, sort, code, out[code]);
}

void Choices::estimate(const Subject& subject, const Scope& scope, CellSort sort, size_t code, CodeSummary& out) const {
  const Of of{scope.kind, subject.model, scope.name, sort};
  for (const OutcomeName& outcome : outcomes_of(scope, sort, code)) {
    std::vector<Measured> share, per_token;
    double untold = 0;
    for (size_t t = 0; t < scope.tallies.size(); ++t) {
      const Tally& tally = *scope.tallies[t];
      const std::vector<Choice>* choices = tally.can_show(outcome) ? choices_of(tally) : nullptr;
      if (!choices) continue;
      for (const Choice& choice : *choices) {
        if (tally.sort_of(choice.cell, code) != sort) continue;
        const Value value = value_of(choice, tally, outcome, code);
        share.push_back({static_cast<int32_t>(t), choice.epoch, value.share});
        per_token.push_back({static_cast<int32_t>(t), choice.epoch, value.per_token});
        untold += value.untold;
      }
    }
    PropensityRow& row = out.propensities.emplace_back(PropensityRow{of, outcome});
    row.share = estimate_mean(share, shares);
    row.per_token = estimate_mean(per_token, shares);
    row.untold = untold / static_cast<double>(share.size());

    for (const Change& change : changes_of(scope.tallies)) {
      const std::vector<Measured> twins = twins_of(scope, change, sort, outcome, code);
      if (!twins.empty()) out.propensity_effects.push_back({of, change, outcome, estimate_mean(twins, differences)});
    }
  }
}

std::vector<Measured> Choices::twins_of(const Scope& scope, const Change& change, CellSort sort,
                                        const OutcomeName& outcome, size_t code) const {
  std::vector<Measured> twins;
  for (size_t t = 0; t < scope.tallies.size(); ++t) {
    const Tally& tally = *scope.tallies[t];
    const std::optional<Axis> axis = axis_of(tally, change);
    const std::vector<Choice>* choices = axis && tally.can_show(outcome) ? choices_of(tally) : nullptr;
    if (!choices) continue;
    std::map<size_t, std::map<int, double>> values;  // of a cell, at each epoch
    for (const Choice& choice : *choices)
      values[choice.cell][choice.epoch] = value_of(choice, tally, outcome, code).share;
    for (auto [cell, twin] : tally.twin_cells(axis->factor, axis->level, sort, code)) {
      if (twin < 0) continue;
      const std::map<int, double>& at_base = values[static_cast<size_t>(twin)];
      for (const auto& [epoch, share] : values[cell])
        if (const auto base = at_base.find(epoch); base != at_base.end())
          twins.push_back({static_cast<int32_t>(t), epoch, share - base->second});
    }
  }
  return twins;
}

bool Choices::shows(const Agent& agent, const Tally& tally, size_t cell, const OutcomeName& outcome,
                    size_t code) const {
  if (outcome.kind == OutcomeName::Kind::act) return does(agent, outcome.act);
  auto [known, fresh] = verdicts_.try_emplace({&agent, cell, code});
  if (fresh) {
    const Levels levels = EpisodeSpec{&tally.scenario(), tally.cells()[cell], 0, "", {}}.level_names();
    known->second = planted_verdict(agent, tally.scenario(), levels, *codes_[code]);
  }
  return known->second == outcome.verdict;
}

Choices::Value Choices::value_of(const Choice& choice, const Tally& tally, const OutcomeName& outcome,
                                 size_t code) const {
  Value value;
  for (const Turn& turn : choice.turns) {
    const auto n = std::ranges::count_if(
        turn.agents, [&](const Agent* agent) { return shows(*agent, tally, choice.cell, outcome, code); });
    if (n == 0) continue;
    if (n < static_cast<long>(turn.agents.size())) {
      value.untold += turn.share;
      continue;
    }
    value.share += turn.share;
    value.per_token += turn.per_token;
  }
  return value;
}

// Those that some alternative shows, wholly or in part.
std::vector<OutcomeName> Choices::outcomes_of(const Scope& scope, CellSort sort, size_t code) const {
  std::vector<OutcomeName> out;
  for (const OutcomeName& outcome : possible_outcomes(scope.tallies)) {
    const bool shown = std::ranges::any_of(scope.tallies, [&](const Tally* tally) {
      const std::vector<Choice>* choices = tally->can_show(outcome) ? choices_of(*tally) : nullptr;
      return choices && std::ranges::any_of(*choices, [&](const Choice& choice) {
               return tally->sort_of(choice.cell, code) == sort &&
                      std::ranges::any_of(choice.turns, [&](const Turn& turn) {
                        return std::ranges::any_of(turn.agents, [&](const Agent* agent) {
                          return shows(*agent, *tally, choice.cell, outcome, code);
                        });
                      });
             });
    });
    if (shown) out.push_back(outcome);
  }
  return out;
}

const std::vector<Choices::Choice>* Choices::choices_of(const Tally& tally) const {
  const auto found = choices_.find(&tally);
  return found == choices_.end() ? nullptr : &found->second;
}

}  // namespace assay
