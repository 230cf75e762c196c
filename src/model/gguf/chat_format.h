// The one place that knows llama.cpp's chat library (common/chat.h, no stable API): a conversation -> the prompt's
// tokens, and the text that came back -> a Reply. Native where the model's template describes tools itself, else the
// generic format.
//
// A template is tried before it is believed: one whose own calls llama.cpp cannot read back is used with the generic
// format; one that has no place for the system text, or loses it once a tool has answered, gets it in the first user
// turn; and one that writes no calls beside words gets the calls alone.
//
// What others wrote never becomes a mark of the template. A mail that holds "<|im_end|>" reaches the model as those ten
// characters, not as the token that ends a turn: every spelling of a control token in a message, a tool or a reply is
// cut in two by a seam (the noncharacter U+FDD0) before the template is filled in; the finished prompt is split at the
// seams, and each piece becomes tokens by itself. The seams vanish, so the text is unchanged to the byte; only its
// tokens differ.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "chat/chat.h"
#include "model/gguf/gguf_options.h"
#include "model/gguf/sampler.h"

struct common_chat_params;

namespace assay {

struct Prompt {
  std::vector<llama_token> tokens;
  std::vector<std::string> stops;  // strings that end the reply, beside the end tokens
  GrammarSpec grammar;             // empty unless asked for
  bool has_tools = true;
  std::shared_ptr<const common_chat_params> params;  // how the library reads what follows this prompt
};

// What a chat template makes possible.
struct ChatAbilities {
  bool system_role = false;
  bool describes_tools = false;              // and calls
  bool reads_calls = false;                  // and what the template writes of a call can be read back
  bool constrains_calls = false;             // there is a grammar of replies with calls, in the format that is used
  bool thinks = false;                       // thoughts can be told from words
  std::string thoughts_begin, thoughts_end;  // their marks, where the library knows them
};

class ChatFormat {
 public:
  // Reads the model's template and tries it on a small conversation. `model` must outlive it. Errors (bad_input)
  // complete the sentence "gguf:FILE ...".
  static Result<std::unique_ptr<ChatFormat>> make(const llama_model* model, GgufOptions::Template wish);
  ~ChatFormat();

  // "native: peg-native" or "generic".
  const std::string& name() const { return name_; }
  ChatAbilities abilities() const;

  // `written`: what the model replied in this conversation so far (generic_conversation). Errors (unfinished): the
  // template refuses the conversation.
  Result<Prompt> prompt(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                        const std::vector<Reply>& written, bool grammar) const;

  // The same, and behind it what a reply has before its first word: thoughts, where the template has any, are closed
  // and empty. What comes next is the answer itself, as plain words.
  Result<Prompt> prompt_at_words(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                 const std::vector<Reply>& written) const;

  // The tokens that this turn would be behind the prompt, to the mark that ends it. `messages`, `tools`, `written`:
  // those of the prompt. Thoughts that the prompt opens are closed, empty. Errors (unfinished): the template writes
  // such a turn in a way that does not go on from its prompt.
  Result<std::vector<llama_token>> continuation(const Prompt& prompt, const std::vector<Message>& messages,
                                                const std::vector<ToolSpec>& tools, const std::vector<Reply>& written,
                                                const Message& turn) const;

  // `cut`: at a token limit. Sets all of a Reply but usage; never throws.
  Reply read(const Prompt& prompt, const std::string& raw, bool cut) const;

 private:
  struct Inside;
  ChatFormat();
  Result<Prompt> fill(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools, bool grammar,
                      bool open_turn = true, bool thinking = true) const;
  std::vector<Message> native_turns(const std::vector<Message>& messages) const;
  std::vector<Message> generic_turns(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                     const std::vector<Reply>& written) const;
  bool loses_system_text() const;
  bool reads_its_own_calls() const;
  bool loses_calls_beside_words() const;
  std::string seamed(std::string_view text) const;
  std::vector<llama_token> tokens_of(std::string_view prompt, bool begins = true) const;

  std::string name_;
  bool native_ = false, reads_calls_ = true;
  std::unique_ptr<Inside> inside_;
};

}  // namespace assay
