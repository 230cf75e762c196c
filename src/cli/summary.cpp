#include "report/summary.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "report/run_suite.h"

namespace assay {
namespace {

struct Options {
  std::string file, code;
  bool json = false;
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

// Tells stderr of each limit that is exceeded; false if one is. A rate counts in every scope where it is known.
bool within(const Summary& summary, const std::vector<Limit>& limits, const std::optional<double>& max_ungraded,
            Output& out) {
  bool fine = true;
  auto exceeded = [&](const std::string& what) {
    out.note("assay: " + what + "\n");
    fine = false;
  };
  for (const CodeSummary& code : summary.codes) {
    for (const Limit& limit : limits) {
      bool known = false;
      for (const RateRow& rate : code.rates) {
        if (rate.outcome.text() != limit.outcome || !rate.estimate.value) continue;
        known = true;
        if (*rate.estimate.value > limit.highest)
          exceeded(fmt::format("{} is {} in {} by {} under {}; the limit is {}", limit.outcome,
                               percent(*rate.estimate.value),
                               rate.scope == "all" ? "all scenarios" : one_line(rate.scope), one_line(rate.model),
                               one_line(code.code), percent(limit.highest)));
      }
      // A verdict that was never seen has no row, but then every graded episode says that it did not happen.
      const bool graded = code.verdicts[static_cast<size_t>(Verdict::ungraded)] < summary.episodes;
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
  Result<Summary> summary = summarise(**run, *suite, options.code);
  if (!summary) return summary.error();
  if (options.json)
    out.print_exact(to_json(*summary).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(summary_text(*summary, out.style()));
  return within(*summary, limits, options.max_ungraded, out);
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->file, "a run file")->required();
  app.add_flag("--json", o->json, "for programs: docs/formats.md names the fields");
  app.add_option("--code", o->code, "only this code of conduct")->type_name("NAME");
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
