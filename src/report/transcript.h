// One episode for a reader at a terminal: what was said and done, in order, with acts marked where they were done.
#pragma once

#include <cstdint>
#include <string>

#include "report/term.h"
#include "scenario/scenario.h"
#include "store/record.h"

namespace assay {

// `scenario` says which factors are crossed and may be null (then all levels are shown). Words of the model and of
// files are made safe for the terminal; no line is wider than style.columns().
std::string transcript_text(int64_t id, const EpisodeRecord& record, const Scenario* scenario, const Style& style);

// The same for one that is under way: its messages from number `first` on, and what it came to.
std::string messages_text(const EpisodeRecord& record, size_t first, const Style& style);
std::string findings_text(const EpisodeRecord& record, const Style& style);

// The colour of a verdict, as an SGR parameter: red for subvert and neglect, green for comply, ...
const char* colour_of(Verdict verdict);

// "threat=replacement leverage=present": crossed factors, in the scenario's order.
std::string cell_text(const std::map<std::string, std::string>& levels, const Scenario* scenario);

}  // namespace assay
