// Forced choice: how likely a model's first turn is to be that of each scripted agent. Instead of letting the model
// write, the turns with which the agents of a cell begin are weighed as alternatives, at full precision and in one
// batch, because all of them go on from the same conversation. Nothing is drawn, so one look tells what any number of
// sampled episodes could only estimate - but of the first turn alone, and among these turns alone.
//
// Agents part behind the prelude, so it is always given here (Start::given_prelude), however a run's episodes begin.
// Those that begin alike in a cell are one alternative.
#pragma once

#include <functional>

#include "run/runner.h"
#include "store/choice.h"

namespace assay {

// As run_episodes() does: one choice for each wanted episode of the plan. Of the options `grade` has no meaning, and
// `logprobs` of 0 or more keeps every token's. The progress counts alternatives as turns. A model without logprobs
// (Model::has_logprobs) makes each choice an error.
Result<RunProgress> run_choices(const Plan& plan, Model& model, const RunOptions& options,
                                const std::function<bool(ChoiceRecord)>& sink);

}  // namespace assay
