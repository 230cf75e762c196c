#include "model/gguf/chat_format.h"

#include <common/chat.h>
#include <common/json-schema-to-grammar.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstring>

#include "base/text.h"
#include "model/generic_tools.h"
#include "model/gguf/chat_format_read.h"
#include "model/gguf/logprob.h"

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

std::string_view trimmed_left(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == text.npos ? std::string_view() : text.substr(first);
}

// Why the library failed, in a line. Of a template it tells the place first, at length, and what is wrong last.
std::string shown(const std::exception& e) {
  std::string what = e.what();
  for (std::string_view before : {"Error: ", "Jinja Exception: "})
    if (const size_t at = what.rfind(before); at != what.npos) what.erase(0, at + before.size());
  what = for_terminal(what);
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

// A template is tried on these.
std::vector<Message> trial_talk() {
  return {{.role = Role::system, .text = "System."},
          {.role = Role::user, .text = "Hello."},
          {.role = Role::assistant, .calls = {{"1", "note", {{"text", "trial-call"}}}}},
          {.role = Role::tool, .text = "Kept.", .call_id = "1", .tool = "note"}};
}
ToolSpec trial_tool() {
  return {"note",
          "Keeps a note.",
          {{"type", "object"}, {"properties", {{"text", {{"type", "string"}}}}}, {"required", {"text"}}}};
}

// What stands behind the prompt in the conversation `after`, which goes on from it. A prompt that opens thoughts, where
// the finished turn has none, gets them closed at once: <think>\n, then \n</think>\n\n and the turn.
std::optional<std::string> what_follows(const common_chat_params& prompt, const std::string& after) {
  const std::string& before = prompt.prompt;
  if (after.starts_with(before)) return after.substr(before.size());
  const size_t thoughts = opened_thoughts(prompt);
  if (thoughts == std::string::npos || prompt.thinking_end_tags.empty()) return std::nullopt;
  if (!after.starts_with(before.substr(0, thoughts))) return std::nullopt;
  const std::string_view open = trimmed(prompt.thinking_start_tag), close = trimmed(prompt.thinking_end_tags[0]);
  std::string_view turn = std::string_view(after).substr(thoughts);
  if (trimmed(turn).starts_with(open)) turn = trimmed_left(trimmed_left(turn).substr(open.size()));
  if (trimmed(turn).starts_with(close)) return std::string(turn);
  const std::string gap = before.ends_with('\n') ? "\n" : "";
  return fmt::format("{}{}{}{}{}", gap, close, gap, gap, turn);
}

}  // namespace

struct ChatFormat::Inside {
  const llama_vocab* vocab = nullptr;
  common_chat_templates_ptr templates;
  std::map<std::string, bool> can;
  bool folds_system = false;  // the template has no place for the system text, or loses it later on
  bool loses_calls = false;   // the template writes no calls in a turn that has words as well
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

  const std::string source = common_chat_templates_source(inside.templates.get());
  for (llama_token token = 0; token < llama_vocab_n_tokens(inside.vocab); ++token) {
    const llama_token_attr kind = llama_vocab_get_attr(inside.vocab, token);
    const std::string text = llama_vocab_get_text(inside.vocab, token);
    if (text.empty() || first_code_point(text) == text.size()) continue;
    // A token of its own that the template writes, such as <tool_call>, is a mark as well.
    const bool written = kind & LLAMA_TOKEN_ATTR_USER_DEFINED && !trimmed(text).empty() &&
                         std::ispunct(static_cast<unsigned char>(text[0])) && source.find(text) != std::string::npos;
    if (kind & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN) || written)
      inside.marks[static_cast<unsigned char>(text[0])].push_back(text);
  }

  const bool describes_tools = inside.can["supports_tools"] && inside.can["supports_tool_calls"];
  if (wish == GgufOptions::Template::native && !describes_tools)
    return Error{"has a chat template that describes no tools; use template=generic."};
  format->native_ = describes_tools && wish != GgufOptions::Template::generic;
  inside.folds_system = !inside.can["supports_system_role"] || format->loses_system_text();
  inside.loses_calls = format->native_ && format->loses_calls_beside_words();
  if (format->native_ && !format->reads_its_own_calls()) {
    if (wish == GgufOptions::Template::native)
      return Error{"has a chat template whose tool calls llama.cpp cannot read; use template=generic."};
    format->native_ = format->reads_calls_ = false;
    inside.folds_system = !inside.can["supports_system_role"] || format->loses_system_text();
  }

  Result<Prompt> prompt = format->prompt(trial_talk(), {trial_tool()}, {}, false);
  if (!prompt) return Error{fmt::format("has a chat template that cannot be used: {}.", prompt.error().text)};
  if (prompt->tokens.empty()) return Error{"has a chat template that writes nothing."};
  format->name_ =
      format->native_ ? std::string("native: ") + common_chat_format_name(prompt->params->format) : "generic";
  return format;
}

// Some templates write the system text only before a user turn that comes last: after the first result of a tool it
// would be gone.
bool ChatFormat::loses_system_text() const {
  for (size_t turns = 2; turns <= trial_talk().size(); ++turns) {
    std::vector<Message> talk = trial_talk();
    talk.resize(turns);
    if (talk.back().role == Role::assistant) continue;
    Result<Prompt> prompt = this->prompt(talk, {trial_tool()}, {}, false);
    if (prompt && prompt->params->prompt.find(trial_talk()[0].text) == std::string::npos) return true;
  }
  return false;
}

bool ChatFormat::loses_calls_beside_words() const {
  std::vector<Message> talk = trial_talk();
  talk[2].text = "Words.";
  Result<Prompt> prompt = this->prompt(talk, {trial_tool()}, {}, false);
  return prompt && prompt->params->prompt.find("trial-call") == std::string::npos;
}

// The library's readers are made for templates as they were known, or derived from them. So this one is tried: a call
// is written as the template writes it and read back. Where it cannot be told what the template writes, it is trusted.
bool ChatFormat::reads_its_own_calls() const {
  std::vector<Message> talk = trial_talk();
  const Message turn = talk[2];
  talk.resize(2);
  const std::vector<ToolSpec> tools = {trial_tool()};
  Result<Prompt> prompt = this->prompt(talk, tools, {}, false);
  if (!prompt) return true;
  Result<std::vector<llama_token>> tokens = continuation(*prompt, talk, tools, {}, turn);
  if (!tokens) return true;
  // A mark that ends the turn may be one that the vocabulary does not know as such: then up to that mark.
  std::string raw;
  for (size_t i = 0; i <= tokens->size(); ++i) {
    const bool may_end = i == tokens->size() || llama_vocab_is_control(inside_->vocab, (*tokens)[i]) ||
                         llama_vocab_is_eog(inside_->vocab, (*tokens)[i]);
    if (may_end && !raw.empty()) {
      const Reply reply = read(*prompt, raw, false);
      if (reply.calls.size() == 1 && reply.calls[0].name == turn.calls[0].name &&
          reply.calls[0].arguments == turn.calls[0].arguments)
        return true;
    }
    if (i < tokens->size()) raw += piece_of(inside_->vocab, (*tokens)[i]);
  }
  return false;
}

ChatAbilities ChatFormat::abilities() const {
  ChatAbilities can;
  can.system_role = !inside_->folds_system;
  can.describes_tools = inside_->can.at("supports_tools") && inside_->can.at("supports_tool_calls");
  can.reads_calls = can.describes_tools && reads_calls_;
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
  auto tokenize = [&](std::string_view text) {
    std::vector<llama_token> tokens(text.size() + 8);
    auto write = [&] {
      return llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                            static_cast<int32_t>(tokens.size()), /*add_special=*/false, /*parse_special=*/true);
    };
    int32_t n = write();
    if (n < 0) {
      tokens.resize(-n);
      n = write();
    }
    tokens.resize(std::max(n, 0));
    return tokens;
  };
  // SentencePiece puts a space before whatever it is given. What goes on in the middle of a text must not get one: it
  // is read behind a line break, which is then taken off.
  auto tokenize_behind = [&](std::string_view text) {
    std::vector<llama_token> tokens = tokenize(text);
    if (tokens.empty() || !piece_of(vocab, tokens[0]).starts_with(' ')) return tokens;
    std::vector<llama_token> longer = tokenize("\n" + std::string(text));
    std::string before;
    for (auto at = longer.begin(); at != longer.end() && before.size() < 2; ++at) {
      before += piece_of(vocab, *at);
      if (before == " \n" || before == "\n") return std::vector<llama_token>(at + 1, longer.end());
    }
    return tokens;
  };
  std::vector<llama_token> all;
  for (size_t begin = 0; begin <= prompt.size();) {
    size_t end = std::min(prompt.find(seam, begin), prompt.size());
    const std::string_view piece = prompt.substr(begin, end - begin);
    const std::vector<llama_token> tokens = begin == 0 && begins ? tokenize(piece) : tokenize_behind(piece);
    all.insert(all.end(), tokens.begin(), tokens.end());
    begin = end + seam.size();
  }
  llama_token bos = llama_vocab_bos(vocab);
  bool wants_bos = begins && llama_vocab_get_add_bos(vocab) && bos != LLAMA_TOKEN_NULL;
  if (wants_bos && (all.empty() || all[0] != bos)) all.insert(all.begin(), bos);
  return all;
}

std::vector<Message> ChatFormat::native_turns(const std::vector<Message>& messages) const {
  std::vector<Message> turns = inside_->folds_system ? fold_system(messages) : messages;
  if (inside_->loses_calls)  // a result without its call would be worse than a call without its words
    for (Message& turn : turns)
      if (!turn.calls.empty()) turn.text.clear();
  return turns;
}

std::vector<Message> ChatFormat::generic_turns(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                               const std::vector<Reply>& written) const {
  std::vector<Message> turns = generic_conversation(messages, tools, written);
  return inside_->folds_system ? fold_system(std::move(turns)) : turns;
}

Result<Prompt> ChatFormat::prompt(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                  const std::vector<Reply>& written, bool grammar) const {
  try {
    if (native_) return fill(native_turns(messages), tools, grammar);
    Result<Prompt> prompt = fill(generic_turns(messages, tools, written), {}, grammar);
    if (prompt) prompt->has_tools = !tools.empty();
    if (prompt && grammar && !tools.empty())
      prompt->grammar.gbnf = json_schema_to_grammar(common_json::parse(to_line(generic_schema(tools))));
    return prompt;
  } catch (const std::exception& e) {
    return Error{shown(e), ErrorKind::unfinished};
  }
}

Result<Prompt> ChatFormat::prompt_at_words(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                           const std::vector<Reply>& written) const {
  const std::string words = "An answer.";
  const std::vector<ToolSpec> described = native_ ? tools : std::vector<ToolSpec>();
  try {
    std::vector<Message> turns = native_ ? native_turns(messages) : generic_turns(messages, tools, written);
    Result<Prompt> prompt = fill(turns, described, false, /*open_turn=*/true, /*thinking=*/false);
    if (!prompt) return prompt;
    const common_chat_params& params = *prompt->params;
    turns.push_back({.role = Role::assistant, .text = words});
    Result<Prompt> closed = fill(turns, described, false, /*open_turn=*/false, /*thinking=*/false);
    std::string before;
    if (closed)
      if (const std::optional<std::string> text = what_follows(params, closed->params->prompt))
        if (const size_t at = text->find(words); at != text->npos) before = text->substr(0, at);
    // A template may leave it to the model to open thoughts, and write none in a finished turn.
    const std::string_view open = trimmed(params.thinking_start_tag);
    const bool marked = params.supports_thinking && !open.empty() && !params.thinking_end_tags.empty();
    if (trimmed(before).empty()) before.clear();  // a space is a part of the first word's token
    while (before.ends_with(' ')) before.pop_back();
    if (marked && before.empty()) {
      const std::string_view close = trimmed(params.thinking_end_tags[0]);
      if (!close.empty() && !trimmed(params.prompt).ends_with(close))
        before += fmt::format("{}\n\n{}\n\n", open, close);
    }
    const std::vector<llama_token> tokens = tokens_of(before, /*begins=*/false);
    prompt->tokens.insert(prompt->tokens.end(), tokens.begin(), tokens.end());
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
    whole = native_ ? native_turns(whole) : generic_turns(whole, tools, written);
    Result<Prompt> closed = fill(whole, native_ ? tools : std::vector<ToolSpec>(), false, /*open_turn=*/false);
    if (!closed) return closed.error();
    std::optional<std::string> text = what_follows(*prompt.params, closed->params->prompt);
    if (!text)
      return Error{"the chat template writes a finished turn otherwise than one that it opens", ErrorKind::unfinished};
    std::vector<llama_token> tokens = tokens_of(*text, /*begins=*/false);
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
                                bool open_turn, bool thinking) const {
  common_chat_templates_inputs inputs;
  inputs.now = the_day;
  inputs.chat_template_kwargs = the_day_written;
  inputs.reasoning_format =
      COMMON_REASONING_FORMAT_DEEPSEEK;  // the library's name for "thoughts apart", whatever the model
  inputs.add_generation_prompt = open_turn;
  inputs.enable_thinking = thinking && (native_ || !grammar);  // as the generic grammar has no room for thoughts
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
  if (open_turn) prompt.tokens = tokens_of(params.prompt);  // a finished conversation is nobody's prompt
  prompt.stops = params.additional_stops;
  if (grammar && native_) {
    prompt.grammar.gbnf = params.grammar;
    prompt.grammar.lazy = params.grammar_lazy;
    if (!params.grammar_lazy) prompt.grammar.prefill = tokens_of(params.generation_prompt, /*begins=*/false);
    for (const common_grammar_trigger& trigger : params.grammar_triggers) {
      switch (trigger.type) {
        case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN: prompt.grammar.trigger_tokens.push_back(trigger.token); break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
          // Without the blank line that the grammar wants behind the mark: it takes hold with the mark itself.
          prompt.grammar.trigger_patterns.push_back(regex_escape(std::string(trimmed(trigger.value))));
          break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN: prompt.grammar.trigger_patterns.push_back(trigger.value); break;
        case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
          prompt.grammar.trigger_patterns.push_back("^" + trigger.value + "$");
          break;
      }
    }
  }
  if (grammar && (!native_ || params.grammar_lazy)) {
    prompt.grammar.thinking = opened_thoughts(params) != std::string::npos;
    // The generic grammar leaves no room for thoughts, but in a prompt that has opened them.
    if (native_) prompt.grammar.thoughts_begin = trimmed(params.thinking_start_tag);
    for (const std::string& end : params.thinking_end_tags)
      if (!trimmed(end).empty()) prompt.grammar.thoughts_ends.emplace_back(trimmed(end));
  }
  prompt.params = std::make_shared<const common_chat_params>(std::move(params));
  return prompt;
}

Reply ChatFormat::read(const Prompt& prompt, const std::string& raw, bool cut) const {
  Reply reply;
  if (native_) {
    reply = read_native(*prompt.params, raw, cut);
  } else {
    std::string words = raw, thoughts;
    if (prompt.params->supports_thinking)
      if (auto apart = read_thoughts(*prompt.params, raw, cut)) words = apart->words, thoughts = apart->thoughts;
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
