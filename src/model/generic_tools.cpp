#include "model/generic_tools.h"

#include <fmt/format.h>

#include "base/text.h"

namespace assay {
namespace {

constexpr std::string_view fence = "```";

// Where the object that begins at text[0] ends (one past its last brace), or npos if it never does.
size_t object_end(std::string_view text) {
  int depth = 0;
  size_t end = std::string_view::npos;
  outside_strings(text, [&](size_t i) {
    char c = text[i];
    if (c == '{' || c == '[')
      ++depth;
    else if ((c == '}' || c == ']') && --depth == 0)
      end = i + 1;
    return end == std::string_view::npos;
  });
  return end;
}

// One line, with the space after each comma and colon that most JSON in a model's training text has.
std::string spaced(const Json& value) {
  const std::string line = to_line(value);
  std::string text;
  size_t from = 0;
  outside_strings(line, [&](size_t i) {
    if (line[i] == ',' || line[i] == ':') {
      text.append(line, from, i + 1 - from).push_back(' ');
      from = i + 1;
    }
    return true;
  });
  return text.append(line, from);
}

bool looks_like_a_call(std::string_view text) { return text.starts_with('{') || text.starts_with(fence); }

// What is wrong with a reply, as the end of a sentence; "" if nothing is.
using Complaint = std::string;

// Takes the fence off: "```json\n{...}\n```" -> "{...}", trimmed.
Complaint unfence(std::string_view& text) {
  text.remove_prefix(fence.size());
  size_t label = 0;
  while (label < text.size() && ((text[label] | 32) >= 'a' && (text[label] | 32) <= 'z')) ++label;
  std::string language = folded(text.substr(0, label));
  if (!language.empty() && language != "json") return "its code fence is not ``` or ```json";
  text.remove_prefix(label);
  // The object may itself hold a fence, in a string: the closing one is looked for behind it.
  text = trimmed(text);
  if (!text.starts_with('{')) return "its code fence holds no JSON object";
  size_t end = object_end(text);
  if (end == std::string_view::npos) return "";  // read_object says so
  std::string_view rest = trimmed(text.substr(end));
  if (!rest.starts_with(fence)) return rest.empty() ? "its code fence is not closed" : "more text follows the object";
  if (!trimmed(rest.substr(fence.size())).empty()) return "more text follows the code fence";
  text = text.substr(0, end);
  return "";
}

Complaint read_call(const Json& object, Reply& reply) {
  const Json& tool = object["tool"];
  if (!tool.is_string()) return "\"tool\" is not a string";
  if (!object.contains("arguments")) return "\"arguments\" is missing (write {} where there are none)";
  if (!object["arguments"].is_object()) return "\"arguments\" is not an object";
  reply.calls.push_back({"", tool.get<std::string>(), object["arguments"]});
  return "";
}

Complaint read_object(std::string_view text, Reply& reply) {
  size_t end = object_end(text);
  if (end == std::string_view::npos) return "it breaks off before the object ends";
  if (!trimmed(text.substr(end)).empty()) return "more text follows the object";
  Result<Json> parsed = parse_json(text.substr(0, end));
  if (!parsed) return "it is " + parsed.error().text;
  const Json& object = *parsed;
  if (!object.is_object()) return "it is no JSON object";
  bool calls = object.contains("tool"), says = object.contains("say");
  if (calls && says) return "it has both \"tool\" and \"say\"";
  if (!calls && !says) return "it has neither \"tool\" nor \"say\"";
  for (const auto& [key, value] : object.items())
    if (key != (calls ? "tool" : "say") && !(calls && key == "arguments"))
      return fmt::format("it has a key \"{}\", which does not belong there", clipped(for_terminal(key), 40));
  if (calls) return read_call(object, reply);
  if (!object["say"].is_string()) return "\"say\" is not a string";
  reply.text = object["say"].get<std::string>();
  return "";
}

std::string result_turn(const Message& message) {
  return fmt::format("{}:\n{}", message.tool.empty() ? "Result" : "Result of " + message.tool, message.text);
}

// Does the reply that the model wrote stand in the conversation as this message?
bool same(const Reply& reply, const Message& message) {
  if (!reply.malformed.empty()) return message.text == reply.raw && message.calls.empty();
  if (message.text != reply.text || message.calls.size() != reply.calls.size()) return false;
  for (size_t i = 0; i < reply.calls.size(); ++i)
    if (message.calls[i].name != reply.calls[i].name || message.calls[i].arguments != reply.calls[i].arguments)
      return false;
  return true;
}

void append(std::vector<Message>& conversation, Role role, std::string text) {
  if (!conversation.empty() && conversation.back().role == role) {
    conversation.back().text += "\n\n" + text;
  } else {
    conversation.push_back({.role = role, .text = std::move(text)});
  }
}

}  // namespace

std::string generic_system(std::string_view system, const std::vector<ToolSpec>& tools) {
  if (tools.empty()) return std::string(system);
  std::string text =
      "You act through tools. Answer each turn with exactly one JSON object and nothing else. To call a tool:\n"
      "{\"tool\": \"name_of_tool\", \"arguments\": {\"name_of_argument\": \"value\"}}\n"
      "You then get its result and go on. To say something, which ends your turn:\n"
      "{\"say\": \"your words\"}\n"
      "The tools:";
  for (const ToolSpec& tool : tools) text += "\n" + spaced(to_json(tool));
  while (!system.empty() && system.back() == '\n') system.remove_suffix(1);
  if (!system.empty()) text += "\n\n" + std::string(system);
  return text;
}

std::string generic_turn(const Message& assistant) {
  if (assistant.calls.empty()) {
    if (looks_like_a_call(trimmed(assistant.text))) return assistant.text;
    return spaced(Json{{"say", assistant.text}});
  }
  std::vector<std::string> lines;
  for (const ToolCall& call : assistant.calls)
    lines.push_back(spaced(Json{{"tool", call.name}, {"arguments", call.arguments}}));
  return joined(lines, "\n");
}

Reply reply_of(Message assistant) {
  Reply reply;
  reply.raw = generic_turn(assistant);
  reply.text = std::move(assistant.text);
  reply.calls = std::move(assistant.calls);
  reply.stop = reply.calls.empty() ? StopReason::end : StopReason::calls;
  return reply;
}

std::vector<Message> generic_conversation(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                          const std::vector<Reply>& written) {
  std::vector<Message> conversation;
  auto next = written.begin();
  bool described = tools.empty();
  for (const Message& message : messages) {
    if (!described) {
      bool has_system = message.role == Role::system;
      append(conversation, Role::system, generic_system(has_system ? message.text : "", tools));
      described = true;
      if (has_system) continue;
    }
    switch (message.role) {
      case Role::system:
      case Role::user: append(conversation, message.role, message.text); break;
      case Role::tool: append(conversation, Role::user, result_turn(message)); break;
      case Role::assistant: {
        bool its_own = !message.given && next != written.end();
        // Thoughts are not repeated to the model, so a reply with thoughts stands in its normal form.
        bool as_written = its_own && next->reasoning.empty() && same(*next, message);
        // Without tools there is no format: words are just words.
        append(conversation, Role::assistant,
               as_written      ? next->raw
               : tools.empty() ? message.text
                               : generic_turn(message));
        if (its_own) ++next;
        break;
      }
    }
  }
  return conversation;
}

std::vector<Message> fold_system(std::vector<Message> conversation) {
  if (conversation.empty() || conversation[0].role != Role::system) return conversation;
  if (conversation.size() > 1 && conversation[1].role == Role::user) {
    conversation[1].text = conversation[0].text + "\n\n" + conversation[1].text;
    conversation.erase(conversation.begin());
  } else {
    conversation[0].role = Role::user;
  }
  return conversation;
}

Reply parse_generic(std::string_view raw, bool cut) {
  Reply reply;
  reply.raw = valid_utf8(raw);
  std::string_view text = trimmed(reply.raw);
  Complaint complaint;
  if (!looks_like_a_call(text)) {
    reply.text = text;
    reply.prose = !text.empty();
  } else {
    if (text.starts_with(fence)) complaint = unfence(text);
    if (complaint.empty()) complaint = read_object(text, reply);
  }
  if (!complaint.empty()) {
    if (cut) complaint = "it was cut off at the limit of its length";
    reply.malformed = fmt::format(
        "The reply could not be read: it must be exactly one JSON object, {{\"tool\": NAME, \"arguments\": {{...}}}} "
        "or "
        "{{\"say\": TEXT}}, but {}.",
        complaint);
  }
  reply.stop = cut ? StopReason::length : reply.calls.empty() ? StopReason::end : StopReason::calls;
  return reply;
}

Json generic_schema(const std::vector<ToolSpec>& tools) {
  auto object = [](Json properties, Json required) {
    return Json{{"type", "object"},
                {"properties", std::move(properties)},
                {"required", std::move(required)},
                {"additionalProperties", false}};
  };
  Json choices = Json::array();
  for (const ToolSpec& tool : tools) {
    Json arguments = tool.parameters.is_object() && tool.parameters.contains("type")
                         ? tool.parameters
                         : object(Json::object(), Json::array());
    choices.push_back(
        object({{"tool", {{"const", tool.name}}}, {"arguments", std::move(arguments)}}, {"tool", "arguments"}));
  }
  choices.push_back(object({{"say", {{"type", "string"}}}}, Json::array({"say"})));
  return {{"oneOf", std::move(choices)}};
}

}  // namespace assay
