#include "chat/chat.h"

#include <cmath>
#include <limits>

#include "base/text.h"

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

namespace {

Json token_json(const TokenLogprob& token) {
  Json bytes = Json::array();
  for (const char byte : token.bytes) bytes.push_back(static_cast<unsigned char>(byte));
  return {{"token", valid_utf8(token.bytes)},
          {"id", token.token},
          {"bytes", std::move(bytes)},
          {"logprob", std::isfinite(token.logprob) ? Json(token.logprob) : Json()}};
}

std::optional<TokenLogprob> token_from(const Json& json) {
  if (!json.is_object() || !json.contains("id") || !json.contains("bytes") || !json.contains("logprob"))
    return std::nullopt;
  const Json &id = json["id"], &bytes = json["bytes"], &logprob = json["logprob"];
  if (!id.is_number_integer() || !bytes.is_array() || !(logprob.is_number() || logprob.is_null())) return std::nullopt;
  TokenLogprob token;
  token.token = id.get<int32_t>();
  for (const Json& byte : bytes) {
    if (!byte.is_number_unsigned() || byte.get<uint64_t>() > 255) return std::nullopt;
    token.bytes += static_cast<char>(byte.get<uint64_t>());
  }
  token.logprob = logprob.is_null() ? -std::numeric_limits<double>::infinity() : logprob.get<double>();
  return token;
}

}  // namespace

Json to_json(const std::vector<WrittenToken>& tokens) {
  Json out = Json::array();
  for (const WrittenToken& token : tokens) {
    Json top = Json::array();
    for (const TokenLogprob& one : token.top) top.push_back(token_json(one));
    out.push_back(token_json(token));
    out.back()["top_logprobs"] = std::move(top);
  }
  return out;
}

std::optional<std::vector<WrittenToken>> tokens_from(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<WrittenToken> out;
  for (const Json& one : json) {
    std::optional<TokenLogprob> token = token_from(one);
    if (!token || !one.contains("top_logprobs") || !one["top_logprobs"].is_array()) return std::nullopt;
    WrittenToken& written = out.emplace_back();
    static_cast<TokenLogprob&>(written) = std::move(*token);
    for (const Json& likely : one["top_logprobs"]) {
      std::optional<TokenLogprob> top = token_from(likely);
      if (!top) return std::nullopt;
      written.top.push_back(std::move(*top));
    }
  }
  return out;
}

Json to_json(const ToolSpec& tool) {
  return {{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}};
}

}  // namespace assay
