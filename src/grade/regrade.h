// Stored episodes graded once more: each one's situation is made anew from its scenario, epoch and cell, and its
// transcript is read by other rules, or under other codes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "grade/question.h"
#include "scenario/render.h"
#include "store/run_file.h"

namespace assay {

// Why the episodes of a run cannot be graded by a suite that is not their own: scenarios it lacks, other factors or
// levels, cells outside its grid. One line each, by scenario; none where it fits. Reads every episode's
// summary.
Result<std::vector<std::string>> misfits(const RunReader& run, const Suite& suite);

class Regrader {
 public:
  // `suite` has the rules and the codes, and must outlive it. `design` is the run's.
  Regrader(const Suite& suite, const Design& design) : suite_(suite), design_(design) {}
  // Fast where episodes of one scenario and epoch follow each other. An error where the suite cannot render the cell,
  // or draws other surface values than the episode was played with: who was who in it is then not known.
  Result<Grades> grade(const EpisodeRecord& episode);
  // Those that only a judge can answer, answered or not. Errors as above.
  Result<std::vector<Question>> questions(const EpisodeRecord& episode);

 private:
  struct Placed {
    const Scenario* scenario;
    Situation situation;
  };
  Result<Placed> place(const EpisodeRecord& episode);

  static constexpr size_t most_surfaces = 64;  // episodes end in nearly the order of their epochs

  const Suite& suite_;
  const Design design_;
  std::map<std::pair<std::string, int>, Surface> surfaces_;  // of a scenario and epoch
};

}  // namespace assay
