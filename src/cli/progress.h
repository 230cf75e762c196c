// How far a run is: a bar that is redrawn on a terminal, elsewhere a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/output.h"
#include "run/runner.h"

namespace assay {

class Progress {
 public:
  // `total` counts the episodes of all models together; quiet: nothing is shown. `weighs`: forced choices, whose turns
  // are no replies.
  Progress(Output& out, int64_t total, bool quiet, bool weighs = false);
  ~Progress();  // removes the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const RunProgress& now);        // of the model being run
  void finished(const RunProgress& model);  // this model is through; the next one's counts are added to its
  void note(const std::string& line);       // a whole line above the bar
  void clear();                             // until the next show()
  double seconds() const;
  const RunProgress& so_far() const { return before_; }

 private:
  std::string line(const RunProgress& all) const;

  Output& out_;
  int64_t total_;
  bool quiet_, weighs_, bar_shown_ = false;
  RunProgress before_;
  std::chrono::steady_clock::time_point start_, shown_;
};

// "1:05", "2:03:10".
std::string clock_text(double seconds);

}  // namespace assay
