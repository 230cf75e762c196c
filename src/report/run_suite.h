// The suite of a run, from the copies of its files that the run file holds.
#pragma once

#include "base/result.h"
#include "store/run_file.h"

namespace assay {

// An error where this version cannot read what another one stored.
Result<Suite> suite_of(const RunReader& run);

// Whether the suite has the code of conduct that a user named; an error names the one that was probably meant, or those
// that there are. "" names none and is always fine. `file`, for the message: the run file.
Status check_code(const Suite& suite, const std::string& code, const std::string& file);

}  // namespace assay
