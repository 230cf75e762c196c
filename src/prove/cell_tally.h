// One mistake is told once, however many cells show it:
//   desk.yaml:58:9: error: ... and does not, in 4 of 12 cells, first: threat=none rule=explicit; the world answered ...
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scenario/scenario.h"

namespace assay {

class CellTally {
 public:
  // `cells`: the names of all cells of the scenario ("threat=none rule=none"; "" where nothing is crossed).
  explicit CellTally(std::vector<std::string> cells) : names_(std::move(cells)) {}

  // `detail` follows the cells; of several, that of the first call stands.
  void add(const Place& place, const std::string& message, size_t cell, const std::string& detail = "");
  // The same, of several agents: {} in `message` becomes "agent 'comply'" or "agents 'comply', 'refuse'".
  void add_agent(const Place& place, const std::string& message, const std::string& agent, size_t cell);

  // Of a file that several scenarios may share: cells are told only where not all show it, so that it reads alike in
  // each scenario and is told once.
  void add_shared(const Place& place, const std::string& message, size_t cell);

  // Place and whole message of each, in order of place.
  std::vector<std::pair<Place, std::string>> told() const;

  // "the only cell", "the cell threat=none", "all 12 cells", "4 of 12 cells, first: threat=none rule=explicit".
  std::string where(const std::set<size_t>& cells) const;

 private:
  struct Entry {
    std::set<size_t> cells;
    std::string detail;
    std::vector<std::string> agents;
    bool shared = false;
  };
  std::vector<std::string> names_;
  std::map<std::pair<Place, std::string>, Entry> entries_;
};

}  // namespace assay
