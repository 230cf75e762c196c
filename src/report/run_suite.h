// The suite of a run, from the copies of its files that the run file holds: the registered one, or with what `assay
// grade` put in its place or on top of it.
#pragma once

#include "base/result.h"
#include "store/run_file.h"

namespace assay {

// By which the stored grades were made. An error where this version cannot read what another one stored.
//
// What of it was registered before the first episode is asked of the store, and whatever was not is to be called *after
// the fact*: is_registered(registration, code.name, code.hash), grading().by_registered_rules(registration).
Result<Suite> suite_of(const RunReader& run);
Result<Suite> suite_of(const Registration& registration, const Grading& grading);

// The names of all codes, each that was not registered with "(after the fact)".
std::string told_codes(const Registration& registration, const std::vector<Code>& codes);

// "graded 2026-01-01T00:00:00Z by assay 0.1.0, by rules other than those registered: suites/strict, acts.yaml"; ""
// where the run itself graded, or no other rules. For one line of every report.
std::string told_rules(const Registration& registration, const Grading& grading);

// Whether the suite has the code of conduct that a user named; an error names the one that was probably meant, or those
// that there are. "" names none and is always fine. `file`, for the message: the run file.
Status check_code(const Suite& suite, const std::string& code, const std::string& file);

}  // namespace assay
