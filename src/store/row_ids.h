// The rows of cells and models that episodes and forced choices point to.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "store/sqlite.h"

namespace assay {

class RowIds {
 public:
  explicit RowIds(Database& db);
  // The cell of that number in its scenario, which is stored if it is new. Inside a transaction.
  int64_t cell(const std::string& scenario, int64_t cell, const std::map<std::string, std::string>& levels);
  // A model that was not registered fails the connection.
  int64_t model(const std::string& name);

 private:
  Database& db_;
  Statement find_model_, find_cell_, add_cell_;
  std::map<std::pair<std::string, int64_t>, int64_t> cells_;
  std::map<std::string, int64_t> models_;
};

}  // namespace assay
