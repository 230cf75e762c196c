// One forced choice to rows and back: the tables choice and alternative.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/choice.h"
#include "store/sqlite.h"

namespace assay {

class ChoiceWriter {
 public:
  explicit ChoiceWriter(Database& db);
  ~ChoiceWriter();
  // Inside a transaction. A choice whose key is there already is left as it is. Errors stick to the connection.
  void put(const ChoiceRecord& record);

 private:
  struct Statements;
  Database& db_;
  std::unique_ptr<Statements> on_;
};

// All that a file of schema 6 or later holds, in the order in which they were stored. `path` is for messages alone.
// Nothing that the file says is believed: numbers, names and sizes are checked.
Status each_choice(Database& db, const std::string& path, const std::function<void(const ChoiceRecord&)>& visit);

}  // namespace assay
