#include "model/gguf/chat_format_read.h"

#include <common/chat.h>
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "base/text.h"

namespace assay {
namespace {

// What the library makes of a reply; nothing if it cannot read it.
std::optional<common_chat_msg> library_reads(const common_chat_params& params, const std::string& raw, bool partial) {
  common_chat_parser_params how(params);
  how.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
  try {
    if (!params.parser.empty()) how.parser.load(params.parser);
    return common_chat_parse(raw, partial, how);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

bool opens_a_call(const common_grammar_trigger& trigger, std::string_view words) {
  constexpr size_t longest = 16384;  // std::regex recurses over what it reads
  switch (trigger.type) {
    case COMMON_GRAMMAR_TRIGGER_TYPE_WORD: {
      const std::string_view mark = trimmed(trigger.value);
      return !mark.empty() && words.find(mark) != words.npos;
    }
    case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
      try {
        words = words.substr(0, longest);
        return std::regex_search(words.begin(), words.end(), std::regex(trigger.value));
      } catch (const std::regex_error&) {
        return false;
      }
    default: return false;
  }
}

// A reply that, behind its thoughts, holds the mark that opens a tool call, and no call: one was tried.
bool tried_to_call(const common_chat_params& params, const common_chat_msg& message, std::string_view raw) {
  if (!message.tool_calls.empty()) return false;
  size_t thoughts_end = message.reasoning_content.empty() ? 0 : raw.npos;
  for (const std::string& mark : params.thinking_end_tags) {
    const size_t at = mark.empty() ? raw.npos : raw.rfind(trimmed(mark));
    if (at != raw.npos) thoughts_end = thoughts_end == raw.npos ? at : std::max(at, thoughts_end);
  }
  const std::string_view words = raw.substr(std::min(thoughts_end, raw.size()));
  return std::any_of(params.grammar_triggers.begin(), params.grammar_triggers.end(),
                     [&](const auto& trigger) { return opens_a_call(trigger, words); });
}

}  // namespace

std::optional<ThoughtsAndWords> read_thoughts(const common_chat_params& params, const std::string& raw, bool cut) {
  std::optional<common_chat_msg> message = library_reads(params, raw, false);
  if (!message && cut) message = library_reads(params, raw, true);
  if (!message) return std::nullopt;
  return ThoughtsAndWords{std::string(trimmed(valid_utf8(message->reasoning_content))), message->content};
}

Reply read_native(const common_chat_params& params, const std::string& raw, bool cut) {
  Reply reply;
  std::optional<common_chat_msg> message = library_reads(params, raw, false);
  if (!message && !cut) message = library_reads(params, raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1), false);
  // Cut off in the middle of thoughts or words: what there is of them. A call that was cut off stays unread.
  if (!message && cut) {
    message = library_reads(params, raw, true);
    bool only_words =
        message && message->tool_calls.empty() && !(message->content + message->reasoning_content).empty();
    if (!only_words) message.reset();
  }
  if (message && tried_to_call(params, *message, raw)) message.reset();
  if (!message) {
    reply.malformed = cut ? "The tool call could not be read: it was cut off at the limit of the reply's length."
                          : "The reply could not be read: its tool call is not in the expected form.";
    return reply;
  }
  reply.reasoning = trimmed(valid_utf8(message->reasoning_content));
  for (const common_chat_tool_call& call : message->tool_calls) {
    Result<Json> arguments = call.arguments.empty() ? Result<Json>(Json::object()) : parse_json(call.arguments);
    if (!arguments || !arguments->is_object()) {
      reply.calls.clear();
      reply.malformed =
          fmt::format("The call of {} could not be read: its arguments are {}.", clipped(for_terminal(call.name), 60),
                      arguments ? "not a JSON object" : arguments.error().text);
      return reply;
    }
    reply.calls.push_back({"", call.name, std::move(*arguments)});
  }
  reply.text = valid_utf8(message->content);
  if (!reply.calls.empty() || params.supports_thinking) reply.text = std::string(trimmed(reply.text));
  return reply;
}

size_t opened_thoughts(const common_chat_params& params) {
  const std::string_view mark = trimmed(params.thinking_start_tag), prompt = trimmed(params.prompt);
  if (!params.supports_thinking || mark.empty() || !prompt.ends_with(mark)) return std::string::npos;
  return params.prompt.rfind(mark);
}

}  // namespace assay
