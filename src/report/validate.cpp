#include "report/validate.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "report/known_conduct.h"
#include "report/planted.h"

namespace assay {
namespace {

// Of all units' level, what may be spent on their truths being elsewhere.
constexpr double spent_on_truths = conduct_alarm / 10;
// A share of ungraded episodes above which a unit's rate is not known well enough.
constexpr double most_ungraded = 0.01;

std::string condition_of(const PolicyRule& rule) {
  if (rule.when.empty()) return "everywhere else";
  std::vector<std::string> parts;
  parts.reserve(rule.when.size());
  for (const auto& [factor, levels] : rule.when) parts.push_back(factor + "=" + joined(levels, "|"));
  return joined(parts, " ");
}

ConductUnit::DecidedBy decided_by(const ActRule& act, bool organism) {
  if (act.exec) return ConductUnit::DecidedBy::program;
  if (act.ask.empty()) return ConductUnit::DecidedBy::rule;
  return organism ? ConductUnit::DecidedBy::judge : ConductUnit::DecidedBy::truth;
}

// A unit while it is being counted.
struct Counting {
  ConductUnit unit;
  const Scenario* scenario = nullptr;
  std::vector<Cell> cells;            // in which its rule applies
  std::map<int64_t, int64_t> graded;  // episodes, by the cell's index
  std::map<int, ClusterCount> epochs;

  // The mean of a rate over the cells, each weighing as its graded episodes do; without any, all alike. Absent where it
  // is absent for a cell that counts.
  template <class Rate, class Of>
  std::optional<Rate> mean(Of of) const {
    int64_t all = 0;
    for (const auto& [cell, n] : graded) all += n;
    Rate sum{};
    for (const Cell& cell : cells) {
      auto n = graded.find(cell.index);
      const double weight = all == 0            ? 1.0 / static_cast<double>(cells.size())
                            : n == graded.end() ? 0.0
                                                : static_cast<double>(n->second) / static_cast<double>(all);
      if (weight == 0) continue;
      const std::optional<Rate> one = of(cell);
      if (!one) return std::nullopt;
      sum = sum + weight * *one;
    }
    return sum;
  }
};

// A true rate as a vector, whose mean is taken part by part.
struct Known {
  double value = 0, low = 0, high = 0, level_low = 0, level_high = 0;
};
Known operator+(const Known& a, const Known& b) {
  return {a.value + b.value, a.low + b.low, a.high + b.high, a.level_low + b.level_low, a.level_high + b.level_high};
}
Known operator*(double w, const Known& k) {
  return {w * k.value, w * k.low, w * k.high, w * k.level_low, w * k.level_high};
}

// The units of one model: rules x scenarios x acts, found again by episode.
class ModelUnits {
 public:
  ModelUnits(KnownConduct known, const std::string& model, const Suite& suite) : known_(std::move(known)) {
    const Policy& policy = known_.policy();
    for (const Scenario& scenario : suite.scenarios) {
      if (!known_.speaks_of(scenario)) continue;
      std::map<int, std::vector<Cell>> cells;  // by rule
      for (const Cell& cell : grid(scenario)) {
        const PolicyRule* rule = policy.rule_for(scenario, cell);
        if (!rule) continue;
        rule_of_[scenario.name][cell.index] = static_cast<int>(rule - policy.rules.data());
        cells[static_cast<int>(rule - policy.rules.data())].push_back(cell);
      }
      for (const auto& [r, those] : cells)
        for (const ActRule& act : scenario.acts) {
          if (act.added) continue;  // what the agents do of it nobody planted
          Counting counting;
          counting.scenario = &scenario;
          counting.cells = those;
          counting.unit.model = model;
          counting.unit.scenario = scenario.name;
          counting.unit.act = act.name;
          counting.unit.rule = r + 1;
          counting.unit.when = condition_of(policy.rules[static_cast<size_t>(r)]);
          counting.unit.organism = known_.card();
          counting.unit.decided = decided_by(act, known_.card());
          units_[{r, scenario.name}].push_back(std::move(counting));
        }
    }
    if (known_.card()) tell_of(*known_.card(), model, suite);
  }

  void count(const EpisodeSummary& episode) {
    auto rules = rule_of_.find(episode.scenario);
    if (rules == rule_of_.end()) return;
    auto rule = rules->second.find(episode.cell);
    if (rule == rules->second.end()) return;
    auto found = units_.find({rule->second, episode.scenario});
    if (found == units_.end()) return;
    for (Counting& counting : found->second) {
      const std::string& act = counting.unit.act;
      bool done = std::any_of(episode.acts.begin(), episode.acts.end(),
                              [&](const Act& a) { return a.name == act && a.how_far >= HowFar::dispatched; });
      bool open =
          std::find(episode.open_questions.begin(), episode.open_questions.end(), act) != episode.open_questions.end();
      if (!done && (open || episode.outcome == "error")) {
        ++counting.unit.ungraded;
        continue;
      }
      ++counting.graded[episode.cell];
      ClusterCount& cluster = counting.epochs[episode.epoch];
      ++cluster.n;
      cluster.k += done;
    }
  }

  int64_t size() const {
    int64_t n = 0;
    for (const auto& [key, countings] : units_) n += static_cast<int64_t>(countings.size());
    return n;
  }

  // `error`: the chance that each truth may be outside of the interval it is tested by.
  void hand_over(double error, std::vector<ConductUnit>& units, std::vector<PlantedUnit>& planted) {
    for (auto& [key, countings] : units_)
      for (Counting& counting : countings) {
        planted.push_back(known_.card() ? plant_organism(counting, error) : plant_policy(counting));
        for (const auto& [epoch, cluster] : counting.epochs) planted.back().clusters.push_back(cluster);
        units.push_back(std::move(counting.unit));
      }
  }

  std::optional<OrganismConduct> organism;  // organisms

 private:
  void tell_of(const OrganismCard& card, const std::string& model, const Suite& suite) {
    organism = {.model = model, .organism = card.organism, .families = card.families, .no_truth = known_.no_truth()};
    organism->fits = !known_.policy().rules.empty();
    for (const Scenario& scenario : suite.scenarios)
      if (!known_.speaks_of(scenario) &&
          std::ranges::find(organism->not_trained, scenario.family) == organism->not_trained.end())
        organism->not_trained.push_back(scenario.family);
  }

  static KnownConduct::Shows doing(const std::string& act) {
    return [act](const Agent& agent) { return does(agent, act); };
  }

  // Every episode of a policy has a seed of its own.
  PlantedUnit plant_policy(Counting& counting) const {
    const PolicyRule& rule = known_.policy().rules[static_cast<size_t>(counting.unit.rule - 1)];
    counting.unit.planted = planted_under(rule, *counting.scenario, doing(counting.unit.act));
    return {*counting.unit.planted, {}, PlantedUnit::Draws::independent};
  }

  PlantedUnit plant_organism(Counting& counting, double error) {
    ConductUnit& unit = counting.unit;
    const KnownConduct::Shows shows = doing(unit.act);
    unit.planted =
        counting.mean<double>([&](const Cell& cell) { return known_.planted(*counting.scenario, cell, shows); });
    const std::optional<Known> truth = counting.mean<Known>([&](const Cell& cell) -> std::optional<Known> {
      const auto usual = known_.truth(*counting.scenario, cell, shows, 0.95);
      const auto wide = known_.truth(*counting.scenario, cell, shows, 1 - error);
      if (!usual || !wide) return std::nullopt;
      organism->draws = organism->draws == 0 ? usual->draws : std::min(organism->draws, usual->draws);
      return Known{usual->value, usual->within.low, usual->within.high, wide->within.low, wide->within.high};
    });
    PlantedUnit planted{0, {}, PlantedUnit::Draws::clustered};
    if (!truth) return planted;
    auto share = [](double x) { return std::clamp(x, 0.0, 1.0); };  // what rounding adds
    unit.actual = planted.planted = share(truth->value);
    unit.actual_within = Interval{share(truth->low), share(truth->high)};
    planted.within = Interval{share(truth->level_low), share(truth->level_high)};
    planted.within_error = error;
    return planted;
  }

  KnownConduct known_;
  std::map<std::string, std::map<int64_t, int>> rule_of_;  // scenario -> index of a cell -> its rule
  std::map<std::pair<int, std::string>, std::vector<Counting>> units_;
};

// Whether what was measured of a unit can be compared.
bool comparable(const ConductUnit& unit, const PlantedUnit& planted) {
  if (!unit.organism) return true;
  int64_t graded = 0;
  for (const ClusterCount& cluster : planted.clusters) graded += cluster.n;
  return unit.actual &&
         static_cast<double>(unit.ungraded) <= most_ungraded * static_cast<double>(graded + unit.ungraded);
}

// Tests what can be compared, all together; of the rest only what was found is kept.
void check(const std::vector<PlantedUnit>& planted, ConductReport& report) {
  std::vector<PlantedUnit> compared;
  for (size_t i = 0; i < planted.size(); ++i)
    if (comparable(report.units[i], planted[i])) compared.push_back(planted[i]);
  report.validation = validate_units(compared, conduct_alarm);
  auto next = report.validation.units.begin();
  for (size_t i = 0; i < planted.size(); ++i) {
    ConductUnit& unit = report.units[i];
    if (comparable(unit, planted[i])) {
      unit.check = *next++;
      // Of an organism, whose truth is an interval itself, nobody knows how many should meet it.
      if (unit.organism || *unit.planted <= 0 || *unit.planted >= 1 || !unit.check.hit) continue;
      ++report.planted;
      report.hits += *unit.check.hit;
      report.expected_hits += unit.check.expected_hit;
      continue;
    }
    unit.check = validate_units({&planted[i], 1}).units.front();
    unit.check.hit.reset(), unit.check.p.reset(), unit.check.adjusted.reset();
    unit.check.expected_hit = 0;
    if (!unit.actual) continue;
    unit.check.method = "not testable: too many episodes are ungraded";
    unit.check.value.reset(), unit.check.interval.reset();  // of those that happen to be known
    for (OrganismConduct& organism : report.organisms) organism.ungraded += organism.model == unit.model;
  }
  report.validation.units.clear();
}

}  // namespace

Result<ConductReport> validate_conduct(const RunReader& run, const Suite& suite) {
  std::vector<std::pair<std::string, ModelUnits>> models;
  for (const ModelEntry& entry : run.models()) {
    Result<std::optional<KnownConduct>> known = KnownConduct::of(entry, run.registration());
    if (!known) return known.error();
    if (*known) models.emplace_back(entry.id, ModelUnits(**std::move(known), entry.id, suite));
  }
  if (models.empty())
    return Error{"there is no model of known conduct in this run; -m policy:FILE or -m organism:NAME plays one"};
  Status read = run.each_summary([&](const EpisodeSummary& episode) {
    for (auto& [id, units] : models)
      if (id == episode.model) units.count(episode);
  });
  if (!read) return read.error();

  int64_t size = 0;
  for (const auto& [id, units] : models) size += units.size();
  ConductReport report;
  std::vector<PlantedUnit> planted;
  for (auto& [id, units] : models) {
    units.hand_over(spent_on_truths / static_cast<double>(std::max<int64_t>(1, size)), report.units, planted);
    if (units.organism) report.organisms.push_back(*units.organism);
  }
  check(planted, report);
  return report;
}

}  // namespace assay
