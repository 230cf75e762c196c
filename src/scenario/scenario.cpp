#include "scenario/scenario.h"

namespace assay {
namespace {

template <class T>
const T* named(const std::vector<T>& list, const std::string& name) {
  for (const T& item : list)
    if (item.name == name) return &item;
  return nullptr;
}

}  // namespace

const Party* Scenario::party(const std::string& wanted) const { return named(parties, wanted); }
const Factor* Scenario::factor(const std::string& wanted) const { return named(factors, wanted); }
const Agent* Scenario::agent(const std::string& wanted) const { return named(agents, wanted); }
const ActRule* Scenario::act(const std::string& wanted) const { return named(acts, wanted); }
const Scenario* Suite::scenario(const std::string& wanted) const { return named(scenarios, wanted); }
const Code* Suite::code(const std::string& wanted) const { return named(codes, wanted); }

}  // namespace assay
