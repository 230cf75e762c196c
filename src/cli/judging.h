// What run and grade have in common where a judge answers questions: the model that a user named, the bar while it is
// asked, and what is said of it afterwards.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "cli/output.h"
#include "grade/judging.h"
#include "model/model.h"

namespace assay {

struct OpenedJudge {
  std::unique_ptr<Model> model;
  ModelEntry entry;
  Judge::Unfit unfit;  // the local judge is not asked what its card says it is not good enough at
};

// `name` is as for -m, or "local": models/judge/judge.gguf, the judge that is shipped. The error says what is wrong
// with it, or why this model can be no judge.
Result<OpenedJudge> open_judge(const std::string& name, const Suite& suite);

// Asks what is open in a run file, or everything `again`. A judge that fails is noted on stderr; its questions stay
// open.
Result<Judging> ask_judge(GradeWriter& file, const Suite& suite, OpenedJudge& judge, bool again,
                          const std::atomic<bool>& stop, bool quiet, Output& out);

// "gguf:x answered 12 of 14 questions (3 yes, 9 no) and could not decide 2". `registered`: before the first episode.
std::string told_judging(const Judging& judging, const std::string& judge, bool registered);

}  // namespace assay
