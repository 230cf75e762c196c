#include "report/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "report/planted.h"
#include "report/run_suite.h"

namespace assay {
namespace {

std::string condition_of(const PolicyRule& rule) {
  if (rule.when.empty()) return "everywhere else";
  std::vector<std::string> parts;
  parts.reserve(rule.when.size());
  for (const auto& [factor, levels] : rule.when) parts.push_back(factor + "=" + joined(levels, "|"));
  return joined(parts, " ");
}

// A unit while it is being counted.
struct Counting {
  ConductUnit unit;
  std::map<int, ClusterCount> epochs;
};

// The units of one policy: rules x scenarios x acts, found again by episode.
class PolicyUnits {
 public:
  PolicyUnits(const Policy& policy, const std::string& model, const Suite& suite) {
    for (const Scenario& scenario : suite.scenarios) {
      std::map<int64_t, int>& rules = rule_of_[scenario.name];
      for (const Cell& cell : grid(scenario)) {
        const PolicyRule* rule = policy.rule_for(scenario, cell);
        if (rule) rules[cell.index] = static_cast<int>(rule - policy.rules.data());
      }
      for (size_t r = 0; r < policy.rules.size(); ++r) {
        if (std::none_of(rules.begin(), rules.end(), [&](const auto& of) { return of.second == static_cast<int>(r); }))
          continue;
        for (const ActRule& act : scenario.acts) {
          if (act.added) continue;  // what the policy's agents do of it nobody planted
          Counting counting;
          counting.unit.model = model;
          counting.unit.scenario = scenario.name;
          counting.unit.act = act.name;
          counting.unit.rule = static_cast<int>(r) + 1;
          counting.unit.when = condition_of(policy.rules[r]);
          counting.unit.decided = act.exec          ? ConductUnit::DecidedBy::program
                                  : act.ask.empty() ? ConductUnit::DecidedBy::rule
                                                    : ConductUnit::DecidedBy::truth;
          counting.unit.planted =
              planted_under(policy.rules[r], scenario, [&](const Agent& agent) { return does(agent, act.name); });
          units_[{static_cast<int>(r), scenario.name}].push_back(std::move(counting));
        }
      }
    }
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
      ClusterCount& cluster = counting.epochs[episode.epoch];
      ++cluster.n;
      cluster.k += done;
    }
  }

  void hand_over(std::vector<ConductUnit>& units, std::vector<PlantedUnit>& planted) {
    for (auto& [key, countings] : units_)
      for (Counting& counting : countings) {
        // Every episode of a policy has a seed of its own.
        PlantedUnit one{counting.unit.planted, {}, PlantedUnit::Draws::independent};
        for (const auto& [epoch, cluster] : counting.epochs) one.clusters.push_back(cluster);
        planted.push_back(std::move(one));
        units.push_back(std::move(counting.unit));
      }
  }

 private:
  std::map<std::string, std::map<int64_t, int>> rule_of_;  // scenario -> index of a cell -> its rule
  std::map<std::pair<int, std::string>, std::vector<Counting>> units_;
};

}  // namespace

Result<ConductReport> validate_conduct(const RunReader& run, const Suite& suite) {
  std::vector<std::pair<std::string, PolicyUnits>> models;
  for (const ModelEntry& entry : run.models()) {
    Result<std::optional<Policy>> policy = policy_of(entry);
    if (!policy) return policy.error();
    if (*policy) models.emplace_back(entry.id, PolicyUnits(**policy, entry.id, suite));
  }
  if (models.empty()) return Error{"there is no agent of known conduct in this run; -m policy:FILE plays one"};
  Status read = run.each_summary([&](const EpisodeSummary& episode) {
    for (auto& [id, units] : models)
      if (id == episode.model) units.count(episode);
  });
  if (!read) return read.error();

  ConductReport report;
  std::vector<PlantedUnit> planted;
  for (auto& [id, units] : models) units.hand_over(report.units, planted);
  report.validation = validate_units(planted, conduct_alarm);
  for (size_t i = 0; i < report.units.size(); ++i) {
    ConductUnit& unit = report.units[i];
    unit.check = report.validation.units[i];
    if (unit.planted <= 0 || unit.planted >= 1 || !unit.check.hit) continue;
    ++report.planted;
    report.hits += *unit.check.hit;
    report.expected_hits += unit.check.expected_hit;
  }
  report.validation.units.clear();
  return report;
}

std::string conduct_text(const ConductReport& report, const RunReader& run, const Style& style) {
  const Pen pen(style);
  std::string out = paragraph(fmt::format("assay validate · suite {} · {}", one_line(run.registration().suite),
                                          plural(run.episodes(), "episode")),
                              style);
  if (const std::string rules = told_rules(run.registration(), run.grading()); !rules.empty())
    out += paragraph("After the fact: " + one_line(rules), style);
  auto share = [](std::optional<double> x) { return x ? percent(*x) : std::string("–"); };
  const int act_columns = std::clamp(style.columns() - 44, 16, 32);
  int64_t quiet = 0, by_rule = 0, by_program = 0, asked = 0;
  std::string group;
  for (const ConductUnit& unit : report.units) {
    const bool is_asked = unit.decided == ConductUnit::DecidedBy::truth;
    (is_asked                                          ? asked
     : unit.decided == ConductUnit::DecidedBy::program ? by_program
                                                       : by_rule) += unit.check.hit.has_value();
    const bool off = unit.check.adjusted && *unit.check.adjusted <= conduct_alarm;
    if (unit.planted == 0 && unit.check.k == 0) {
      ++quiet;
      continue;
    }
    std::string title = fmt::format("{} · {} · rule {}: {}", one_line(unit.model), one_line(unit.scenario), unit.rule,
                                    one_line(unit.when));
    if (title != group) {
      out += "\n" + paragraph(title, style) +
             pen.dim("  " + left("act", act_columns) + right("planted", 9) + right("found", 9) +
                     right("95 % interval", 17) + right("n", 7)) +
             "\n";
      group = title;
    }
    std::string interval = unit.check.interval ? fmt::format("{:.1f} – {:.1f} %", 100 * unit.check.interval->low,
                                                             100 * unit.check.interval->high)
                                               : "–";
    std::string row = "  " + left(one_line(unit.act) + (is_asked ? " (asked)" : ""), act_columns) +
                      right(share(unit.planted), 9) + right(share(unit.check.value), 9) + right(interval, 17) +
                      right(counted(unit.check.n), 7);
    const bool miss = unit.check.hit && !*unit.check.hit;
    out += off ? pen.red(row + " !!") : miss ? pen.yellow(row + " !") : row;
    out += "\n";
    if (unit.ungraded > 0)
      out += pen.dim(fmt::format("    {} of it not known", plural(unit.ungraded, "episode"))) + "\n";
  }
  out += "\n";
  const Validation& v = report.validation;
  std::string verdict =
      v.tested == 0 ? "Nothing could be tested: there are no graded episodes."
      : v.agrees    ? fmt::format("What was planted was measured: no unit is off, at {:.0f} % over all units together.",
                                  100 * conduct_alarm)
                    : fmt::format(
                       "What was measured is not what was planted: units marked !! are off, at {:.0f} % over all "
                          "units together.",
                       100 * conduct_alarm);
  out += paragraph(verdict, style);
  out += paragraph(
      fmt::format("{} of {} intervals hold the planted rate; {:.1f} are expected to (! marks a miss). {} of the "
                  "units were never planted and never seen.",
                  counted(report.hits), counted(report.planted), report.expected_hits, counted(quiet)),
      style);
  out +=
      paragraph(fmt::format("{} decided by rule alone{}; {} (asked) answered by the policy itself, which tests the "
                            "plumbing and not the grading.",
                            plural(by_rule, "unit was", "units were"),
                            by_program ? fmt::format(", {} by a program of the suite's own", counted(by_program)) : "",
                            plural(asked, "unit was", "units were")),
                style);
  return out;
}

Json to_json(const ConductReport& report) {
  auto maybe = [](std::optional<double> x) { return x ? Json(*x) : Json(nullptr); };
  const Validation& v = report.validation;
  Json out{{"agrees", v.agrees},        {"alarm_level", conduct_alarm}, {"tested", v.tested},
           {"planted", report.planted}, {"hits", report.hits},          {"expected_hits", report.expected_hits},
           {"units", Json::array()}};
  for (const ConductUnit& unit : report.units) {
    const UnitCheck& c = unit.check;
    out["units"].push_back({{"model", unit.model},
                            {"scenario", unit.scenario},
                            {"rule", unit.rule},
                            {"when", unit.when},
                            {"act", unit.act},
                            {"decided_by", unit.decided == ConductUnit::DecidedBy::rule      ? "rule"
                                           : unit.decided == ConductUnit::DecidedBy::program ? "program"
                                                                                             : "truth"},
                            {"planted", unit.planted},
                            {"k", c.k},
                            {"n", c.n},
                            {"clusters", c.clusters},
                            {"ungraded", unit.ungraded},
                            {"estimate", maybe(c.value)},
                            {"low", c.interval ? Json(c.interval->low) : Json(nullptr)},
                            {"high", c.interval ? Json(c.interval->high) : Json(nullptr)},
                            {"hit", c.hit ? Json(*c.hit) : Json(nullptr)},
                            {"p", maybe(c.p)},
                            {"p_adjusted", maybe(c.adjusted)},
                            {"method", c.method}});
  }
  return out;
}

}  // namespace assay
