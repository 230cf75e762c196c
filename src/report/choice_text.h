// One forced choice at a terminal.
#pragma once

#include <string>

#include "report/term.h"
#include "store/choice.h"

namespace assay {

// "23.1 %", "3e-12", "> 99.9 %": shares are computed, not counted, so a tiny one is a number like any other.
std::string share_text(double share);

// The cell, and its alternatives from the likeliest down: share, share per token, logprob, tokens, agents, and the turn
// as far as it fits.
std::string choice_text(const ChoiceRecord& choice, const Style& style);

}  // namespace assay
