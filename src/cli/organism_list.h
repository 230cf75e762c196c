// `assay organism list`: what -m organism:NAME can name.
#pragma once

#include "base/result.h"
#include "cli/output.h"

namespace assay {

// The exit code; there being none is no error.
Result<int> list_organisms(bool json, Output& out);

}  // namespace assay
