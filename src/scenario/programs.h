// The programs of the user's own that a suite runs (`exec:`): its tools and its graders. A suite that was read is only
// text; whoever wants its programs run says where they lie.
#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.h"

namespace assay {

// Whether an episode of it may wait for a program, while it is played or graded.
bool runs_programs(const Scenario& scenario);

// What the suite would run, each once: "./is_threat.py --strict".
std::vector<std::string> programs_of(const Suite& suite);

// Lets them run, in `folder`, which is the suite's. Until then a call of such a tool ends the episode with an error,
// and a question that a program answers stays open.
void allow_programs(Suite& suite, const std::string& folder);

}  // namespace assay
