// Which cells a run visits, where it is not every scenario's default grid: other factors crossed, a part of the levels,
// a covering array or a random draw in place of all combinations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "scenario/scenario.h"

namespace assay {

// More cells of one scenario than this are refused: every one is rendered and proved before the first token.
inline constexpr int64_t largest_selection = 4096;

struct Selection {
  enum class Crossing { full, pairwise, random };

  std::vector<std::string> factors;  // crossed in place of each scenario's default; a scenario crosses those it has
  // Levels that are kept. A scenario that lacks the factor, or all of the levels, is left out. A factor that is not
  // crossed stands at the first of them, or is crossed over them where there are several. `scenario` and `family` stand
  // for what a scenario is called and belongs to, unless some scenario has a factor of that name.
  LevelFilter only;
  Crossing crossing = Crossing::full;
  int64_t random_cells = 0;  // of each scenario, with Crossing::random

  bool whole() const { return *this == Selection{}; }  // the default grids
  bool operator==(const Selection&) const = default;
};

// "full", "pairwise", "random:200", and back; nothing for any other text.
std::string crossing_text(const Selection& selection);
bool read_crossing(const std::string& text, Selection& selection);

// "threat, nudge crossed; only severity=minor|egregious; pairwise"; "the default grid".
std::string describe(const Selection& selection);

// For the run file: {"factors": [...], "only": {...}, "crossing": "pairwise"}. The reader believes nothing.
Json to_json(const Selection& selection);
Result<Selection> selection_from(const Json& json);

// Puts a selection into force: sets Scenario::chosen and Factor::crossed. A scenario that it leaves out has no cells
// afterwards. `seed`: the run's, for random draws. Errors: a factor or level that no scenario has, a grid that is too
// large, or nothing left at all; the suite is then as before.
Status select(Suite& suite, const Selection& selection, uint64_t seed);

}  // namespace assay
