// What was registered before the first episode, to and from its tables (run, source, model).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/run_file.h"
#include "store/sqlite.h"

namespace assay {

void write_registration(Database& db, const Registration& registration);
void write_epochs(Database& db, int epochs);
void add_model(Database& db, const ModelEntry& model);

// `path` is for the message alone. Errors: what was read is not what a run file holds.
Result<Registration> read_registration(Database& db, const std::string& path);
Result<std::vector<ModelEntry>> read_models(Database& db, const std::string& path);

}  // namespace assay
