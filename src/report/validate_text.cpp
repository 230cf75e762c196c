// A conduct report, for people and for programs.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/run_suite.h"
#include "report/validate.h"

namespace assay {
namespace {

std::string share(std::optional<double> x) { return x ? percent(*x) : std::string("–"); }

// How wide the columns of a model's units are: an organism has one more.
struct Columns {
  Columns(const Style& style, bool organism)
      : actual(organism ? 8 : 0), rate(organism ? 8 : 9), interval(organism ? 16 : 17), n(organism ? 6 : 7) {
    act = std::clamp(style.columns() - 2 - rate - actual - rate - interval - n - 3, 12, 32);  // 3: a mark behind it
  }
  std::string row(const std::string& name, const std::string& planted, const std::string& is, const std::string& found,
                  const std::string& between, const std::string& count) const {
    return "  " + left(name, act) + right(planted, rate) + (actual ? right(is, actual) : "") + right(found, rate) +
           right(between, interval) + right(count, n);
  }
  int act, actual, rate, interval, n;
};

// What the units' acts were decided by, in numbers of units that were tested.
struct Deciders {
  int64_t rule = 0, program = 0, judge = 0, policy = 0;
  void add(const ConductUnit& unit) {
    (unit.decided == ConductUnit::DecidedBy::rule      ? rule
     : unit.decided == ConductUnit::DecidedBy::program ? program
     : unit.decided == ConductUnit::DecidedBy::judge   ? judge
                                                       : policy) += unit.check.hit.has_value();
  }
  std::string text() const {
    std::string out = plural(rule, "unit was", "units were") + " decided by rule alone";
    if (program > 0) out += fmt::format(", {} by a program of the suite's own", counted(program));
    if (judge > 0) out += fmt::format(", {} by a judge (judged)", counted(judge));
    if (policy > 0)
      out += fmt::format("; {} (asked) answered by the policy itself, which tests the plumbing and not the grading",
                         plural(policy, "unit was", "units were"));
    return out + ".";
  }
};

std::string row_of(const ConductUnit& unit, const Columns& columns, const Pen& pen) {
  const bool off = unit.check.adjusted && *unit.check.adjusted <= conduct_alarm;
  const bool miss = unit.check.hit && !*unit.check.hit;
  const char* how = unit.decided == ConductUnit::DecidedBy::truth   ? " (asked)"
                    : unit.decided == ConductUnit::DecidedBy::judge ? " (judged)"
                                                                    : "";
  const std::string between = unit.check.interval ? fmt::format("{:.1f} – {:.1f} %", 100 * unit.check.interval->low,
                                                                100 * unit.check.interval->high)
                                                  : "–";
  const std::string row = columns.row(one_line(unit.act) + how, share(unit.planted), share(unit.actual),
                                      share(unit.check.value), between, counted(unit.check.n));
  std::string out = off ? pen.red(row + " !!") : miss ? pen.yellow(row + " !") : row;
  if (unit.ungraded > 0) out += "\n" + pen.dim(fmt::format("    {} of it not known", plural(unit.ungraded, "episode")));
  return out + "\n";
}

// Nothing to see: never planted, never seen, and next to never true.
bool is_quiet(const ConductUnit& unit) {
  return unit.planted.value_or(0) == 0 && unit.actual.value_or(0) < 0.005 && unit.check.k == 0 &&
         (!unit.organism || unit.check.value);
}

// Where an organism's columns come from.
std::string told_of(const OrganismConduct& o) {
  std::string out = one_line(o.model);
  if (o.model != "organism:" + o.organism) out += " is the organism " + one_line(o.organism);
  out += ": ";
  if (!o.fits)
    out += "what was planted in it does not fit this suite, so there is nothing to validate.";
  else if (!o.no_truth.empty())
    out += fmt::format("there is no true column, as {}.", one_line(o.no_truth));
  else if (o.draws > 0)
    out += fmt::format(
        "true is what its network does, from the probabilities of its tokens alone: over {} of names and wordings.",
        plural(o.draws, "draw"));
  else
    out += "its card knows no true rate of these cells.";
  if (!o.not_trained.empty())
    out += fmt::format(" Not trained, and not validated: {}.", one_line(joined(o.not_trained, ", ")));
  if (o.ungraded > 0)
    out += fmt::format(" {} not tested, as more than one episode in a hundred is ungraded (--judge answers questions).",
                       plural(o.ungraded, "unit was", "units were"));
  return out;
}

std::string verdict_on(const ConductReport& report) {
  const bool organisms = !report.organisms.empty();
  const bool policies = std::ranges::any_of(report.units, [](const ConductUnit& unit) { return !unit.organism; });
  if (report.validation.tested == 0)
    return !organisms || std::ranges::any_of(report.organisms, [](const auto& o) { return o.draws > 0; })
               ? "Nothing could be tested: there are no graded episodes."
               : "There is no truth to compare with: nothing is said to agree or to be off. An organism is not its "
                 "recipe.";
  const char* what = !organisms  ? "what was planted"
                     : !policies ? "what is true"
                                 : "what was planted (of organisms: what is true)";
  if (!report.validation.agrees)
    return fmt::format("What was measured is not {}: units marked !! are off, at {:.0f} % over all units together.",
                       what, 100 * conduct_alarm);
  return fmt::format("W{} was measured: no unit is off, at {:.0f} % over all units together.", what + 1,
                     100 * conduct_alarm);
}

}  // namespace

std::string conduct_text(const ConductReport& report, const RunReader& run, const Style& style) {
  const Pen pen(style);
  std::string out = paragraph(fmt::format("assay validate · suite {} · {}", one_line(run.registration().suite),
                                          plural(run.episodes(), "episode")),
                              style);
  if (const std::string rules = told_rules(run.registration(), run.grading()); !rules.empty())
    out += paragraph("After the fact: " + one_line(rules), style);
  for (const OrganismConduct& organism : report.organisms) out += paragraph(told_of(organism), style);

  int64_t quiet = 0;
  Deciders deciders;
  std::string group;
  for (const ConductUnit& unit : report.units) {
    deciders.add(unit);
    if (is_quiet(unit)) {
      ++quiet;
      continue;
    }
    const Columns columns(style, unit.organism);
    std::string title = fmt::format("{} · {} · rule {}: {}", one_line(unit.model), one_line(unit.scenario), unit.rule,
                                    one_line(unit.when));
    if (title != group) {
      out += "\n" + paragraph(title, style) +
             pen.dim(columns.row("act", "planted", "true", "found", "95 % interval", "n")) + "\n";
      group = title;
    }
    out += row_of(unit, columns, pen);
  }

  out += "\n" + paragraph(verdict_on(report), style);
  const std::string never =
      fmt::format("{} of the units {} never planted and never seen.", counted(quiet), quiet == 1 ? "was" : "were");
  if (report.validation.tested == 0) return out + (report.units.empty() ? "" : paragraph(never, style));
  std::string hits;
  if (report.planted > 0)
    hits = fmt::format("{} of {} intervals hold the planted rate; {:.1f} are expected to (! marks a miss). ",
                       counted(report.hits), counted(report.planted), report.expected_hits);
  out += paragraph(hits + never, style);
  return out + paragraph(deciders.text(), style);
}

Json to_json(const ConductReport& report) {
  auto maybe = [](std::optional<double> x) { return x ? Json(*x) : Json(nullptr); };
  const Validation& v = report.validation;
  Json out{{"agrees", v.agrees},         {"alarm_level", conduct_alarm}, {"tested", v.tested},
           {"planted", report.planted},  {"hits", report.hits},          {"expected_hits", report.expected_hits},
           {"organisms", Json::array()}, {"units", Json::array()}};
  for (const OrganismConduct& o : report.organisms)
    out["organisms"].push_back({{"model", o.model},
                                {"organism", o.organism},
                                {"families", o.families},
                                {"not_trained", o.not_trained},
                                {"fits", o.fits},
                                {"no_truth", o.no_truth.empty() ? Json(nullptr) : Json(o.no_truth)},
                                {"draws", o.draws},
                                {"units_ungraded", o.ungraded}});
  for (const ConductUnit& unit : report.units) {
    const UnitCheck& c = unit.check;
    const char* decided = unit.decided == ConductUnit::DecidedBy::rule      ? "rule"
                          : unit.decided == ConductUnit::DecidedBy::program ? "program"
                          : unit.decided == ConductUnit::DecidedBy::judge   ? "judge"
                                                                            : "truth";
    out["units"].push_back({{"model", unit.model},
                            {"scenario", unit.scenario},
                            {"rule", unit.rule},
                            {"when", unit.when},
                            {"act", unit.act},
                            {"decided_by", decided},
                            {"planted", maybe(unit.planted)},
                            {"true", maybe(unit.actual)},
                            {"true_low", unit.actual_within ? Json(unit.actual_within->low) : Json(nullptr)},
                            {"true_high", unit.actual_within ? Json(unit.actual_within->high) : Json(nullptr)},
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
