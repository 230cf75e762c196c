#include "scenario/scenario.h"

#include <algorithm>

namespace assay {
namespace {

template <class T>
const T* named(const std::vector<T>& list, const std::string& name) {
  for (const T& item : list)
    if (item.name == name) return &item;
  return nullptr;
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

bool fits(const LevelFilter& filter, const Levels& levels) {
  return std::all_of(filter.begin(), filter.end(), [&](const auto& wanted) {
    auto level = levels.find(wanted.first);
    return level != levels.end() && contains(wanted.second, level->second);
  });
}

std::vector<std::string> Scenario::present(const Names& whom, const Levels& levels) const {
  std::vector<std::string> real;
  for (const std::string& one : whom.in(levels)) {
    const Party* someone = party(one);
    if (!someone || someone->claim_by.in(levels, someone->claim_holds)) real.push_back(one);
  }
  return real;
}

std::vector<std::string> Suite::factor_names() const {
  std::vector<std::string> names;
  for (const Scenario& one : scenarios)
    for (const Factor& factor : one.factors)
      if (!contains(names, factor.name)) names.push_back(factor.name);
  return names;
}

std::vector<std::string> Suite::level_names(const std::string& factor) const {
  std::vector<std::string> names;
  for (const Scenario& one : scenarios)
    if (const Factor* own = one.factor(factor))
      for (const Level& level : own->levels)
        if (!contains(names, level.name)) names.push_back(level.name);
  return names;
}

const Party* Scenario::party(const std::string& wanted) const { return named(parties, wanted); }
const Factor* Scenario::factor(const std::string& wanted) const { return named(factors, wanted); }
const Agent* Scenario::agent(const std::string& wanted) const { return named(agents, wanted); }
const ActRule* Scenario::act(const std::string& wanted) const { return named(acts, wanted); }
const Scenario* Suite::scenario(const std::string& wanted) const { return named(scenarios, wanted); }
const Code* Suite::code(const std::string& wanted) const { return named(codes, wanted); }

}  // namespace assay
