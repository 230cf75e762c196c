// What is put on top of a suite after it was registered (`assay grade`): acts and codes of conduct from other files.
// Mistakes are told like those in the suite's own files; a suite to which any was added is not usable.
#pragma once

#include "scenario/scenario.h"

namespace assay {

// A map of scenarios' names, or `all` of them, each to acts written as under a scenario's `acts:`. An act takes the
// place of one of the same name, or is new (ActRule::added). What stands under a scenario's own name goes before `all`.
void add_acts(Suite& suite, const SourceFile& file, Diagnostics& diagnostics);

// A file NAME.yaml, as in a suite's codes/. It takes the place of the suite's code of that name, or comes last.
void add_code(Suite& suite, const SourceFile& file, Diagnostics& diagnostics);

}  // namespace assay
