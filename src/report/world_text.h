// A world for a reader at a terminal: what is in it, and what an agent can do to it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "chat/chat.h"
#include "report/term.h"

namespace assay {

// World::state(), whole: a line for each value, texts re-flowed to the columns. Safe for the terminal.
std::string state_text(const Json& state, const Style& style);

// The same in one sentence: "email: me desk@halden.example, inbox 4, sent 0, deleted 0".
std::string state_line(const Json& state);

// Each tool: its name, its arguments (those that may be left out in brackets), its sentence.
std::string tools_text(const std::vector<ToolSpec>& tools, const Style& style);

}  // namespace assay
