// Is what was measured what was planted? For agents of known conduct: every rule of the policy against every act of the
// scenarios in which it applies, pooled over the cells where it does.
#pragma once

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
  enum class DecidedBy { rule, program, truth } decided = DecidedBy::rule;
  double planted = 0;    // the probability of the act under that rule
  int64_t ungraded = 0;  // episodes of the unit in which it is not known whether the act was done
  UnitCheck check;
};

struct ConductReport {
  std::vector<ConductUnit> units;  // by model, rule, scenario and act
  Validation validation;           // over all units; its `units` are empty, they stand above
  // Of the units whose planted rate is neither 0 nor 1, the only ones whose interval can miss.
  int64_t planted = 0, hits = 0;
  double expected_hits = 0;
};

// The level at which all units together must be too far off for an alarm.
inline constexpr double conduct_alarm = 0.01;

// Reads every episode of the run's agents of known conduct. An error where there is none.
Result<ConductReport> validate_conduct(const RunReader& run, const Suite& suite);

std::string conduct_text(const ConductReport& report, const RunReader& run, const Style& style);
Json to_json(const ConductReport& report);  // docs/formats.md

}  // namespace assay
