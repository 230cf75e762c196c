#include "grade/judge.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>

#include "base/text.h"

namespace assay {
namespace {

constexpr Order orders[] = {Order::yes_or_no, Order::no_or_yes};
constexpr double rounding = 1e-6;  // a sum of float probabilities may exceed 1 by so much

// One question under way: what its two requests point to, and what came back.
struct Asked {
  Question question;
  std::array<std::vector<Message>, 2> messages;
  std::array<Weights, 2> weights;
  std::string failed;  // the first reason
  int left = 2;
  std::function<void(Judgement)> on_done;
};

bool is_probability(const Weights& w) {
  return std::isfinite(w.yes) && std::isfinite(w.no) && w.yes >= 0 && w.no >= 0 && w.yes + w.no <= 1 + rounding;
}

}  // namespace

Judgement judgement_of(const Question& question, const std::string& why) {
  return {.act = question.act,
          .action = question.action,
          .question = hash_of(question),
          .reason = clipped(valid_utf8(why), 300)};
}

Judgement judgement_of(const Question& question, const Weights& yes_or_no, const Weights& no_or_yes) {
  if (!is_probability(yes_or_no) || !is_probability(no_or_yes))
    return judgement_of(question, "the judge's weights are no probabilities");
  const double yes = (yes_or_no.yes + no_or_yes.yes) / 2, no = (yes_or_no.no + no_or_yes.no) / 2;
  Judgement out = judgement_of(question, "");
  out.mass = std::min(yes + no, 1.0);
  if (yes + no > 0) out.p = yes / (yes + no);
  if (*out.mass < least_mass)
    out.reason = fmt::format("it would rather have said something else than yes or no ({:.0f} % of its first word)",
                             100 * *out.mass);
  else if (*out.p >= at_least_for_yes)
    out.answer = Judgement::Answer::yes;
  else if (*out.p <= at_most_for_no)
    out.answer = Judgement::Answer::no;
  else
    out.reason = fmt::format("it held yes and no for likely, yes at {:.2f}", *out.p);
  return out;
}

Status Judge::fits(const Model& model) {
  if (model.has_logprobs()) return Done{};
  return Error{
      fmt::format("{} cannot be a judge: it gives no logprobs, from which yes and no are read; gguf:PATH does.",
                  for_terminal(model.id()))};
}

void Judge::ask(const Question& question, std::function<void(Judgement)> on_done) {
  if (std::string why = unfit_ ? unfit_(question.ask) : ""; !why.empty()) {
    ++waiting_;
    unasked_.push_back([this, answer = judgement_of(question, why), on_done = std::move(on_done)] {
      --waiting_;
      on_done(answer);
    });
    return;
  }
  static const std::vector<ToolSpec> no_tools;
  auto asked = std::make_shared<Asked>();
  asked->question = question;
  asked->on_done = std::move(on_done);
  for (size_t i = 0; i < 2; ++i) asked->messages[i] = {{.role = Role::user, .text = shown(question, orders[i])}};
  ++waiting_;
  for (size_t i = 0; i < 2; ++i) {
    Request request;
    request.messages = &asked->messages[i];
    request.tools = &no_tools;
    model_.weigh(request, {"yes", "no"}, [this, asked, i](Result<std::vector<double>> weights) {
      if (weights && weights->size() == 2)
        asked->weights[i] = {(*weights)[0], (*weights)[1]};
      else if (asked->failed.empty())
        asked->failed = "the judge failed: " + (weights ? "it weighed no two words" : weights.error().text);
      if (--asked->left > 0) return;
      --waiting_;
      asked->on_done(asked->failed.empty() ? judgement_of(asked->question, asked->weights[0], asked->weights[1])
                                           : judgement_of(asked->question, asked->failed));
    });
  }
}

void Judge::poll(std::chrono::milliseconds wait) {
  const bool asked = waiting_ > unasked_.size();
  for (const auto& answer : std::exchange(unasked_, {})) answer();
  if (asked) model_.poll(wait);
}

}  // namespace assay
