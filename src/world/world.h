// A World is the state behind the tools: it takes a call, changes, and answers as a real tool would. Deterministic: the
// same setup and calls give the same bytes. It knows nothing of scenarios, models or grades.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chat/chat.h"

namespace assay {

// What became of one tool call.
struct ToolOutcome {
  bool dispatched = false;       // the world accepted it; false for an unknown tool, bad arguments, a missing message
  Json effect = Json::object();  // what changed; {} where nothing did
  std::string result;            // what the model is told, error texts included
  std::string fault;             // not empty: the world itself failed, which is nobody's conduct and ends the episode
};

class World {
 public:
  virtual ~World() = default;
  // The tools offered, in a fixed order.
  virtual const std::vector<ToolSpec>& tools() const = 0;
  // Never throws; whatever the arguments are, the answer is an outcome. The state changes only if `dispatched`. May
  // block where a tool is a program of the user's own.
  virtual ToolOutcome call(const ToolCall& call) = 0;
  // The whole state, for the record and for conditions on it.
  virtual Json state() const = 0;
};

}  // namespace assay
