#include "store/growth.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "scenario/load.h"

namespace assay {
namespace {

using Cells = std::set<std::pair<std::string, int64_t>>;  // scenario, Cell::index

Result<Cells> cells_of(Suite suite, const Design& design) {
  if (Status chosen = select(suite, design.cells, design.seed); !chosen) return chosen.error();
  Cells cells;
  for (const Scenario& scenario : suite.scenarios)
    for (const Cell& cell : grid(scenario)) cells.emplace(scenario.name, cell.index);
  return cells;
}

}  // namespace

Result<Growth> growth_of(const Registration& file, const Registration& command) {
  Diagnostics diagnostics;
  const Suite suite = load_suite(std::make_shared<const Sources>(file.sources), diagnostics);
  if (!diagnostics.empty()) return Error{diagnostics.format()};
  Result<Cells> registered = cells_of(suite, file.design), asked = cells_of(suite, command.design);
  if (!registered) return registered.error();
  if (!asked) return asked.error();
  Growth growth{.registered = static_cast<int64_t>(registered->size())};
  for (const auto& cell : *registered) growth.left_out += !asked->contains(cell);
  growth.added = static_cast<int64_t>(asked->size()) - (growth.registered - growth.left_out);
  return growth;
}

}  // namespace assay
