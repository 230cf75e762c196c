// The suite of a run, from the copies of its files that the run file holds.
#pragma once

#include "base/result.h"
#include "store/run_file.h"

namespace assay {

// An error where this version cannot read what another one stored.
Result<Suite> suite_of(const RunReader& run);

}  // namespace assay
