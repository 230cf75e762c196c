// A scripted agent played to its end, as a model that does just that: by the code that runs episodes, without a model.
#pragma once

#include <string>
#include <vector>

#include "scenario/render.h"
#include "store/record.h"

namespace assay {

// `steps` are the agent's, behind the situation's prelude, which it plays too. The transcript names the agent, so that
// grading has its own truth.
Transcript play(const EpisodeSpec& spec, const Situation& situation, const std::vector<RenderedStep>& steps,
                const std::string& agent);

}  // namespace assay
