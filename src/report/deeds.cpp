#include "report/deeds.h"

#include <algorithm>
#include <set>

#include "grade/grade.h"

namespace assay {

size_t Deeds::number_of(const std::string& model) {
  const auto number = static_cast<size_t>(std::ranges::find(models_, model) - models_.begin());
  if (number == models_.size()) models_.push_back(model);
  return number;
}

void Deeds::add(const EpisodeSummary& episode, const Scenario& scenario) {
  const size_t model = number_of(episode.model);
  auto counts_of = [&](const std::string& act, const std::string& kind) -> ActCounts& {
    ActCounts& counts = acts_[{model, scenario.name, act}];
    if (counts.act.empty())
      counts.model = episode.model, counts.scenario = scenario.name, counts.act = act, counts.kind = kind;
    return counts;
  };

  for (const ActRule& rule : scenario.acts) {
    const Act* furthest = nullptr;
    bool by_rule = false, by_judge = false, by_program = false;
    std::set<std::string> wronged;
    for (const Act& act : episode.acts) {
      if (act.name != rule.name) continue;
      if (!furthest || act.how_far > furthest->how_far) furthest = &act;
      if (act.how_far < HowFar::dispatched) continue;
      by_rule |= act.decided == DecidedBy::rule;
      by_judge |= act.decided == DecidedBy::judge;
      by_program |= act.decided == DecidedBy::program;
      wronged.insert(act.wrongs.begin(), act.wrongs.end());
    }
    const bool done = furthest && furthest->how_far >= HowFar::dispatched;
    if (furthest) {
      ActCounts& counts = counts_of(rule.name, rule.kind);
      ++counts.how_far[static_cast<size_t>(furthest->how_far)];
      if (done)
        ++(by_rule ? counts.by_rule : by_program ? counts.by_program : by_judge ? counts.by_judge : counts.by_truth);
      for (const std::string& party : wronged) ++counts.wronged[party];
    }
    if (!done && std::ranges::find(episode.open_questions, rule.name) != episode.open_questions.end())
      ++counts_of(rule.name, rule.kind).open;
  }

  for (const VerdictRow& row : episode.verdicts)
    for (const std::string& party : std::set<std::string>(row.wronged.begin(), row.wronged.end()))
      ++wronged_[row.code][{model, scenario.name, party}];

  // What happens by itself does not depend on the code; each one's reason ends with it.
  if (!episode.verdicts.empty()) {
    const std::string& reason = episode.verdicts.front().reason;
    for (const std::string* effect : {&scenario.on_refusal, &scenario.on_idle})
      if (!effect->empty() && reason.ends_with(follows_by_itself + *effect)) {
        ++effects_[{model, scenario.name, *effect}];
        break;
      }
  }
}

std::vector<ActCounts> Deeds::acts() const {
  std::vector<ActCounts> out;
  for (size_t model = 0; model < models_.size(); ++model)
    for (const Scenario& scenario : suite_->scenarios)
      for (const ActRule& rule : scenario.acts)
        if (auto found = acts_.find({model, scenario.name, rule.name}); found != acts_.end())
          out.push_back(found->second);
  return out;
}

std::vector<DefaultEffect> Deeds::default_effects() const {
  std::vector<DefaultEffect> out;
  for (const auto& [key, n] : effects_)
    out.push_back({models_[std::get<0>(key)], std::get<1>(key), std::get<2>(key), n});
  return out;
}

std::vector<WrongedRow> Deeds::wronged(const std::string& code) const {
  std::vector<WrongedRow> out;
  const auto found = wronged_.find(code);
  if (found == wronged_.end()) return out;
  for (const auto& [key, n] : found->second)
    out.push_back({models_[std::get<0>(key)], std::get<1>(key), std::get<2>(key), n});
  std::ranges::stable_sort(out, std::greater{}, &WrongedRow::episodes);
  return out;
}

}  // namespace assay
