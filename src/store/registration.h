// What was registered before the first episode, to and from its tables (run, source, model), and how it is told from
// what a later command says.
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

// What forbids going on, a line each: "seed: the file has 1, this command says 2". Epochs may differ.
std::vector<std::string> differences(const Registration& file, const Registration& command);
// The same for one model of both: "model policy:x: ctx: the file has 2048, this command says 4096".
std::vector<std::string> differences(const ModelEntry& file, const ModelEntry& command);

}  // namespace assay
