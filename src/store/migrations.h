// Run files of earlier versions. A writer brings one up to date, step by step and in one transaction, before it adds
// anything; a reader reads it as it is, on a disk that may not be written too.
//
// To change the schema: change create_schema() in schema.cpp, raise schema_version, add the step from the version
// before to migrations.cpp, and freeze that version's text in migrations_test.cpp.
#pragma once

#include "store/sqlite.h"

namespace assay {

// Brings the schema of a run file from `version` (1 or later) to this one's. Call it inside a transaction.
void migrate(Database& db, int version);

}  // namespace assay
