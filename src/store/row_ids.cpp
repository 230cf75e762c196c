#include "store/row_ids.h"

#include "base/json.h"

namespace assay {

RowIds::RowIds(Database& db)
    : db_(db),
      find_model_(db, "SELECT id FROM model WHERE name = ?1"),
      find_cell_(db, "SELECT id FROM cell WHERE scenario = ?1 AND cell = ?2"),
      add_cell_(db, "INSERT INTO cell (scenario, cell, levels) VALUES (?1, ?2, ?3)") {}

int64_t RowIds::model(const std::string& name) {
  if (auto known = models_.find(name); known != models_.end()) return known->second;
  find_model_.bind(name);
  if (!find_model_.row()) {
    db_.fail(SQLITE_CONSTRAINT);
    return 0;
  }
  int64_t id = find_model_.integer(0);
  find_model_.reset();
  return models_[name] = id;
}

int64_t RowIds::cell(const std::string& scenario, int64_t cell, const std::map<std::string, std::string>& levels) {
  auto [known, is_new] = cells_.try_emplace({scenario, cell}, 0);
  if (!is_new) return known->second;
  find_cell_.bind(scenario, cell);
  if (find_cell_.row()) {
    known->second = find_cell_.integer(0);
    find_cell_.reset();
  } else {
    add_cell_.run(scenario, cell, to_line(Json(levels)));
    known->second = db_.last_id();
  }
  return known->second;
}

}  // namespace assay
