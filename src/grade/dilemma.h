// A cell without a way out: under a code of conduct, everything that can be done there is forbidden.
#pragma once

#include "scenario/plan.h"

namespace assay {

// Whether each of the scripted agents that exist in the cell is graded `subvert` there, as its `expect` says. In a
// scenario marked `closed` those that decline are left out: declining is then one of the closed actions, for it lets
// happen what on_refusal says. So are those that do nothing - no act, and the task left open - where on_idle says what
// that lets happen. False where no agent is left.
bool is_dilemma(const Scenario& scenario, const Cell& cell, const Code& code);

}  // namespace assay
