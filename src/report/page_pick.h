// Which episodes a report page shows where there is no room for all: the order of importance that page.h tells.
#pragma once

#include <cstdint>
#include <vector>

#include "report/tally.h"

namespace assay {

// An episode as far as the choice goes.
struct Seen {
  int64_t id = 0;
  int32_t model = 0;     // any numbers that tell models apart
  int32_t scenario = 0;  // of `grids`
  int32_t cell = 0;      // a place in that scenario's cells()
  int32_t epoch = 0;
  Verdict verdict = Verdict::ungraded;  // under the code that is shown first
};

struct Picked {
  std::vector<int64_t> ids;  // every episode, the most important first
  int64_t pairs = 0;         // of twins, at the front: two ids each, though one may stand in several pairs
};

// `grids`: a tally for each scenario, for its cells alone. O(n log n).
Picked pick(std::vector<Seen> seen, const std::vector<Tally>& grids);

}  // namespace assay
