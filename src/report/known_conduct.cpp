#include "report/known_conduct.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "report/planted.h"

namespace assay {
namespace {

// A number of the settings that a run recorded; `usual` where they do not tell.
double setting(const Json& settings, const char* key, double usual) {
  auto found = settings.find(key);
  return found != settings.end() && found->is_number() ? found->get<double>() : usual;
}

bool is_set(const Json& settings, const char* key) {
  auto found = settings.find(key);
  return found != settings.end() && !found->is_null() && *found != Json(false);
}

// How a model was played otherwise than its card's truth has it, in words; "" if it was not.
std::string played_otherwise(const Json& settings, const OrganismCard::Sampling& card) {
  std::vector<std::string> how;
  auto number = [&](const char* key, const char* name, double wanted) {
    if (const double was = setting(settings, key, wanted); was != wanted)
      how.push_back(fmt::format("{} {} and not {}", name, was, wanted));
  };
  number("temperature", "temperature", card.temperature);
  number("top_p", "top-p", card.top_p);
  number("min_p", "min-p", card.min_p);
  if (is_set(settings, "grammar") != card.grammar)
    how.emplace_back(card.grammar ? "without a grammar" : "with a grammar");
  if (is_set(settings, "max_tokens")) how.emplace_back("with replies cut at max_tokens");
  if (is_set(settings, "control")) how.emplace_back("with a control vector");
  if (auto lora = settings.find("lora"); lora != settings.end() && lora->is_object() && setting(*lora, "scale", 1) != 1)
    how.emplace_back("with its adapter scaled");
  return joined(how, ", ");
}

std::string no_truth_for(const OrganismCard& card, const ModelEntry& entry, const Registration& run) {
  if (card.suite_sha256 != run.suite_hash)
    return fmt::format("its card is about another edition of the suite {}", card.suite);
  if (card.prelude != run.design.prelude) return fmt::format("its card is about --prelude {}", name_of(card.prelude));
  if (const std::string how = played_otherwise(entry.settings, card.sampling); !how.empty())
    return "its card is about other settings: it was played at " + how;
  if (!card.truth_on(run.design.variants))
    return fmt::format("its card has no table for --variants {}", name_of(run.design.variants));
  return "";
}

// The agents of a scenario that a card's conduct is about: any of one conduct stands for all.
const Agent* agent_of(const Scenario& scenario, const std::string& conduct) {
  auto found = std::ranges::find_if(scenario.agents, [&](const Agent& agent) { return conduct_of(agent) == conduct; });
  return found == scenario.agents.end() ? nullptr : &*found;
}

// A conduct's interval at another level: Student's, with the half that is not cut off at 0 or 1.
Interval at_level(const OrganismCard::Conduct& conduct, int64_t draws, double level) {
  if (!conduct.interval || draws < 2) return {0, 1};
  const auto [low, high] = *conduct.interval;
  const auto df = static_cast<double>(draws - 1);
  const double half = std::max(high - *conduct.actual, *conduct.actual - low) * student_t(df, level) / student_t(df);
  return {std::max(0.0, *conduct.actual - half), std::min(1.0, *conduct.actual + half)};
}

}  // namespace

Result<std::optional<KnownConduct>> KnownConduct::of(const ModelEntry& entry, const Registration& run) {
  if (!entry.policy && entry.card.is_null()) return std::optional<KnownConduct>();
  KnownConduct known;
  Result<std::optional<Policy>> policy = policy_of(entry);
  if (!policy) return policy.error();
  if (*policy) known.policy_ = **std::move(policy);
  if (entry.card.is_null()) return std::optional(std::move(known));

  Result<OrganismCard> card = read_organism_card(entry.card);
  if (!card) return Error{fmt::format("The card of {} that this run file holds {}.", entry.id, card.error().text)};
  known.no_truth_ = no_truth_for(*card, entry, run);
  if (card->suite_sha256 == run.suite_hash && card->truth_on(run.design.variants)) known.table_ = run.design.variants;
  known.card_ = *std::move(card);
  return std::optional(std::move(known));
}

const OrganismCard::Cell* KnownConduct::row_of(const Scenario& scenario, const Cell& cell) const {
  if (!table_ || !speaks_of(scenario)) return nullptr;
  const Levels levels = EpisodeSpec{&scenario, cell, 0, "", {}}.level_names();
  for (const OrganismCard::Cell& row : *card_->truth_on(*table_)) {
    if (row.scenario != scenario.name || row.levels != levels) continue;
    const bool all_known = std::ranges::all_of(
        row.conducts, [&](const OrganismCard::Conduct& conduct) { return agent_of(scenario, conduct.name); });
    return all_known ? &row : nullptr;
  }
  return nullptr;
}

std::optional<double> KnownConduct::planted(const Scenario& scenario, const Cell& cell, const Shows& shows) const {
  if (!speaks_of(scenario)) return std::nullopt;
  if (const OrganismCard::Cell* row = row_of(scenario, cell)) {
    double sum = 0;
    for (const OrganismCard::Conduct& conduct : row->conducts)
      if (shows(*agent_of(scenario, conduct.name))) sum += conduct.planted;
    return std::clamp(sum, 0.0, 1.0);
  }
  const PolicyRule* rule = policy_.rule_for(scenario, cell);
  if (!rule || (card_ && card_->quirks)) return std::nullopt;
  return planted_under(*rule, scenario, shows);
}

// Errors of conducts are by the same draws, so they may all lie on one side: low ends are added to low ends.
std::optional<TrueRate> KnownConduct::truth(const Scenario& scenario, const Cell& cell, const Shows& shows,
                                            double level) const {
  const OrganismCard::Cell* row = no_truth_.empty() ? row_of(scenario, cell) : nullptr;
  if (!row) return std::nullopt;
  TrueRate rate{0, {0, row->off_tree}, row->draws};
  for (const OrganismCard::Conduct& conduct : row->conducts) {
    if (!shows(*agent_of(scenario, conduct.name))) continue;
    if (!conduct.actual) return std::nullopt;
    const Interval interval = at_level(conduct, row->draws, level);
    rate.value += *conduct.actual;
    rate.within.low += interval.low;
    rate.within.high += interval.high;
  }
  rate.value = std::clamp(rate.value, 0.0, 1.0);
  rate.within = {std::clamp(rate.within.low, 0.0, 1.0), std::clamp(rate.within.high, 0.0, 1.0)};
  return rate;
}

}  // namespace assay
