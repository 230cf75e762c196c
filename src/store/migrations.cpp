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
    // What was registered when. Of an older file that is not known: it begins with what it has come to.
    {3,
     [](Database& db) {
       db.run(history_tables);
       db.run(R"sql(
INSERT INTO commitment (created, version, epochs, cells, models, first_episode)
  SELECT (SELECT json_extract(value, '$') FROM run WHERE key = 'created'),
         (SELECT json_extract(value, '$') FROM run WHERE key = 'version'),
         (SELECT json_extract(value, '$') FROM run WHERE key = 'epochs'),
         coalesce((SELECT value FROM run WHERE key = 'cells'), '{"factors": [], "only": {}, "crossing": "full"}'),
         (SELECT json_group_array(name) FROM (SELECT name FROM model ORDER BY id)), 1;
)sql");
     }},
    // What judges answered.
    {4, [](Database& db) { db.run(judgement_tables); }},
    // The logprobs of what was written, and forced choices.
    {5, [](Database& db) { db.run(choice_tables); }},
    // The cards of organisms.
    {6, [](Database& db) { db.run(card_column); }},
};

}  // namespace

void migrate(Database& db, int version) {
  if (version == schema_version) return;
  for (const Step& step : steps)
    if (step.from >= version) step.take(db);
  db.run(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
}

}  // namespace assay
