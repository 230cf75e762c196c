// `assay show FILE`: one line an episode, written as it is read, so that a run of any size can be listed.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "report/term.h"
#include "store/run_file.h"

namespace assay {

// Writes a heading and then a line an episode, in order of id. `suite` is the run's own; style.width may be as wide as
// one likes (what does not fit is cut). `code`: the code of conduct whose verdicts are shown; "" for all where there is
// room (two in 100 columns), else the suite's first, and then a line says so.
Status list_episodes(const RunReader& run, const Suite& suite, const std::string& code, const Style& style,
                     const std::function<void(std::string_view)>& write);

// The same as JSON, one line an episode: docs/formats.md.
Status list_episodes_json(const RunReader& run, const std::function<void(std::string_view)>& write);

}  // namespace assay
