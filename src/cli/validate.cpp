#include "report/validate.h"

#include <memory>

#include "cli/command.h"
#include "report/run_suite.h"

namespace assay {
namespace {

Result<bool> validate(const std::string& file, bool json, Output& out) {
  Result<std::unique_ptr<RunReader>> run = RunReader::open(file);
  if (!run) return run.error();
  Result<Suite> suite = suite_of(**run);
  if (!suite) return suite.error();
  Result<ConductReport> report = validate_conduct(**run, *suite);
  if (!report) return report.error();
  if (json)
    out.print_exact(to_json(*report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(conduct_text(*report, **run, out.style()));
  return report->validation.agrees;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  app.add_option("FILE", *file, "a run file with a model of known conduct")->required();
  app.add_flag("--json", *json, "for programs: docs/formats.md names the fields");
  return [file, json](Output& out) {
    Result<bool> agrees = validate(*file, *json, out);
    return !agrees ? fail(out, agrees.error()) : *agrees ? exit_done : exit_check_failed;
  };
}

std::string more() {
  return "Each rule of a policy is compared with what was found where it applies; of an\n"
         "organism it is the true rate of its card that is compared, beside the planted\n"
         "one. The exit code is 1 where that is off by more than chance explains (at 1 %\n"
         "over all units), and 0 where there is no truth to compare with.\n";
}

}  // namespace

const Command validate_command = {"validate", "measured against planted and true conduct, where it is known",
                                  "assay validate known.assay", declare, more};

}  // namespace assay
