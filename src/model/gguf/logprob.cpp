#include "model/gguf/logprob.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <set>

#include "base/text.h"

namespace assay {

std::string piece_of(const llama_vocab* vocab, llama_token token) {
  std::string piece(64, '\0');
  auto write = [&] {
    return llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, /*special=*/true);
  };
  int32_t n = write();
  if (n < 0) {
    piece.resize(-n);
    n = write();
  }
  piece.resize(std::max(n, 0));
  return piece;
}

std::vector<llama_token> plain_tokens(const llama_vocab* vocab, const std::string& text) {
  std::vector<llama_token> tokens(text.size() + 8);
  const int n = llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                               static_cast<int32_t>(tokens.size()), /*add_special=*/false, /*parse_special=*/false);
  tokens.resize(static_cast<size_t>(std::max(n, 0)));
  return tokens;
}

double log_total(const float* logits, int n) {
  const double highest = *std::max_element(logits, logits + n);
  if (!std::isfinite(highest)) return highest;
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += std::exp(logits[i] - highest);
  return highest + std::log(sum);
}

std::vector<llama_token> first_tokens(const llama_vocab* vocab, const std::string& word) {
  std::set<llama_token> first;
  std::string capitalised = word, capitals = word;
  if (!word.empty()) capitalised[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& spelling : {word, capitalised, capitals})
    for (const char* before : {"", " ", "\n"}) {
      const std::vector<llama_token> tokens = plain_tokens(vocab, before + spelling);
      // A token of nothing but space begins every word.
      if (!tokens.empty() && piece_of(vocab, tokens[0]).find_first_not_of(" \n") != std::string::npos)
        first.insert(tokens[0]);
    }
  // Spellings that only the vocabulary knows: more spaces, marks of its own.
  for (llama_token token = 0; token < llama_vocab_n_tokens(vocab); ++token)
    if (folded(trimmed(piece_of(vocab, token))) == folded(word)) first.insert(token);
  return {first.begin(), first.end()};
}

WrittenToken logprob_of(const llama_vocab* vocab, const float* logits, llama_token token, int top) {
  const int n = llama_vocab_n_tokens(vocab);
  const double total = log_total(logits, n);
  auto entry = [&](llama_token one) { return TokenLogprob{one, piece_of(vocab, one), logits[one] - total}; };
  WrittenToken written;
  static_cast<TokenLogprob&>(written) = entry(token);
  top = std::clamp(top, 0, n);
  if (top == 0) return written;
  std::vector<llama_token> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + top, order.end(), [&](llama_token a, llama_token b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  });
  for (int i = 0; i < top; ++i) written.top.push_back(entry(order[i]));
  return written;
}

}  // namespace assay
