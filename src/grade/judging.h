// The open questions of a run file, asked of a judge; its answers are stored as they come, a group at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "grade/judge.h"
#include "store/grade_writer.h"

namespace assay {

struct JudgingOptions {
  // false: what nobody decided, but for what this very judge was asked before and could not decide. true: everything
  // that a judge can answer; what was decided before is replaced.
  bool again = false;
  // Episodes looked at, of all.
  std::function<void(int64_t done, int64_t total)> on_progress = [](int64_t, int64_t) {};
  // Set from outside (a signal handler): nothing more is asked, what was asked is waited for and stored.
  const std::atomic<bool>* stop = nullptr;
};

struct Judging {
  int64_t asked = 0, yes = 0, no = 0;  // questions
  int64_t undecided = 0;               // the judge answered, but not clearly
  int64_t failed = 0;                  // it gave no answer
  std::string fault;                   // why, the first of those
  bool stopped = false;                // before the end
  std::vector<int64_t> episodes;       // whose grades hang on some answer, new or old; in order
};

// `suite` has the rules that say what is asked (suite_of), `entry` is the judge as the file names it. An error: the
// file could not be read or written, or `suite` is not the one of its episodes; what was answered until then is kept.
Result<Judging> ask_open_questions(GradeWriter& file, const Suite& suite, Judge& judge, const ModelEntry& entry,
                                   const JudgingOptions& options);

}  // namespace assay
