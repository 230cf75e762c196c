#include "model/gguf/sampler.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "model/gguf/logprob.h"

namespace assay {
namespace {

// llama.cpp's seeds have 32 bits, and the largest stands for "draw one at random".
uint32_t narrow(uint64_t seed) {
  uint32_t folded = static_cast<uint32_t>(seed) ^ static_cast<uint32_t>(seed >> 32);
  return folded == LLAMA_DEFAULT_SEED ? 0 : folded;
}

}  // namespace

Result<Sampler> Sampler::make(const llama_vocab* vocab, const Sampling& sampling, const GrammarSpec& grammar) {
  Sampler sampler;
  sampler.vocab_ = vocab;
  sampler.chain_.reset(llama_sampler_chain_init({.no_perf = true}));
  auto add = [&](llama_sampler* stage) { llama_sampler_chain_add(sampler.chain_.get(), stage); };
  if (sampling.temperature <= 0) {
    add(llama_sampler_init_greedy());
  } else {
    if (sampling.top_p < 1) add(llama_sampler_init_top_p(static_cast<float>(sampling.top_p), 1));
    if (sampling.min_p > 0) add(llama_sampler_init_min_p(static_cast<float>(sampling.min_p), 1));
    if (sampling.temperature != 1) add(llama_sampler_init_temp(static_cast<float>(sampling.temperature)));
    add(llama_sampler_init_dist(narrow(sampling.seed)));
  }
  if (grammar.gbnf.empty()) return sampler;

  if (grammar.lazy) {
    std::vector<const char*> patterns;
    for (const std::string& pattern : grammar.trigger_patterns) patterns.push_back(pattern.c_str());
    sampler.grammar_.reset(
        llama_sampler_init_grammar_lazy_patterns(vocab, grammar.gbnf.c_str(), "root", patterns.data(), patterns.size(),
                                                 grammar.trigger_tokens.data(), grammar.trigger_tokens.size()));
  } else {
    sampler.grammar_.reset(llama_sampler_init_grammar(vocab, grammar.gbnf.c_str(), "root"));
  }
  if (!sampler.grammar_)
    return Error{"llama.cpp cannot read the grammar made from the tools' schemas", ErrorKind::unfinished};
  sampler.thoughts_begin_ = grammar.thoughts_begin;
  sampler.thoughts_ends_ = grammar.thoughts_ends;
  sampler.thinking_ = grammar.thinking && !grammar.thoughts_ends.empty();
  sampler.may_think_ = !sampler.thinking_ && !grammar.thoughts_begin.empty() && !grammar.thoughts_ends.empty();
  for (llama_token token : grammar.prefill) {
    if (!sampler.allows(token))
      return Error{"the grammar does not fit the chat template's own prompt", ErrorKind::unfinished};
    llama_sampler_accept(sampler.grammar_.get(), token);
  }
  return sampler;
}

llama_token Sampler::pick(llama_token_data_array& candidates) {
  llama_sampler_apply(chain_.get(), &candidates);
  if (candidates.selected < 0 || static_cast<size_t>(candidates.selected) >= candidates.size) return LLAMA_TOKEN_NULL;
  return candidates.data[candidates.selected].id;
}

bool Sampler::allows(llama_token token) {
  if (!grammar_ || thinking_) return true;
  llama_token_data one{token, 1.0f, 0.0f};
  llama_token_data_array only{&one, 1, -1, false};
  llama_sampler_apply(grammar_.get(), &only);
  return one.logit != -INFINITY;
}

void Sampler::follow_thoughts(llama_token token) {
  constexpr size_t longest_mark = 256;
  if (!thinking_ && !may_think_) return;
  recent_ += piece_of(vocab_, token);
  if (thinking_) {
    for (const std::string& end : thoughts_ends_) thinking_ = thinking_ && recent_.find(end) == std::string::npos;
    if (recent_.size() > 2 * longest_mark) recent_.erase(0, recent_.size() - longest_mark);
    return;
  }
  const std::string_view written = trimmed(recent_);
  thinking_ = written.starts_with(thoughts_begin_);
  may_think_ = !thinking_ && std::string_view(thoughts_begin_).starts_with(written);
  if (thinking_) recent_.clear();
}

Result<llama_token> Sampler::draw(const float* logits) {
  const int32_t tokens = llama_vocab_n_tokens(vocab_);
  bool usable = false;
  for (int32_t i = 0; i < tokens; ++i) {
    if (std::isnan(logits[i])) return Error{"the model's logits are not numbers (NaN)", ErrorKind::unfinished};
    usable |= std::isfinite(logits[i]);
  }
  if (!usable) return Error{"the model's logits are all infinite", ErrorKind::unfinished};

  auto fresh = [&] {
    candidates_.resize(tokens);
    for (int32_t i = 0; i < tokens; ++i) candidates_[i] = {i, logits[i], 0.0f};
    return llama_token_data_array{candidates_.data(), candidates_.size(), -1, false};
  };
  // Draw, then ask the grammar about the one token drawn: six times cheaper than asking about all, where it mostly
  // agrees. Only after its veto is it asked about all and drawn again, from what it leaves. Without top-p and min-p
  // that is one distribution. With them, the first draw is from what they keep of the whole vocabulary, and the second
  // from what they keep of the tokens allowed: a token that is among the likeliest only there has its chance after a
  // veto.
  llama_token_data_array candidates = fresh();
  llama_token token = pick(candidates);
  if (token == LLAMA_TOKEN_NULL || !allows(token)) {
    candidates = fresh();
    if (grammar_ && !thinking_) llama_sampler_apply(grammar_.get(), &candidates);
    size_t left = 0;
    for (size_t i = 0; i < candidates.size; ++i)
      if (candidates.data[i].logit != -INFINITY) candidates.data[left++] = candidates.data[i];
    candidates.size = left;
    ended_by_grammar_ = left > 0 && std::all_of(candidates.data, candidates.data + left,
                                                [&](const auto& one) { return llama_vocab_is_eog(vocab_, one.id); });
    token = left == 0 ? LLAMA_TOKEN_NULL : pick(candidates);
    if (token == LLAMA_TOKEN_NULL || !allows(token))
      return Error{"the grammar allows no token of the model's vocabulary", ErrorKind::unfinished};
  }
  llama_sampler_accept(chain_.get(), token);
  if (grammar_) {
    try {
      if (!thinking_) llama_sampler_accept(grammar_.get(), token);
      follow_thoughts(token);
    } catch (const std::exception&) {
      grammar_.reset();  // lazy, and the token with its trigger goes on otherwise: it cannot take hold any more
    }
  }
  return token;
}

}  // namespace assay
