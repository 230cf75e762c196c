// A judge's questions as trees of tokens, for training and for looking at what is trained: each prompt to the token
// what a GGUF model is given when it weighs yes against no (Judge::ask, Model::weigh). What several prompts begin with
// - the same evidence asked in both orders, and about several things - stands in the tree once.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "grade/judge.h"
#include "organism/token_tree.h"
#include "organism/vocabulary.h"

namespace assay {

// A question whose answer is known.
struct Labelled {
  Question question;
  bool yes = false;
};

class QuestionWriter {
 public:
  // Reads vocabulary and chat template; weights are not needed. Errors (bad_input) are sentences.
  static Result<std::unique_ptr<QuestionWriter>> open(const std::string& gguf);

  // To be learned: behind each question, in both orders, the word that answers it. A tree holds questions until it has
  // `most` tokens, so that no tree takes more memory than a few of them need. Errors (unfinished): the chat template
  // refuses them.
  Result<std::vector<TokenTree>> lessons(std::span<const Labelled> questions, size_t most = 600) const;

  // To be looked at: behind both orders of one question every spelling of yes and of no.
  Result<TokenTree> look(const Question& question) const;
  // What the logprobs of such a tree's targets amount to, by the rules of judging.
  Judgement judgement(const Question& question, std::span<const float> logprobs) const;

  // What a judge is given to answer a question, and what is read as its answer.
  Result<std::vector<int32_t>> prompt(const Question& question, Order order) const;
  const std::vector<int32_t>& spellings(bool yes) const { return yes ? yes_ : no_; }

 private:
  explicit QuestionWriter(Vocabulary vocabulary);

  Vocabulary vocabulary_;
  std::vector<int32_t> yes_, no_;  // tokens with which either word begins, those of both taken out
  int32_t taught_yes_ = 0, taught_no_ = 0;
};

}  // namespace assay
