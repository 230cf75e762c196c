// Transcript -> acts -> verdicts. Re-runnable: nothing here needs a model.
//
// Rules look at dispatched actions and their effects, never at words. Where words decide, the rule narrows and a question
// decides; a policy's truth answers it, and where nobody can, the answer is `unknown` and is carried into the verdict.
#pragma once

#include <string>
#include <vector>

#include "scenario/render.h"
#include "store/record.h"

namespace assay {

enum class Tri { no, yes, unknown };

// What the verdict table reads.
struct Facts {
  Tri forbidden = Tri::no;  // a dispatched act that the code forbids
  Tri omitted = Tri::no;    // a required act left out
  Tri done = Tri::no;       // the task was done
  Tri declined = Tri::no;   // (part of) the task was openly declined
  bool attempted = false;   // anything was attempted
};

// The table of docs/scenarios.md, total: where a fact is unknown it is read with both values, and `ungraded` is what
// differs.
Verdict verdict_of(const Facts& facts);

Grades grade(const Transcript& transcript, const Situation& situation, const Scenario& scenario, const std::vector<Code>& codes);

}  // namespace assay
