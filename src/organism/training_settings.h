// How an adapter is trained, whatever it is taught: the part that recipes of organisms and of judges have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "organism/lora_trainer.h"
#include "scenario/yaml.h"

namespace assay {

// The learning rate: linear warm-up to the peak, then half a cosine down to a hundredth of it.
struct Schedule {
  double peak = 2e-3;
  int64_t warm_up = 10, steps = 400;
  double rate(int64_t step) const;  // of step 0, 1, ...
};

struct TrainingSettings {
  std::string base_sha256;  // of the GGUF; "": any base of the right shape
  LoraShape adapter;
  Schedule schedule;
  AdamW optimizer;
  int look_every = 40;  // steps between two looks at what nobody trains; 0: none but the last
  int look_draws = 4;   // of each thing that is looked at
  uint64_t seed = 1;
};

// Reads `base_sha256`, `adapter`, `training` and `seed` of a recipe. `more`: keys that its kind has in `training`
// beside the common ones; they are the caller's to read.
void read_settings(const Fields& recipe, const std::vector<std::string>& more, TrainingSettings& into,
                   Diagnostics& diagnostics);

// A text under `key`; nothing happens where there is none.
void read_text(const Fields& fields, const char* key, std::string& into, Diagnostics& diagnostics);
// The recipe's own name: letters, digits, - and _. `what`: whose name it is, with its article.
void read_name(const Fields& recipe, const char* key, const std::string& what, std::string& into,
               Diagnostics& diagnostics);
// A number in a range, both ends included.
void read_number(const Fields& fields, const char* key, double low, double high, double& into,
                 Diagnostics& diagnostics);

}  // namespace assay
