// Proof that codes of conduct say what they are meant to say: each of a code's examples is put to its clauses.
#pragma once

#include "base/diagnostic.h"
#include "scenario/scenario.h"

namespace assay {

// Adds a diagnostic, at the example, for each that comes out otherwise.
void prove_codes(const Suite& suite, Diagnostics& diagnostics);

}  // namespace assay
