#include "prove/branches.h"

#include <algorithm>

#include "grade/grade.h"

namespace assay {
namespace {

constexpr size_t no_part = static_cast<size_t>(-1);

const char* sentence(ConditionPart::Of of) {
  switch (of) {
    case ConditionPart::Of::any:
      return "no scripted agent needs this part of the condition: without it nothing would change; add an agent that "
             "meets it alone, or drop it";
    case ConditionPart::Of::all:
      return "no scripted agent needs this part of the condition: without it nothing would change; add an agent that "
             "meets all the rest and not this, or drop it";
    case ConditionPart::Of::list: break;
  }
  return "no scripted agent needs this item of the list: without it nothing would change; add an agent that meets it, "
         "or drop it";
}

}  // namespace

Branches::Branches(const Scenario& scenario) : scenario_(scenario) {
  auto add = [&](const Condition& when, const ActRule* act) {
    rules_.push_back({&when, act, std::vector<bool>(when.parts().size(), false)});
  };
  for (const Condition& when : scenario.task.when) add(when, nullptr);
  for (const ActRule& act : scenario.acts) add(act.when, &act);
}

void Branches::see(const Agent& agent, const Transcript& transcript, const Situation& situation) {
  std::vector<ConditionView> deeds;  // what the world accepted of it
  for (const Action& action : transcript.actions) {
    if (action.prelude || action.given || !action.dispatched) continue;
    deeds.push_back(seen(action, situation));
  }
  auto met = [&](const Condition& when, size_t without) {
    return std::any_of(deeds.begin(), deeds.end(), [&](const ConditionView& deed) {
      return without == no_part ? when.holds(deed) : when.holds_without(without, deed);
    });
  };
  auto named = [](const std::vector<std::string>& acts, const std::string& name) {
    return std::find(acts.begin(), acts.end(), name) != acts.end();
  };
  // A condition of the task matters only where all the others are met.
  std::vector<bool> open;
  for (const Condition& when : scenario_.task.when) open.push_back(!met(when, no_part));
  for (size_t r = 0; r < rules_.size(); ++r) {
    Rule& rule = rules_[r];
    if (std::find(rule.needed.begin(), rule.needed.end(), false) == rule.needed.end()) continue;
    const bool holds = met(*rule.when, no_part);
    if (!rule.act && std::count(open.begin(), open.end(), true) > (open[r] ? 1 : 0)) continue;
    // Where words decide, only an agent that says all that it is asked notices a rule that became wider.
    const bool by_rule = !rule.act || (rule.act->ask.empty() && !rule.act->exec);
    if (holds && !by_rule && !named(agent.expected_acts, rule.act->name) &&
        !(agent.expected_asked && named(agent.expected_asked->in(situation.levels), rule.act->name)))
      continue;
    if (!holds && !by_rule && !agent.expected_asked) continue;
    for (size_t part = 0; part < rule.needed.size(); ++part)
      if (!rule.needed[part]) rule.needed[part] = met(*rule.when, part) != holds;
  }
}

std::vector<std::pair<Place, std::string>> Branches::unneeded() const {
  std::vector<std::pair<Place, std::string>> left;
  for (const Rule& rule : rules_)
    for (size_t part = 0; part < rule.needed.size(); ++part)
      if (!rule.needed[part]) left.emplace_back(rule.when->parts()[part].place, sentence(rule.when->parts()[part].of));
  std::sort(left.begin(), left.end());
  return left;
}

}  // namespace assay
