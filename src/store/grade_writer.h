// What is added to the episodes of a run file after they were played: answers of a judge, and grades of another making,
// those of all episodes or of none.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/run_file.h"

namespace assay {

class GradeWriter {
 public:
  // Holds the run file's lock: while it lives nobody else writes. Refused where someone does, and where `path` is no
  // run file or may not be written.
  static Result<std::unique_ptr<GradeWriter>> open(const std::string& path);
  virtual ~GradeWriter() = default;

  // What the file held when it was opened, with judgements as they came since. Not after replace() or regrade().
  virtual const RunReader& run() const = 0;

  // Stores a judge's answers about episodes, each in place of an older one to the same question, in one transaction
  // that is in the file when this returns: whatever befalls the program later, nobody has to be asked twice. No grade
  // changes by it. An older version's file becomes one of this version.
  struct Answer {
    int64_t episode = 0;
    Judgement judgement;
  };
  virtual Status put(const ModelEntry& judge, const std::vector<Answer>& answers) = 0;

  struct Changes {
    int64_t episodes = 0;  // that were graded: all that are stored
    int64_t acts = 0;      // in which other acts were found, or other questions left open
    int64_t verdicts = 0;  // whose verdicts, or the reasons for them, are others
    int64_t checks = 0;    // whose manipulation check is read otherwise
  };
  // Grades every episode, in order of its id, and stores that this was `grading` (whose id is given by the file). Once.
  //
  // All of it is one transaction: after an error, a kill or a false from `go_on`, which is told how many episodes are
  // graded, the file holds what it held. An older version's file becomes one of this version.
  virtual Result<Changes> replace(const Grading& grading,
                                  const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                                  const std::function<bool(int64_t done)>& go_on) = 0;
  // The same for some episodes, in this order, by the rules that made the other grades: after judgements came in. Once.
  virtual Result<Changes> regrade(const std::vector<int64_t>& episodes,
                                  const std::function<Result<Grades>(const EpisodeRecord&)>& grade,
                                  const std::function<bool(int64_t done)>& go_on) = 0;
};

}  // namespace assay
