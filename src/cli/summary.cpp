#include "report/summary.h"

#include <memory>

#include "cli/command.h"
#include "report/run_suite.h"

namespace assay {
namespace {

struct Options {
  std::string file, code;
  bool json = false;
};

Status summarise_file(const Options& options, Output& out) {
  Result<std::unique_ptr<RunReader>> run = RunReader::open(options.file);
  if (!run) return run.error();
  Result<Suite> suite = suite_of(**run);
  if (!suite) return suite.error();
  if (Status known = check_code(*suite, options.code, options.file); !known) return known;
  Result<Summary> summary = summarise(**run, *suite, options.code);
  if (!summary) return summary.error();
  if (options.json)
    out.print_exact(to_json(*summary).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(summary_text(*summary, out.style()));
  return Done{};
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->file, "a run file")->required();
  app.add_flag("--json", o->json, "for programs: docs/formats.md names the fields");
  app.add_option("--code", o->code, "only this code of conduct")->type_name("NAME");
  return [o](Output& out) {
    Status done = summarise_file(*o, out);
    return done ? exit_done : fail(out, done.error());
  };
}

}  // namespace

const Command summary_command = {"summary", "what each model did, how often, and which factor changed it",
                                 "assay summary out.assay\nassay summary out.assay --json", declare};

}  // namespace assay
