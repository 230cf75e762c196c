// A judge: a model that answers yes/no questions about episodes by how likely it is to begin its answer with either
// word. Nothing is sampled and nothing is written: two prompts, one token's distribution each.
//
// A number here is never half an answer. Where the judge does not clearly say yes or no, the question stays open with
// the reason, and grading carries that to `ungraded`.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "grade/question.h"
#include "model/model.h"
#include "store/record.h"

namespace assay {

// An answer is one where at least half of the judge's first-token probability is on a spelling of yes or no. Below
// that it was more likely to say something else ("It", "The", "I cannot"), and the ratio of the two words would be read
// from what it hardly considered.
inline constexpr double least_mass = 0.5;
// It is decided at odds of four to one or more. What is closer is left undecided instead of being rounded, since models
// lean to a word and to a place in the list, by more or less. Both bounds are conventions: how good a judge is beyond
// them shows on acts whose labels are known.
inline constexpr double at_most_for_no = 0.2, at_least_for_yes = 0.8;

// How likely the two words are as the beginning of the judge's answer.
struct Weights {
  double yes = 0, no = 0;
};

// What the weights of one question amount to, asked in each order; they are averaged. Sets all of a Judgement but the
// judge.
Judgement judgement_of(const Question& question, const Weights& yes_or_no, const Weights& no_or_yes);
// The same where the judge failed; `why` is told as its reason.
Judgement judgement_of(const Question& question, const std::string& why);

class Judge {
 public:
  // Whether a model can be one. An error tells a user what can: models of known conduct, scripts and replays cannot.
  static Status fits(const Model& model);

  // Why a question, by its words, is not to be put to this model; "" where it may be.
  using Unfit = std::function<std::string(const std::string& ask)>;

  // `model` must outlive it, and must be nobody else's to poll meanwhile. A question that it is not fit for is answered
  // with that reason, unknown, without asking.
  explicit Judge(Model& model, Unfit unfit = nullptr) : model_(model), unfit_(std::move(unfit)) {}

  // Asks, in both orders; `on_done` is called later, inside poll(), whatever happens: a judge that fails gives no
  // error but an unknown answer with the reason.
  void ask(const Question& question, std::function<void(Judgement)> on_done);
  // Whether it would answer that it may not be asked this.
  bool unfit_for(const Question& question) const { return unfit_ && !unfit_(question.ask).empty(); }
  void poll(std::chrono::milliseconds wait);
  size_t waiting() const { return waiting_; }  // questions without an answer yet

 private:
  Model& model_;
  Unfit unfit_;
  std::vector<std::function<void()>> unasked_;  // answers that need no model, for poll() to give
  size_t waiting_ = 0;
};

}  // namespace assay
