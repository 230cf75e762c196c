// Files -> Suite. Every mistake is reported at once; the value is usable only if none was added.
#pragma once

#include <string>

#include "base/result.h"
#include "scenario/scenario.h"

namespace assay {

// Reads a suite's folder from disk: its *.yaml, mail/, and the acts' vocabulary and codes it names, which lie in the
// folder or beside it. Refuses files over 1 MB, more than 2,000 files, and what is no file.
Result<Sources> read_suite_folder(const std::string& folder);

// One more file of the same kind, under the same limit, by its path.
Result<SourceFile> read_suite_file(const std::string& path);

// Pure. `sources` as read_suite_folder or a run file gives them.
Suite load_suite(std::shared_ptr<const Sources> sources, Diagnostics& diagnostics);

}  // namespace assay
