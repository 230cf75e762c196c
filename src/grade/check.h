// The manipulation check's answer, read without a judge: yes, no, or unclear.
#pragma once

#include <optional>
#include <string_view>

#include "scenario/scenario.h"
#include "store/record.h"

namespace assay {

// The first of the first four words that is yes or no, in capitals or not, whatever stands around it: "Yes.", "**no**",
// "The answer is yes". Unclear where there is none, and where both are named in one breath ("yes or no", "yes/no"),
// which repeats the question.
CheckAnswer::Answer read_answer(std::string_view words);

// What came of the question in a transcript; nothing where it was not asked, or the scenario asks none.
std::optional<CheckAnswer> check_answer(const Transcript& transcript, const Scenario& scenario, const Levels& levels);

}  // namespace assay
