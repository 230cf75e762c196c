#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "report/run_suite.h"

namespace assay {
namespace {

struct Options {
  std::string file, code, by, scenario;
  bool json = false, all = false;
  std::vector<std::string> fail_above;  // "subvert=0.01"
  std::optional<double> max_ungraded;
};

// A rate that must not be exceeded, for `--fail-above`.
struct Limit {
  std::string outcome;  // "verdict:subvert", "act:leak"
  double highest = 0;
};

Result<Limit> limit_of(const std::string& text, const Suite& suite) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  double highest = -1;
  if (equals != text.npos) {
    const char *begin = text.data() + equals + 1, *end = text.data() + text.size();
    if (auto [stop, failed] = std::from_chars(begin, end, highest); failed != std::errc{} || stop != end) highest = -1;
  }
  if (!(highest >= 0 && highest <= 1))
    return Error{fmt::format(
        "--fail-above {}: expected a verdict or an act and a share from 0 to 1, as in subvert=0.01", one_line(text))};
  std::vector<std::string> known;
  for (Verdict v : all_verdicts) {
    if (v == Verdict::ungraded) continue;  // no outcome but the lack of one: --max-ungraded
    known.emplace_back(name_of(v));
    if (name == name_of(v)) return Limit{"verdict:" + name, highest};
  }
  for (const Scenario& scenario : suite.scenarios)
    for (const ActRule& act : scenario.acts) {
      known.push_back(act.name);
      if (name == act.name) return Limit{"act:" + name, highest};
    }
  std::string meant = nearest(name, known);
  return Error{fmt::format("--fail-above {}: there is no verdict and no act '{}'{}", one_line(text), one_line(name),
                           meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant))};
}

// Where no action is clean, subversion says nothing of the agent: limits on verdicts look at ordinary cells.
bool limits(const RateRow& rate) {
  return rate.of.cells == CellSort::ordinary || rate.outcome.kind == OutcomeName::Kind::act;
}

std::string place_of(const Of& of) {
  switch (of.kind) {
    case Of::Kind::scenario: return one_line(of.scope);
    case Of::Kind::family: return "the family " + one_line(of.scope);
    case Of::Kind::all: return "all scenarios";
  }
  return "";
}

// Tells stderr of each limit that is exceeded; false if one is. A rate counts in every scope where it is known.
bool within(const Summary& summary, const std::vector<Limit>& highest, const std::optional<double>& max_ungraded,
            Output& out) {
  bool fine = true;
  auto exceeded = [&](const std::string& what) {
    out.note("assay: " + what + "\n");
    fine = false;
  };
  for (const CodeSummary& code : summary.codes) {
    bool graded = false;
    for (const RateRow& rate : code.rates)
      graded |= rate.outcome.kind == OutcomeName::Kind::verdict && limits(rate) && rate.estimate.n > 0;
    for (const Limit& limit : highest) {
      bool known = false;
      for (const RateRow& rate : code.rates) {
        if (rate.outcome.text() != limit.outcome || !limits(rate) || !rate.estimate.value) continue;
        known = true;
        if (*rate.estimate.value > limit.highest)
          exceeded(fmt::format("{} is {} in {} by {} under {}; the limit is {}", limit.outcome,
                               percent(*rate.estimate.value), place_of(rate.of), one_line(rate.of.model),
                               one_line(code.code), percent(limit.highest)));
      }
      // A verdict that was never seen has no row, but then every graded episode says that it did not happen.
      if (!known && (!graded || limit.outcome.starts_with("act:")))
        exceeded(fmt::format("{} is not known under {}: no episode tells", limit.outcome, one_line(code.code)));
    }
    const int64_t ungraded = code.verdicts[static_cast<size_t>(Verdict::ungraded)];
    if (max_ungraded && summary.episodes > 0 &&
        static_cast<double>(ungraded) > *max_ungraded * static_cast<double>(summary.episodes))
      exceeded(fmt::format("{} of {} are ungraded under {}; the limit is {}", counted(ungraded),
                           plural(summary.episodes, "episode"), one_line(code.code), percent(*max_ungraded)));
  }
  return fine;
}

// An error that names the one that was probably meant, or those that there are.
Status among(const std::string& name, const std::vector<std::string>& known, const char* option, const char* what) {
  if (std::ranges::find(known, name) != known.end()) return Done{};
  const std::string meant = nearest(name, known);
  const std::string hint = !meant.empty()  ? fmt::format("; did you mean '{}'?", one_line(meant))
                           : known.empty() ? ""
                                           : fmt::format("; there are {}", one_line(joined(known, ", ")));
  return Error{fmt::format("{} {}: no scenario of this run {}{}", option, one_line(name), what, hint)};
}

// Whether every limit that was asked for holds.
Result<bool> summarise_file(const Options& options, Output& out) {
  Result<std::unique_ptr<RunReader>> run = RunReader::open(options.file);
  if (!run) return run.error();
  Result<Suite> suite = suite_of(**run);
  if (!suite) return suite.error();
  if (Status known = check_code(*suite, options.code, options.file); !known) return known.error();
  std::vector<Limit> limits;
  for (const std::string& text : options.fail_above) {
    Result<Limit> limit = limit_of(text, *suite);
    if (!limit) return limit.error();
    limits.push_back(*limit);
  }
  if (!options.by.empty())
    if (Status known = among(options.by, suite->factor_names(), "--by", "has this factor"); !known)
      return known.error();
  if (!options.scenario.empty()) {
    std::vector<std::string> names;
    for (const Scenario& scenario : suite->scenarios) names.push_back(scenario.name);
    if (Status known = among(options.scenario, names, "--scenario", "has this name"); !known) return known.error();
  }
  Result<Summary> summary = summarise(**run, *suite, {options.code, options.by});
  if (!summary) return summary.error();
  if (options.json)
    out.print_exact(to_json(*summary).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(summary_text(*summary, out.style(), {options.scenario, options.all}));
  return within(*summary, limits, options.max_ungraded, out);
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->file, "a run file")->required();
  app.add_flag("--json", o->json, "for programs: docs/formats.md names the fields");
  app.add_option("--code", o->code, "only this code of conduct")->type_name("NAME");
  app.add_option("--by", o->by, "a table of rates at each level of this factor")->type_name("FACTOR");
  auto* one = app.add_option("--scenario", o->scenario, "this scenario in full")->type_name("NAME");
  app.add_flag("--all", o->all, "each scenario in full, as with up to three")->excludes(one);
  app.add_option("--fail-above", o->fail_above, "a verdict or act, and the most it may be; may be repeated")
      ->type_name("NAME=P")
      ->allow_extra_args(false);
  app.add_option("--max-ungraded", o->max_ungraded, "the largest share of episodes that may be ungraded")
      ->type_name("P")
      ->check(CLI::Range(0.0, 1.0));
  return [o](Output& out) {
    Result<bool> fine = summarise_file(*o, out);
    return !fine ? fail(out, fine.error()) : *fine ? exit_done : exit_check_failed;
  };
}

std::string more() {
  return "Where a rate, or the share of ungraded episodes, is above its limit P\n"
         "(0 to 1) in any scenario or over all, the exit code is 1.\n";
}

}  // namespace

const Command summary_command = {
    "summary", "what each model did, how often, and which factor changed it",
    "assay summary out.assay\nassay summary out.assay --fail-above subvert=0.01 --max-ungraded 0.02", declare, more};

}  // namespace assay
