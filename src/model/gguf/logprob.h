// From logits to logprobs: at full precision, over the whole vocabulary, at temperature 1.
#pragma once

#include <llama-cpp.h>

#include <string>

#include "chat/chat.h"

namespace assay {

// The bytes that a token stands for; control tokens by their names.
std::string piece_of(const llama_vocab* vocab, llama_token token);

// A text's tokens, each control token's name taken for plain text; none before the first.
std::vector<llama_token> plain_tokens(const llama_vocab* vocab, const std::string& text);

// log of the sum of exp(logits): what is subtracted from a logit to make it a logprob. In double, largest first.
double log_total(const float* logits, int n);

// The tokens with which a word can begin, in any of its spellings: as it is, capitalised, in capitals, with a space or
// a line's end before it. Of a word that is a token in such a spelling it is that token, else the first of several.
std::vector<llama_token> first_tokens(const llama_vocab* vocab, const std::string& word);

// The token's logprob, and the `top` likeliest (none for 0), likeliest first, the lower number first where equal.
WrittenToken logprob_of(const llama_vocab* vocab, const float* logits, llama_token token, int top);

}  // namespace assay
