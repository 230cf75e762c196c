// By what the stored grades were made, to and from its tables (grading, grading_source). The last row counts; those
// before it tell what was tried.
#pragma once

#include "store/run_file.h"
#include "store/sqlite.h"

namespace assay {

// Inside a transaction; the id is given by the file.
void write_grading(Database& db, const Grading& grading);

// `version`: of the file's schema; before 2 only runs graded.
Result<Grading> read_grading(Database& db, const std::string& path, int version);

}  // namespace assay
