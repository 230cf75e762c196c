// How the cells of a later command lie to those that a run file registered. Selections are compared by the cells that
// they select, not by their words: a covering array lies within the full grid, and `--factors` that names the default
// factors selects what nobody named.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/run_file.h"

namespace assay {

struct Growth {
  int64_t registered = 0;  // cells of the file, of all scenarios
  int64_t left_out = 0;    // of those, the ones that the command does not visit
  int64_t added = 0;       // cells of the command that the file did not have
};

// Both must be of the same suite and seed (differences() tells where they are not). Loads the suite from its stored
// files; an error where they cannot be read.
Result<Growth> growth_of(const Registration& file, const Registration& command);

}  // namespace assay
