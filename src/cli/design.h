// The options that plan and run share: what is run, and how much of it.
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/plan.h"

namespace assay {

// For an option that takes a seed: "" where the text is one, else what it must be.
std::string is_seed(const std::string& text);

class DesignOptions {
 public:
  // `epochs`: where none are asked for.
  explicit DesignOptions(int epochs) : epochs_(epochs) {}
  // Declares them; the object must live as long as `app`.
  void declare(CLI::App& app);
  // What was asked for, once the command line was read. The error names what is no design.
  Result<Design> design() const;
  bool programs() const { return programs_; }  // of the suite's own may be run

 private:
  int epochs_;
  uint64_t seed_ = 1;
  bool programs_ = false;
  std::string variants_ = "train", prelude_ = "model", crossing_ = "full";
  std::vector<std::string> factors_, only_;
};

}  // namespace assay
