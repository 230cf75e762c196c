// Tells how far a run is, at most every 50 ms and at its end (RunOptions::on_progress).
#pragma once

#include <chrono>

#include "run/runner.h"

namespace assay {

class Reports {
 public:
  explicit Reports(const RunOptions& options) : options_(options) {}
  // `open`: how many are under way.
  void tell(RunProgress& progress, size_t open, bool last) {
    if (!options_.on_progress) return;
    const auto now = std::chrono::steady_clock::now();
    if (!last && now - told_ < std::chrono::milliseconds(50)) return;
    told_ = now;
    progress.open = static_cast<int64_t>(open);
    options_.on_progress(progress);
  }

 private:
  const RunOptions& options_;
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

}  // namespace assay
