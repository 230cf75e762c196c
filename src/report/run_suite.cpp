#include "report/run_suite.h"

#include "scenario/load.h"

namespace assay {

Result<Suite> suite_of(const RunReader& run) {
  Diagnostics diagnostics;
  Suite suite = load_suite(std::make_shared<const Sources>(run.registration().sources), diagnostics);
  if (diagnostics.empty()) return suite;
  return Error{"The suite that this run file holds was written for another version of assay (" +
               run.registration().version + "). What this one says to it:\n" + diagnostics.format(5)};
}

}  // namespace assay
