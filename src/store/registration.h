// What was registered before the first episode, to and from its tables (run, source, model).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/run_file.h"
#include "store/sqlite.h"

namespace assay {

// A new run, and the models of the command that began it.
void write_registration(Database& db, const Registration& registration, const std::vector<ModelEntry>& models);
// A command that asks for more: `design` is what the whole run now comes to; the history gets what the command said.
void write_extension(Database& db, const Design& design, const Registration& command,
                     const std::vector<ModelEntry>& models);
void add_model(Database& db, const ModelEntry& model);

// `path` is for the message alone; `version` is that of the file's schema. Errors: what was read is not what a run file
// holds.
Result<Registration> read_registration(Database& db, const std::string& path, int version);
Result<std::vector<ModelEntry>> read_models(Database& db, const std::string& path, int version);

}  // namespace assay
