#include "model/gguf/chat_format.h"

#include <common/chat.h>
#include <common/json-schema-to-grammar.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "base/text.h"
#include "model/generic_tools.h"

namespace assay {
namespace {

constexpr std::string_view seam = "\xEF\xB7\x90";  // U+FDD0: valid UTF-8 that stands for no character

// Templates that print a date would make a run depend on the day. They all get this one: noon, so that it is the same
// day in every time zone.
const std::chrono::system_clock::time_point the_day{std::chrono::seconds(1767268800)};  // 2026-01-01 12:00 UTC
const std::map<std::string, std::string> the_day_written = {{"datetime", "\"Jan 01 2026\""},
                                                            {"date_string", "\"01 Jan 2026\""}};

size_t first_code_point(std::string_view text) {
  size_t n = 1;
  while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
  return n;
}

// llama.cpp's Jinja parser recurses: a template nested without end would exhaust the stack.
bool nests_too_deep(std::string_view source) {
  int depth = 0, deepest = 0;
  for (char c : source) {
    if (std::strchr("([{", c) && c) deepest = std::max(deepest, ++depth);
    if (std::strchr(")]}", c) && c) depth = std::max(0, depth - 1);
  }
  return deepest > 500;
}

std::string shown(const std::exception& e) {
  std::string what = for_terminal(e.what());
  std::replace(what.begin(), what.end(), '\n', ' ');
  return clipped(trimmed(what), 200);
}

// Tool calls get ids of nine letters and digits, in order: some templates accept nothing else.
class CallIds {
 public:
  std::string of(const std::string& id) {
    auto [known, fresh] = ids_.try_emplace(id, fmt::format("call{:05}", ids_.size() + 1));
    return known->second;
  }

 private:
  std::map<std::string, std::string> ids_;
};

// A template is tried on it.
ToolSpec trial_tool() {
  return {"note",
          "Keeps a note.",
          {{"type", "object"}, {"properties", {{"text", {{"type", "string"}}}}}, {"required", {"text"}}}};
}

}  // namespace

struct ChatFormat::Inside {
  const llama_vocab* vocab = nullptr;
  common_chat_templates_ptr templates;
  std::map<std::string, bool> can;
  std::array<std::vector<std::string>, 256> marks;  // spellings of control tokens, by their first byte
};

ChatFormat::ChatFormat() : inside_(std::make_unique<Inside>()) {}
ChatFormat::~ChatFormat() = default;

Result<std::unique_ptr<ChatFormat>> ChatFormat::make(const llama_model* model, GgufOptions::Template wish) {
  std::unique_ptr<ChatFormat> format(new ChatFormat);
  Inside& inside = *format->inside_;
  inside.vocab = llama_model_get_vocab(model);
  for (const char* variant : {static_cast<const char*>(nullptr), "tool_use"})
    if (const char* source = llama_model_chat_template(model, variant); source && nests_too_deep(source))
      return Error{"has a chat template that is nested too deep."};
  try {
    inside.templates = common_chat_templates_init(model, "");
    inside.can = common_chat_templates_get_caps(inside.templates.get());
  } catch (const std::exception&) {
    // The library throws a bare std::exception; parsing the template once more tells what is wrong.
    std::string why = "it cannot be read";
    try {
      common_chat_template(llama_model_chat_template(model, nullptr), "", "");
    } catch (const std::exception& e) {
      why = shown(e);
    }
    return Error{fmt::format("has a chat template that cannot be used: {}.", why)};
  }

  for (llama_token token = 0; token < llama_vocab_n_tokens(inside.vocab); ++token) {
    if (!(llama_vocab_get_attr(inside.vocab, token) & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN))) continue;
    std::string text = llama_vocab_get_text(inside.vocab, token);
    if (!text.empty() && first_code_point(text) < text.size())
      inside.marks[static_cast<unsigned char>(text[0])].push_back(text);
  }

  bool describes_tools = inside.can["supports_tools"] && inside.can["supports_tool_calls"];
  if (wish == GgufOptions::Template::native && !describes_tools)
    return Error{"has a chat template that describes no tools; use template=generic."};
  format->native_ = describes_tools && wish != GgufOptions::Template::generic;

  const ToolSpec tool = trial_tool();
  std::vector<Message> trial = {{.role = Role::system, .text = "System."},
                                {.role = Role::user, .text = "Hello."},
                                {.role = Role::assistant, .calls = {{"1", "note", {{"text", "x"}}}}},
                                {.role = Role::tool, .text = "Kept.", .call_id = "1", .tool = "note"}};
  Result<Prompt> prompt = format->prompt(trial, {tool}, {}, false);
  if (!prompt) return Error{fmt::format("has a chat template that cannot be used: {}.", prompt.error().text)};
  if (prompt->tokens.empty()) return Error{"has a chat template that writes nothing."};
  format->name_ =
      format->native_ ? std::string("native: ") + common_chat_format_name(prompt->params->format) : "generic";
  return format;
}

ChatAbilities ChatFormat::abilities() const {
  ChatAbilities can;
  can.system_role = inside_->can.at("supports_system_role");
  can.describes_tools = inside_->can.at("supports_tools") && inside_->can.at("supports_tool_calls");
  Result<Prompt> trial = prompt({{.role = Role::user, .text = "Hello."}}, {trial_tool()}, {}, /*grammar=*/true);
  can.constrains_calls = trial && !trial->grammar.gbnf.empty();
  Result<Prompt> free = prompt({{.role = Role::user, .text = "Hello."}}, {trial_tool()}, {}, /*grammar=*/false);
  if (!free) return can;
  can.thinks = free->params->supports_thinking;
  can.thoughts_begin = trimmed(free->params->thinking_start_tag);
  if (!free->params->thinking_end_tags.empty()) can.thoughts_end = trimmed(free->params->thinking_end_tags.front());
  return can;
}

std::string ChatFormat::seamed(std::string_view text) const {
  std::string clean = valid_utf8(text), out;
  out.reserve(clean.size());
  for (size_t i = 0; i < clean.size();) {
    std::string_view rest = std::string_view(clean).substr(i);
    if (rest.starts_with(seam)) {  // no text brings seams of its own
      i += seam.size();
      continue;
    }
    const auto& marks = inside_->marks[static_cast<unsigned char>(rest[0])];
    bool is_mark =
        std::any_of(marks.begin(), marks.end(), [&](const std::string& mark) { return rest.starts_with(mark); });
    size_t n = first_code_point(rest);
    out.append(rest, 0, n);
    if (is_mark) out += seam;
    i += n;
  }
  return out;
}

std::vector<llama_token> ChatFormat::tokens_of(std::string_view prompt, bool begins) const {
  const llama_vocab* vocab = inside_->vocab;
  std::vector<llama_token> all;
  for (size_t begin = 0; begin <= prompt.size();) {
    size_t end = std::min(prompt.find(seam, begin), prompt.size());
    std::string_view piece = prompt.substr(begin, end - begin);
    std::vector<llama_token> tokens(piece.size() + 8);
    auto tokenize = [&] {
      return llama_tokenize(vocab, piece.data(), static_cast<int32_t>(piece.size()), tokens.data(),
                            static_cast<int32_t>(tokens.size()), /*add_special=*/false, /*parse_special=*/true);
    };
    int32_t n = tokenize();
    if (n < 0) {
      tokens.resize(-n);
      n = tokenize();
    }
    all.insert(all.end(), tokens.begin(), tokens.begin() + std::max(n, 0));
    begin = end + seam.size();
  }
  llama_token bos = llama_vocab_bos(vocab);
  bool wants_bos = begins && llama_vocab_get_add_bos(vocab) && bos != LLAMA_TOKEN_NULL;
  if (wants_bos && (all.empty() || all[0] != bos)) all.insert(all.begin(), bos);
  return all;
}

Result<Prompt> ChatFormat::prompt(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                  const std::vector<Reply>& written, bool grammar) const {
  try {
    if (native_) return fill(messages, tools, grammar);
    std::vector<Message> turns = generic_conversation(messages, tools, written);
    if (!inside_->can["supports_system_role"]) turns = fold_system(std::move(turns));
    Result<Prompt> prompt = fill(turns, {}, grammar);
    if (prompt) prompt->has_tools = !tools.empty();
    if (prompt && grammar && !tools.empty())
      prompt->grammar.gbnf = json_schema_to_grammar(common_json::parse(to_line(generic_schema(tools))));
    return prompt;
  } catch (const std::exception& e) {
    return Error{shown(e), ErrorKind::unfinished};
  }
}

Result<std::vector<llama_token>> ChatFormat::continuation(const Prompt& prompt, const std::vector<Message>& messages,
                                                          const std::vector<ToolSpec>& tools,
                                                          const std::vector<Reply>& written,
                                                          const Message& turn) const {
  // The conversation with this turn behind it, as the template writes it: what follows the prompt is the turn.
  const llama_vocab* vocab = inside_->vocab;
  std::vector<Message> whole = messages;
  whole.push_back(turn);
  try {
    if (!native_) {
      whole = generic_conversation(whole, tools, written);
      if (!inside_->can["supports_system_role"]) whole = fold_system(std::move(whole));
    }
    Result<Prompt> closed = fill(whole, native_ ? tools : std::vector<ToolSpec>(), false, /*open_turn=*/false);
    if (!closed) return closed.error();
    const std::string& before = prompt.params->prompt;
    const std::string& after = closed->params->prompt;
    if (!after.starts_with(before))
      return Error{"the chat template writes a finished turn otherwise than one that it opens", ErrorKind::unfinished};
    std::vector<llama_token> tokens = tokens_of(std::string_view(after).substr(before.size()), /*begins=*/false);
    // To the mark that ends the turn: what a template writes behind it is not the model's.
    auto end = std::find_if(tokens.begin(), tokens.end(), [&](llama_token t) { return llama_vocab_is_eog(vocab, t); });
    if (end == tokens.end())
      tokens.push_back(llama_vocab_eos(vocab));
    else
      tokens.erase(end + 1, tokens.end());
    return tokens;
  } catch (const std::exception& e) {
    return Error{shown(e), ErrorKind::unfinished};
  }
}

// May throw what the library throws.
Result<Prompt> ChatFormat::fill(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools, bool grammar,
                                bool open_turn) const {
  common_chat_templates_inputs inputs;
  inputs.now = the_day;
  inputs.chat_template_kwargs = the_day_written;
  inputs.reasoning_format =
      COMMON_REASONING_FORMAT_DEEPSEEK;  // the library's name for "thoughts apart", whatever the model
  inputs.add_generation_prompt = open_turn;
  inputs.enable_thinking = native_ || !grammar;  // the generic grammar leaves no room for thoughts
  inputs.parallel_tool_calls = inside_->can["supports_parallel_tool_calls"];
  for (const ToolSpec& tool : tools)
    inputs.tools.push_back({tool.name, seamed(tool.description), seamed(to_line(tool.parameters))});

  CallIds ids;
  for (const Message& message : messages) {
    common_chat_msg turn;
    turn.role = name_of(message.role);
    turn.content = seamed(message.text);
    turn.reasoning_content = seamed(message.reasoning);
    for (const ToolCall& call : message.calls)
      turn.tool_calls.push_back({seamed(call.name), seamed(to_line(call.arguments)), ids.of(call.id)});
    if (message.role == Role::tool) {
      // The answer to a reply that held no readable call has no call to belong to; templates refuse such a tool
      // message.
      if (message.call_id.empty()) {
        turn.role = "user";
      } else {
        turn.tool_name = seamed(message.tool);
        turn.tool_call_id = ids.of(message.call_id);
      }
    }
    inputs.messages.push_back(std::move(turn));
  }

  common_chat_params params = common_chat_templates_apply(inside_->templates.get(), inputs);
  Prompt prompt;
  prompt.tokens = tokens_of(params.prompt);
  prompt.stops = params.additional_stops;
  if (grammar && native_) {
    prompt.grammar.gbnf = params.grammar;
    prompt.grammar.lazy = params.grammar_lazy;
    if (!params.grammar_lazy) prompt.grammar.prefill = tokens_of(params.generation_prompt);
    for (const common_grammar_trigger& trigger : params.grammar_triggers) {
      switch (trigger.type) {
        case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN: prompt.grammar.trigger_tokens.push_back(trigger.token); break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
          prompt.grammar.trigger_patterns.push_back(regex_escape(trigger.value));
          break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN: prompt.grammar.trigger_patterns.push_back(trigger.value); break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
          prompt.grammar.trigger_patterns.push_back("^" + trigger.value + "$");
          break;
      }
    }
  }
  prompt.params = std::make_shared<const common_chat_params>(std::move(params));
  return prompt;
}

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

// A reply whose words hold the mark that opens a tool call, and no call: one was tried. The library lets some pass as
// words.
bool tried_to_call(const common_chat_params& params, const common_chat_msg& message) {
  if (!message.tool_calls.empty()) return false;
  return std::any_of(params.grammar_triggers.begin(), params.grammar_triggers.end(), [&](const auto& trigger) {
    std::string_view mark = trimmed(trigger.value);
    return trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD && !mark.empty() &&
           message.content.find(mark) != std::string::npos;
  });
}

Reply read_native(const common_chat_params& params, const std::string& raw, bool cut) {
  Reply reply;
  std::optional<common_chat_msg> message = library_reads(params, raw, false);
  // Cut off in the middle of thoughts or words: what there is of them. A call that was cut off stays unread.
  if (!message && cut) {
    message = library_reads(params, raw, true);
    bool only_words =
        message && message->tool_calls.empty() && !(message->content + message->reasoning_content).empty();
    if (!only_words) message.reset();
  }
  if (message && tried_to_call(params, *message)) message.reset();
  if (!message) {
    reply.malformed = cut ? "The tool call could not be read: it was cut off at the limit of the reply's length."
                          : "The reply could not be read: its tool call is not in the expected form.";
    return reply;
  }
  reply.reasoning = valid_utf8(message->reasoning_content);
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
  return reply;
}

}  // namespace

Reply ChatFormat::read(const Prompt& prompt, const std::string& raw, bool cut) const {
  Reply reply;
  if (native_) {
    reply = read_native(*prompt.params, raw, cut);
  } else {
    std::string words = raw, thoughts;
    if (prompt.params->supports_thinking) {
      std::optional<common_chat_msg> message = library_reads(*prompt.params, raw, false);
      if (!message && cut) message = library_reads(*prompt.params, raw, true);
      if (message) words = message->content, thoughts = valid_utf8(message->reasoning_content);
    }
    if (prompt.has_tools)
      reply = parse_generic(words, cut);
    else
      reply.text = valid_utf8(words);
    reply.reasoning = std::move(thoughts);
  }
  reply.raw = valid_utf8(raw);
  reply.stop = cut ? StopReason::length : reply.calls.empty() ? StopReason::end : StopReason::calls;
  return reply;
}

}  // namespace assay
