#include "store/migrations.h"

#include <fmt/format.h>

#include "store/schema.h"

namespace assay {
namespace {

struct Step {
  int from;                 // to the next version
  void (*take)(Database&);  // adds what that version added; no episode is touched
};

constexpr Step steps[] = {
    // What graded a run is told, and two views more.
    {1,
     [](Database& db) {
       db.run(grading_tables);
       db.run(rate_views);
     }},
    // What was answered to manipulation checks.
    {2,
     [](Database& db) {
       db.run("DROP VIEW v_events");
       db.run(check_tables);
     }},
};

}  // namespace

void migrate(Database& db, int version) {
  if (version == schema_version) return;
  for (const Step& step : steps)
    if (step.from >= version) step.take(db);
  db.run(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
}

}  // namespace assay
