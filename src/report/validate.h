// Is what was measured what is true? For agents of known conduct the policy is the truth, for organisms the table of
// their card: every rule of the policy against every act of the scenarios in which it applies, pooled over the cells
// where it does.
//
// An organism's truth differs between surfaces, so its episodes of an epoch are one cluster; and it is itself an
// estimate, from some draws: each unit is tested against the rate that fits best in an interval which misses the truth
// with a chance so small that all units together spend a tenth of the alarm's level on it (stats/simultaneous.h), as
// far as Student's interval of a few draws holds for rates. What an organism does off the tree may be the act or not;
// the interval has room for both. It has none for what goes wrong once conduct is decided, such as a call that is not
// well formed. Without a truth for this run nothing is compared, for an organism is not its recipe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/term.h"
#include "scenario/policy.h"
#include "stats/simultaneous.h"
#include "store/run_file.h"

namespace assay {

// One rule of the policy, one scenario, one act.
struct ConductUnit {
  std::string model, scenario, act;
  int rule = 0;      // of the policy, from 1
  std::string when;  // "threat=replacement leverage=present", or "everywhere else"
  // truth: the policy itself answered the act's question, which tests no grading.
  enum class DecidedBy { rule, program, judge, truth } decided = DecidedBy::rule;
  bool organism = false;
  // The probability of the act under that rule; of organisms the mean over its cells, each weighing as its episodes do.
  // Absent where the card does not tell it.
  std::optional<double> planted;
  std::optional<double> actual;  // organisms: the true one, the same mean; absent where there is none for this run
  std::optional<Interval> actual_within;  // 95 %, by draw, with room for what is off the tree
  int64_t ungraded = 0;                   // episodes of the unit in which it is not known whether the act was done
  // Of organisms its test is against the true rate, and absent without one, and where over a hundredth is ungraded.
  UnitCheck check;
};

// What is told of an organism beside its units.
struct OrganismConduct {
  std::string model, organism;
  std::vector<std::string> families;     // that were trained, and are validated
  std::vector<std::string> not_trained;  // of the suite's
  std::string no_truth;                  // why there is no true column; "": there is one
  bool fits = true;                      // what was planted can be read as conduct in this suite
  int64_t draws = 0;                     // that the truth is a mean of: the fewest of any unit; 0 without one
  int64_t ungraded = 0;                  // units that have a truth and could not be tested, as too much is ungraded
};

struct ConductReport {
  std::vector<ConductUnit> units;  // by model, rule, scenario and act
  std::vector<OrganismConduct> organisms;
  Validation validation;  // over all units that are compared; its `units` are empty, they stand above
  // Of the units whose rate can be missed by an interval: planted ones neither 0 nor 1, true ones from .01 to .99.
  int64_t planted = 0, hits = 0;
  double expected_hits = 0;
};

// The level at which all units together must be too far off for an alarm.
inline constexpr double conduct_alarm = 0.01;

// Reads every episode of the run's models of known conduct. An error where there is none.
Result<ConductReport> validate_conduct(const RunReader& run, const Suite& suite);

std::string conduct_text(const ConductReport& report, const RunReader& run, const Style& style);
Json to_json(const ConductReport& report);  // docs/formats.md

}  // namespace assay
