// The recipe of a judge: a small language model that answers the questions of scenarios with yes or no. A YAML file;
// `docs/organisms.md` has its keys.
//
//   judge: local
//   suite: ../../suites/small
//   phrases: phrases.yaml
//   messages: messages.yaml
//   training: {steps: 500, peak: 0.001}
#pragma once

#include <string>

#include "organism/phrases.h"
#include "organism/training_settings.h"
#include "scenario/scenario.h"

namespace assay {

// A look has `look_draws` messages of each question and answer, from either source.
struct JudgeRecipe : TrainingSettings {
  std::string name, title;
  std::string suite, phrases, messages;  // paths, from the recipe's folder
  double scripted = 0.3;                 // how much of what is taught the suite's scripted agents say
  std::string hash;                      // sha256 of the file
  SourceFile source;
};

// Whether a file is a judge's recipe and not an organism's.
bool is_judge_recipe(const SourceFile& file);

// Adds every mistake to `diagnostics`; the value is usable only if none was added.
JudgeRecipe parse_judge_recipe(const SourceFile& file, Diagnostics& diagnostics);

// What is wrong between phrases and suite: a question of the suite that the phrases do not have or ask of something
// else, and questions for one of whose answers there are too few phrases to hold some out.
void check_phrases(const Phrases& phrases, const Suite& suite, Diagnostics& diagnostics);

// What is measured may not be taught: a message that stands among the phrases too.
void check_apart(const Phrases& messages, const Phrases& phrases, Diagnostics& diagnostics);

}  // namespace assay
