#include "organism/judge_card.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace assay {
namespace {

Json json_of(const Estimate& rate) {
  return {{"value", rate.value ? Json(*rate.value) : Json()},
          {"interval", rate.interval ? Json{rate.interval->low, rate.interval->high} : Json()}};
}

Json json_of(const JudgeScore& score) {
  return {{"yes", score.yes},
          {"found", score.found},
          {"no", score.no},
          {"rejected", score.rejected},
          {"undecided", score.undecided},
          {"sensitivity", json_of(score.sensitivity())},
          {"specificity", json_of(score.specificity())}};
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Json part_of_card(const Json& card, const char* key) {
  const auto found = card.find(key);
  return found != card.end() && found->is_object() ? *found : Json::object();
}

// Counts only: rates are made from them again.
JudgeScore score_from(const Json& json) {
  auto count = [&](const char* key) -> int64_t {
    const auto found = json.is_object() ? json.find(key) : json.end();
    constexpr int64_t most = 1'000'000'000;
    return found != json.end() && found->is_number_integer() ? std::clamp<int64_t>(found->get<int64_t>(), 0, most) : 0;
  };
  JudgeScore score{count("yes"), count("found"), count("no"), count("rejected"), count("undecided")};
  score.found = std::min(score.found, score.yes);
  score.rejected = std::min(score.rejected, score.no);
  return score;
}

}  // namespace

void JudgeScore::add(bool is_yes, Judgement::Answer answered) {
  ++(is_yes ? yes : no);
  if (answered == Judgement::Answer::unknown)
    ++undecided;
  else if ((answered == Judgement::Answer::yes) == is_yes)
    ++(is_yes ? found : rejected);
}

bool JudgeScore::good_enough() const {
  return yes > 0 && no > 0 && static_cast<double>(found) + 1e-9 >= least_sensitivity * static_cast<double>(yes) &&
         static_cast<double>(rejected) + 1e-9 >= least_specificity * static_cast<double>(no);
}

Json make_judge_card(const JudgeCardParts& parts) {
  const JudgeRecipe& recipe = parts.recipe;
  Json card = {
      {"card", 1},
      {"judge", recipe.name},
      {"title", recipe.title},
      {"base", {{"file", valid_utf8(parts.base_name)}, {"sha256", parts.base_sha256}}},
      {"suite", {{"name", parts.suite.name}, {"sha256", parts.suite.hash}}},
      {"recipe", {{"sha256", recipe.hash}, {"text", valid_utf8(recipe.source.text)}}},
      {"phrases", {{"sha256", parts.phrases.hash}}},
      {"messages", Json()},
      {"questions", Json::array()},
  };
  put_training(card, recipe, parts.training, parts.threads);
  return card;
}

Json measured_judge_card(Json card, const std::vector<JudgedQuestion>& questions, const std::string& messages) {
  card["messages"] = {{"sha256", messages}};
  card["questions"] = Json::array();
  for (const JudgedQuestion& question : questions)
    card["questions"].push_back({{"name", question.name},
                                 {"ask", question.ask},
                                 {"sha256", sha256(question.ask)},
                                 {"on", question.on},
                                 {"phrases", json_of(question.phrases)},
                                 {"variants", json_of(question.variants)},
                                 {"messages", json_of(question.messages)}});
  return card;
}

std::string JudgeCard::unfit(const std::string& ask) const {
  const auto known = std::ranges::find(questions, ask, &JudgedQuestion::ask);
  if (known == questions.end()) return "the local judge was not made for this question";
  return known->on ? "" : "the local judge is not good enough at this question";
}

bool is_judge(const Json& card) { return card.is_object() && card.contains("judge"); }

Result<JudgeCard> read_judge_card(const Json& json) {
  if (!is_judge(json)) return Error{"is no judge's"};
  const auto version = json.find("card");
  if (version == json.end() || *version != Json(1)) return Error{"is of a version that this assay does not know"};
  JudgeCard card;
  card.name = text_at(json, "judge");
  card.title = text_at(json, "title");
  card.base_file = text_at(part_of_card(json, "base"), "file");
  card.base_sha256 = text_at(part_of_card(json, "base"), "sha256");
  card.recipe_sha256 = text_at(part_of_card(json, "recipe"), "sha256");
  card.phrases_sha256 = text_at(part_of_card(json, "phrases"), "sha256");
  if (card.name.empty() || card.base_file.empty() || card.base_file.find('/') != std::string::npos ||
      card.base_sha256.empty())
    return Error{"does not name the judge and its base"};
  const auto questions = json.find("questions");
  if (questions == json.end() || !questions->is_array()) return Error{"has no list of questions"};
  for (const Json& one : *questions) {
    JudgedQuestion question{text_at(one, "name"), text_at(one, "ask")};
    if (question.ask.empty()) return Error{"has a question without words"};
    const auto on = one.find("on");
    question.on = on != one.end() && *on == Json(true);
    for (const auto& [key, score] :
         {std::pair{"phrases", &question.phrases}, {"variants", &question.variants}, {"messages", &question.messages}})
      if (const auto found = one.find(key); found != one.end()) *score = score_from(*found);
    question.on = question.on && question.messages.good_enough();  // a card may say what it likes
    card.questions.push_back(std::move(question));
  }
  return card;
}

}  // namespace assay
