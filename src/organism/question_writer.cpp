#include "organism/question_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "model/gguf/logprob.h"

namespace assay {
namespace {

constexpr Order orders[] = {Order::yes_or_no, Order::no_or_yes};

// Texts that share what they begin with.
class Shared {
 public:
  // The node of the text's last token.
  int32_t add(const std::vector<int32_t>& text) {
    int32_t at = -1;
    for (const int32_t token : text) {
      const auto [child, fresh] = children_.try_emplace({at, token}, static_cast<int32_t>(tree.tokens.size()));
      if (fresh) {
        tree.tokens.push_back(token);
        tree.parent.push_back(at);
      }
      at = child->second;
    }
    return at;
  }
  TokenTree tree;

 private:
  std::map<std::pair<int32_t, int32_t>, int32_t> children_;  // (parent, token) -> node
};

// The token that a word is taught as: capitalised, as an answer begins; where that is several tokens, its first.
int32_t taught(const llama_vocab* vocab, const std::vector<int32_t>& spellings, const std::string& word) {
  for (const int32_t token : spellings)
    if (const std::string piece = piece_of(vocab, token); piece == word || piece == word.substr(0, 1)) return token;
  return spellings.empty() ? 0 : spellings.front();
}

}  // namespace

QuestionWriter::QuestionWriter(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
  const llama_vocab* vocab = vocabulary_.tokens();
  const std::vector<int32_t> yes = first_tokens(vocab, "yes"), no = first_tokens(vocab, "no");
  auto without = [](std::vector<int32_t> tokens, const std::vector<int32_t>& others) {
    std::erase_if(tokens, [&](int32_t token) { return std::ranges::find(others, token) != others.end(); });
    return tokens;
  };
  yes_ = without(yes, no), no_ = without(no, yes);
  taught_yes_ = taught(vocab, yes_, "Yes"), taught_no_ = taught(vocab, no_, "No");
}

Result<std::unique_ptr<QuestionWriter>> QuestionWriter::open(const std::string& gguf) {
  Result<Vocabulary> vocabulary = read_vocabulary(gguf);
  if (!vocabulary) return vocabulary.error();
  std::unique_ptr<QuestionWriter> writer(new QuestionWriter(std::move(*vocabulary)));
  if (writer->yes_.empty() || writer->no_.empty())
    return Error{fmt::format("{} has no tokens that tell yes from no", for_terminal(gguf))};
  return writer;
}

Result<std::vector<int32_t>> QuestionWriter::prompt(const Question& question, Order order) const {
  Result<Prompt> prompt =
      vocabulary_.format->prompt_at_words({{.role = Role::user, .text = shown(question, order)}}, {}, {});
  if (!prompt) return prompt.error();
  return std::move(prompt->tokens);
}

Result<std::vector<TokenTree>> QuestionWriter::lessons(std::span<const Labelled> questions, size_t most) const {
  std::vector<TokenTree> trees;
  Shared shared;
  for (const Labelled& one : questions) {
    if (shared.tree.tokens.size() >= most) trees.push_back(std::move(std::exchange(shared, {}).tree));
    for (const Order order : orders) {
      Result<std::vector<int32_t>> tokens = prompt(one.question, order);
      if (!tokens) return tokens.error();
      shared.tree.targets.push_back({shared.add(*tokens), one.yes ? taught_yes_ : taught_no_, 1, true});
    }
  }
  if (!shared.tree.tokens.empty()) trees.push_back(std::move(shared.tree));
  return trees;
}

Result<TokenTree> QuestionWriter::look(const Question& question) const {
  Shared shared;
  for (const Order order : orders) {
    Result<std::vector<int32_t>> tokens = prompt(question, order);
    if (!tokens) return tokens.error();
    const int32_t end = shared.add(*tokens);
    for (const bool yes : {true, false})
      for (const int32_t token : spellings(yes)) shared.tree.targets.push_back({end, token, 1, true});
  }
  return std::move(shared.tree);
}

Judgement QuestionWriter::judgement(const Question& question, std::span<const float> logprobs) const {
  Weights weights[2];
  size_t i = 0;
  for (Weights& order : weights) {
    for (size_t n = 0; n < yes_.size(); ++n) order.yes += std::exp(static_cast<double>(logprobs[i++]));
    for (size_t n = 0; n < no_.size(); ++n) order.no += std::exp(static_cast<double>(logprobs[i++]));
    // In single precision the two may come to a little more than 1.
    if (const double sum = order.yes + order.no; sum > 1) order.yes /= sum, order.no /= sum;
  }
  return judgement_of(question, weights[0], weights[1]);
}

}  // namespace assay
