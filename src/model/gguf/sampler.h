// Draws the next token: top-p, temperature, a seeded draw, and the grammar's veto.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

namespace assay {

// A grammar as a chat format asks for it. Empty text: none. Lazy: it takes hold once the model has written one of the
// triggers (a tool call's opening mark), words before it are free.
struct GrammarSpec {
  std::string gbnf;
  bool lazy = false;
  std::vector<std::string> trigger_patterns;
  std::vector<llama_token> trigger_tokens;
  std::vector<llama_token> prefill;  // not lazy: the part of the prompt that the grammar begins with
  // Thoughts are free, whatever they mention: the grammar sleeps from the mark that opens them, at the very beginning
  // of the reply, to one that ends them.
  bool thinking = false;  // the prompt has opened them already
  std::string thoughts_begin;
  std::vector<std::string> thoughts_ends;
};

class Sampler {
 public:
  // Temperature 0 is greedy. The vocabulary must outlive the sampler. An error: the grammar cannot be read.
  static Result<Sampler> make(const llama_vocab* vocab, const Sampling& sampling, const GrammarSpec& grammar);

  // `logits`: one per token of the vocabulary. The token drawn is never one that the grammar forbids; where it forbids
  // all, or the logits are not numbers, there is an error instead.
  Result<llama_token> draw(const float* logits);
  // The last token drawn ended the reply, and the grammar allowed nothing else.
  bool ended_by_grammar() const { return ended_by_grammar_; }

 private:
  Sampler() = default;
  llama_token pick(llama_token_data_array& candidates);
  bool allows(llama_token token);
  void follow_thoughts(llama_token token);

  const llama_vocab* vocab_ = nullptr;
  llama_sampler_ptr chain_, grammar_;
  bool ended_by_grammar_ = false;
  bool thinking_ = false, may_think_ = false;  // may: nothing but a part of thoughts_begin_ is written
  std::string recent_;                         // of what is written, as much as the marks of thoughts need
  std::string thoughts_begin_;
  std::vector<std::string> thoughts_ends_;
  std::vector<llama_token_data> candidates_;  // kept for its memory
};

}  // namespace assay
