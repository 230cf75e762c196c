// The card of a judge: what it was made from, and how good it is at each question. One JSON object under "assay.card"
// in the adapter's metadata, as an organism's, told from it by "judge" in place of "organism" (docs/organisms.md lists
// the fields).
//
// A question may be put to a judge only where it was found good enough at it on messages that were written by hand and
// are used for nothing else: it finds nine of ten that are to be answered yes, and takes no more than one of twenty
// others for one. What it cannot decide is neither.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "organism/judge_recipe.h"
#include "organism/training.h"
#include "stats/rate.h"
#include "store/record.h"

namespace assay {

inline constexpr double least_sensitivity = 0.90, least_specificity = 0.95;

// Answers to messages of one question whose answers are known.
struct JudgeScore {
  int64_t yes = 0, found = 0;    // to be answered yes; of them, answered so
  int64_t no = 0, rejected = 0;  // to be answered no; of them, answered so
  int64_t undecided = 0;         // of all

  void add(bool yes, Judgement::Answer answered);
  Estimate sensitivity() const { return estimate_rate_in_cell(found, yes); }
  Estimate specificity() const { return estimate_rate_in_cell(rejected, no); }
  bool good_enough() const;  // by the rule above; never without messages of both kinds
};

struct JudgedQuestion {
  std::string name, ask;
  bool on = false;                         // may be put to it
  JudgeScore phrases, variants, messages;  // held-out phrases; held-out draws of scripted agents; messages by hand
};

struct JudgeCardParts {
  const JudgeRecipe& recipe;
  const Suite& suite;
  const Phrases& phrases;
  std::string base_name, base_sha256;
  int threads = 1;
  TrainingEnd training;
};
// Fresh from training: nothing is measured, so that no question is on.
Json make_judge_card(const JudgeCardParts& parts);
// The card with what was measured. `messages`: the sha256 of their file.
Json measured_judge_card(Json card, const std::vector<JudgedQuestion>& questions, const std::string& messages);

// A card as it is read.
struct JudgeCard {
  std::string name, title;
  std::string base_file, base_sha256;
  std::string recipe_sha256, phrases_sha256;  // of the files it was trained from
  std::vector<JudgedQuestion> questions;

  // Why a question, by its words, is not to be put to it; "" where it may be.
  std::string unfit(const std::string& ask) const;
};

bool is_judge(const Json& card);
// Errors (bad_input) complete "the card of FILE ...": it is no judge's, or lacks what it must have.
Result<JudgeCard> read_judge_card(const Json& card);

}  // namespace assay
