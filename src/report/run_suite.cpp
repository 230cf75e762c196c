#include "report/run_suite.h"

#include <fmt/format.h>

#include "base/text.h"
#include "scenario/load.h"

namespace assay {

Result<Suite> suite_of(const RunReader& run) {
  Diagnostics diagnostics;
  Suite suite = load_suite(std::make_shared<const Sources>(run.registration().sources), diagnostics);
  if (diagnostics.empty()) {
    const Design& design = run.registration().design;
    if (Status chosen = select(suite, design.cells, design.seed); !chosen) return chosen.error();
    return suite;
  }
  return Error{"The suite that this run file holds was written for another version of assay (" +
               run.registration().version + "). What this one says to it:\n" + diagnostics.format(5)};
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
