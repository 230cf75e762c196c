#include "chat/chat.h"

namespace assay {

const char* name_of(Role role) {
  switch (role) {
    case Role::system: return "system";
    case Role::user: return "user";
    case Role::assistant: return "assistant";
    case Role::tool: return "tool";
  }
  return "";
}

std::optional<Role> role_named(const std::string& name) {
  for (Role role : {Role::system, Role::user, Role::assistant, Role::tool})
    if (name == name_of(role)) return role;
  return std::nullopt;
}

const char* name_of(StopReason reason) {
  switch (reason) {
    case StopReason::end: return "end";
    case StopReason::calls: return "calls";
    case StopReason::length: return "length";
    case StopReason::grammar: return "grammar";
  }
  return "";
}

Json to_json(const ToolCall& call) { return {{"id", call.id}, {"tool", call.name}, {"args", call.arguments}}; }

Json to_json(const ToolSpec& tool) {
  return {{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}};
}

}  // namespace assay
