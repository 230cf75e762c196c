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
  bool names_prelude() const { return prelude_option_ && prelude_option_->count() > 0; }

 private:
  int epochs_;
  uint64_t seed_ = 1;
  bool programs_ = false;
  std::string variants_ = "train", prelude_ = "model", crossing_ = "full";
  std::vector<std::string> factors_, only_;
  CLI::Option* prelude_option_ = nullptr;  // the app's
};

// Organisms are made for one prelude. Sets the design's where one is among these models (as -m names them), or says why
// that cannot be: the user `named` another, or the models want different ones.
Status settle_prelude(const std::vector<std::string>& models, bool named, Design& design);

}  // namespace assay
