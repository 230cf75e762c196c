#include "prove/cell_tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay {

void CellTally::add(const Place& place, const std::string& message, size_t cell, const std::string& detail) {
  auto [entry, fresh] = entries_.try_emplace({place, message});
  entry->second.cells.insert(cell);
  if (fresh) entry->second.detail = detail;
}

void CellTally::add_agent(const Place& place, const std::string& message, const std::string& agent, size_t cell) {
  Entry& entry = entries_[{place, message}];
  entry.cells.insert(cell);
  std::string quoted = fmt::format("'{}'", agent);
  if (std::find(entry.agents.begin(), entry.agents.end(), quoted) == entry.agents.end())
    entry.agents.push_back(std::move(quoted));
}

void CellTally::add_shared(const Place& place, const std::string& message, size_t cell) {
  Entry& entry = entries_[{place, message}];
  entry.cells.insert(cell);
  entry.shared = true;
}

std::vector<std::pair<Place, std::string>> CellTally::told() const {
  std::vector<std::pair<Place, std::string>> told;
  for (const auto& [key, entry] : entries_) {
    std::string message = key.second;
    if (!entry.agents.empty())
      message.replace(message.find("{}"), 2,
                      (entry.agents.size() == 1 ? "agent " : "agents ") + joined(entry.agents, ", "));
    if (!entry.shared || entry.cells.size() < names_.size()) message += fmt::format(", in {}", where(entry.cells));
    told.emplace_back(key.first, message + entry.detail);
  }
  return told;
}

std::string CellTally::where(const std::set<size_t>& cells) const {
  const std::string& first = names_[*cells.begin()];
  if (names_.size() == 1) return "the only cell";
  if (cells.size() == names_.size()) return fmt::format("all {} cells", names_.size());
  if (cells.size() == 1) return fmt::format("the cell {}", first);
  return fmt::format("{} of {} cells, first: {}", cells.size(), names_.size(), first);
}

}  // namespace assay
