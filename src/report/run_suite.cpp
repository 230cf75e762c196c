#include "report/run_suite.h"

#include <fmt/format.h>

#include "base/text.h"
#include "scenario/amend.h"
#include "scenario/load.h"

namespace assay {

Result<Suite> suite_of(const RunReader& run) { return suite_of(run.registration(), run.grading()); }

Result<Suite> suite_of(const Registration& registration, const Grading& grading) {
  Diagnostics diagnostics;
  const bool own = grading.suite.empty();
  Suite suite = load_suite(std::make_shared<const Sources>(own ? registration.sources : grading.suite), diagnostics);
  if (!own) {  // what it has beside the run's scenarios was never played
    Diagnostics unread;
    const Suite registered = load_suite(std::make_shared<const Sources>(registration.sources), unread);
    std::erase_if(suite.scenarios, [&](const Scenario& s) { return !registered.scenario(s.name); });
  }
  for (const SourceFile& code : grading.codes) add_code(suite, code, diagnostics);
  if (grading.acts) add_acts(suite, *grading.acts, diagnostics);
  if (!diagnostics.empty())
    return Error{"The suite that this run file holds was written for another version of assay (" +
                 (own ? registration.version : grading.version) + "). What this one says to it:\n" +
                 diagnostics.format(5)};
  const Design& design = registration.design;
  if (Status chosen = select(suite, design.cells, design.seed); !chosen) return chosen.error();
  return suite;
}

std::string told_codes(const Registration& registration, const std::vector<Code>& codes) {
  std::vector<std::string> told;
  for (const Code& code : codes)
    told.push_back(code.name + (is_registered(registration, code.name, code.hash) ? "" : " (after the fact)"));
  return joined(told, ", ");
}

std::string told_rules(const Registration& registration, const Grading& grading) {
  if (grading.by_registered_rules(registration)) return "";
  std::vector<std::string> by;
  if (grading.folder) by.push_back(*grading.folder);
  if (grading.acts) by.push_back(grading.acts->name);
  return fmt::format("graded {} by assay {}, by rules other than those registered: {}", grading.created,
                     grading.version, joined(by, ", "));
}

Status check_code(const Suite& suite, const std::string& code, const std::string& file) {
  if (code.empty() || suite.code(code)) return Done{};
  std::vector<std::string> names;
  for (const Code& known : suite.codes) names.push_back(known.name);
  std::string near = nearest(code, names);
  return Error{fmt::format("{} has no code '{}'; {}", file, code,
                           near.empty() ? "it has: " + joined(names, ", ") : fmt::format("did you mean '{}'?", near))};
}

}  // namespace assay
