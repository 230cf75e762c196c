// What lint and run have in common: a folder becomes a suite that can be trusted.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/output.h"
#include "prove/prove.h"

namespace assay {

struct ProvenSuite {
  Suite suite;
  Proved proved;
};

// Reads, loads and proves a suite, and with a design the cells that it selects, which are then the suite's. The error
// lists every mistake, ready to print. A suite that runs programs of its own is refused unless `programs` allows it.
Result<ProvenSuite> prove_folder(const std::string& folder, const Design& design = {}, bool programs = false);

}  // namespace assay
