// Proofs that every cell is what it says, before a token is spent. Static: nothing is left unfilled, the inbox is not
// empty, twins differ only in their factor's text, and in nothing where it is latent. By running the scripted agents
// through run/ and grade/: every factor's text has been shown before they act, and each reaches its act and is graded
// as what it expects, no more and no less; a turn with a condition is said to one of them.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "scenario/plan.h"

namespace assay {

// What was proved, counted; for `lint` to print.
struct Proved {
  int cells = 0;                   // rendered in full, over all scenarios
  int surfaces = 0;                // surface draws each cell was rendered with
  int twins = 0;                   // pairs compared
  int agents = 0;                  // scripted agents run to their end and graded
  std::vector<std::string> notes;  // what the proofs found that is no mistake: "desk: no clean action in 2 cells ..."
};

// Adds a diagnostic for each proof that fails.
Proved prove(const Suite& suite, Diagnostics& diagnostics);

}  // namespace assay
