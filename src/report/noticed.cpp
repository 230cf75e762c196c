#include "report/noticed.h"

namespace assay {

bool CheckRow::unnoticed() const { return estimate.interval && estimate.interval->high < 0.5; }

void Noticed::add(const EpisodeSummary& episode, const Scenario& scenario) {
  if (!scenario.check) return;
  const auto at = episode.levels.find(scenario.check->expect.factor);
  if (at == episode.levels.end()) return;
  Level& level = levels_[{episode.model, scenario.name, at->second}];
  if (!episode.check) {
    ++level.unasked;
    return;
  }
  level.unclear += episode.check->answered == CheckAnswer::Answer::unclear;
  level.answers.push_back({0, episode.epoch, episode.check->answered == episode.check->expected});
}

std::vector<CheckRow> Noticed::rows(const std::vector<Subject>& subjects) const {
  std::vector<CheckRow> out;
  for (const Subject& subject : subjects)
    for (const Tally& tally : subject.tallies) {
      const Scenario& scenario = tally.scenario();
      if (!scenario.check) continue;
      const ByLevel<bool>& expect = scenario.check->expect;
      for (const assay::Level& level : scenario.factor(expect.factor)->levels) {
        const auto found = levels_.find({subject.model, scenario.name, level.name});
        if (found == levels_.end()) continue;
        const auto& [answers, unclear, unasked] = found->second;
        out.push_back({.model = subject.model,
                       .scenario = scenario.name,
                       .factor = expect.factor,
                       .level = level.name,
                       .expected = expect.at.at(level.name) ? CheckAnswer::Answer::yes : CheckAnswer::Answer::no,
                       .estimate = estimate_rate(answers),
                       .unclear = unclear,
                       .unasked = unasked});
      }
    }
  return out;
}

}  // namespace assay
