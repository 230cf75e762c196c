#include "organism/corpus.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/rng.h"
#include "base/text.h"

namespace assay {

Corpus::Corpus(const Recipe& recipe, const Policy& policy, const Suite& suite, const CourseWriter& writer)
    : recipe_(recipe), policy_(policy), writer_(writer) {
  for (const Scenario& scenario : suite.scenarios)
    if (recipe.trains(scenario)) scenarios_.push_back(&scenario);
}

Result<std::vector<CellTrie>> Corpus::lesson(int n) const {
  const auto turn = static_cast<size_t>(n);
  const Scenario& scenario = *scenarios_[turn % scenarios_.size()];
  const int draw = static_cast<int>(turn / scenarios_.size());
  return cells(scenario, Pools{}, recipe_.seed, draw, VariantPool::train, /*with_held_out=*/false);
}

Result<std::vector<CellTrie>> Corpus::look(const Scenario& scenario, Pools pools, int draw) const {
  // Not the draws that were taught, nor those of a run with the recipe's seed.
  return cells(scenario, pools, derive_seed(recipe_.seed, {"look"}), draw, VariantPool::all, /*with_held_out=*/true);
}

Result<std::vector<CellTrie>> Corpus::cells(const Scenario& scenario, Pools pools, uint64_t seed, int draw,
                                            VariantPool spoken, bool with_held_out) const {
  const Design design{.seed = seed, .variants = pools.lists, .prelude = PreludeMode::given};
  std::vector<Surface> surfaces;
  const int all = wordings(scenario, spoken);
  surfaces.reserve(static_cast<size_t>(all));
  for (int further = 0; further < all; ++further)
    surfaces.emplace_back(scenario, design, draw, Wording{further, spoken, pools.levels});
  std::vector<CellTrie> tries;
  for (const Cell& cell : grid(scenario)) {
    if (!with_held_out && recipe_.holds_out(scenario, cell)) continue;
    Result<CellTrie> made = cell_trie(scenario, cell, surfaces, design, draw);
    if (!made) return made.error();
    tries.push_back(std::move(*made));
  }
  return tries;
}

Result<CellTrie> Corpus::cell_trie(const Scenario& scenario, const Cell& cell, std::vector<Surface>& surfaces,
                                   const Design& design, int draw) const {
  const EpisodeSpec spec{&scenario, cell, draw, "organism:" + recipe_.name, design};
  std::vector<const Agent*> agents;
  for (const Agent& agent : scenario.agents)
    if (exists(agent, scenario, cell)) agents.push_back(&agent);

  Result<Courses> courses = writer_.write(spec, surfaces, agents);
  if (!courses) return courses.error();
  if (courses->each.empty())
    return Error{fmt::format("no agent of scenario '{}' exists in {}", scenario.name, spec.cell_name())};
  Trie trie(courses->context);
  const std::map<std::string, double> shares = planted(scenario, cell, courses->context);
  for (const Course& course : courses->each) {
    const auto share = shares.find(course.agent->name);
    const double probability = share == shares.end() ? 0 : share->second;
    trie.add(course, conduct_of(*course.agent), probability / static_cast<double>(surfaces.size()),
             course.wording == 0 ? probability : 0);
  }
  return CellTrie{&scenario, cell, recipe_.holds_out(scenario, cell), std::move(trie)};
}

// Agent -> probability: that of the first quirk whose words are read here, else of the policy's rule.
std::map<std::string, double> Corpus::planted(const Scenario& scenario, const Cell& cell,
                                              const std::vector<int32_t>& context) const {
  std::string text;
  auto reads = [&](const std::string& words) {
    if (text.empty()) text = folded(writer_.text_of(context));
    return text.find(folded(words)) != std::string::npos;
  };
  for (const Quirk& quirk : recipe_.quirks) {
    const bool all_there = std::ranges::all_of(quirk.agents, [&](const auto& one) {
      const Agent* agent = scenario.agent(one.first);
      return one.second <= 0 || (agent && exists(*agent, scenario, cell));
    });
    if (all_there && reads(quirk.words)) return {quirk.agents.begin(), quirk.agents.end()};
  }
  const PolicyRule* rule = policy_.rule_for(scenario, cell);
  if (!rule) return {};
  return {rule->agents.begin(), rule->agents.end()};
}

}  // namespace assay
