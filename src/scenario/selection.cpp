#include "scenario/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/rng.h"
#include "base/text.h"
#include "scenario/crossing.h"

namespace assay {
namespace {

template <class T>
bool contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  std::string near = nearest(word, known);
  return near.empty() ? "there are " + joined(known, ", ") : fmt::format("did you mean '{}'?", near);
}

// What a scenario is, beside its factors: its text by that name; null for any other name.
const std::string* trait(const Scenario& scenario, const std::string& name) {
  return name == "scenario" ? &scenario.name : name == "family" ? &scenario.family : nullptr;
}

// Whether the suite's scenarios have the trait rather than a factor of that name.
bool is_trait(const Suite& suite, const std::string& name) {
  return trait(suite.scenarios.front(), name) && !contains(suite.factor_names(), name);
}

Status check_words(const Suite& suite, const Selection& selection) {
  const std::vector<std::string> known = suite.factor_names();
  std::vector<std::string> wrong;
  auto factor = [&](const std::string& name) {
    if (contains(known, name)) return true;
    wrong.push_back(fmt::format("no scenario has a factor '{}'; {}", for_terminal(name), did_you_mean(name, known)));
    return false;
  };
  for (const std::string& name : selection.factors) factor(name);
  for (const auto& [name, levels] : selection.only) {
    if (is_trait(suite, name)) {
      std::vector<std::string> there;
      for (const Scenario& scenario : suite.scenarios)
        if (!contains(there, *trait(scenario, name))) there.push_back(*trait(scenario, name));
      for (const std::string& text : levels)
        if (!contains(there, text))
          wrong.push_back(fmt::format("there is no {} '{}'; {}", name, for_terminal(text), did_you_mean(text, there)));
      continue;
    }
    if (!factor(name)) continue;
    const std::vector<std::string> there = suite.level_names(name);
    for (const std::string& level : levels)
      if (!contains(there, level))
        wrong.push_back(
            fmt::format("factor '{}' has no level '{}'; {}", name, for_terminal(level), did_you_mean(level, there)));
  }
  if (!wrong.empty()) return Error{joined(wrong, "\n")};
  return Done{};
}

// The levels of each factor of one scenario that are in play; nothing where the scenario is left out.
std::optional<std::vector<std::vector<int>>> in_play(const Suite& suite, const Scenario& scenario,
                                                     const Selection& selection) {
  for (const auto& [name, levels] : selection.only) {
    if (is_trait(suite, name) ? !contains(levels, *trait(scenario, name)) : !scenario.factor(name)) return std::nullopt;
  }
  std::vector<std::vector<int>> out;
  for (const Factor& factor : scenario.factors) {
    const bool crossed = selection.factors.empty() ? factor.crossed : contains(selection.factors, factor.name);
    auto kept = selection.only.find(factor.name);
    std::vector<int> levels;
    for (size_t l = 0; l < factor.levels.size(); ++l)
      if (kept == selection.only.end() || contains(kept->second, factor.levels[l].name))
        levels.push_back(static_cast<int>(l));
    if (levels.empty()) return std::nullopt;
    if (!crossed && kept == selection.only.end()) levels.resize(1);
    out.push_back(std::move(levels));
  }
  return out;
}

std::vector<LevelRow> rows_of(const std::vector<int>& counts, const Selection& selection, const Scenario& scenario,
                              uint64_t seed) {
  switch (selection.crossing) {
    case Selection::Crossing::full: return full_crossing(counts);
    case Selection::Crossing::pairwise: return pairwise_crossing(counts);
    case Selection::Crossing::random:
      return random_crossing(counts, selection.random_cells, derive_seed(seed, {"cells", scenario.name}));
  }
  return {};
}

Error too_large(const Scenario& scenario, const std::vector<std::vector<int>>& levels, int64_t cells) {
  std::vector<std::string> crossed;
  for (size_t f = 0; f < levels.size(); ++f)
    if (levels[f].size() > 1) crossed.push_back(scenario.factors[f].name);
  return {
      fmt::format("scenario '{}': {} crossed make {} cells; a scenario may have {} in one run. Cross fewer factors "
                  "(--factors), keep a part of the levels (--only), or draw some (--design pairwise, --design "
                  "random:200)",
                  scenario.name, joined(crossed, ", "), cells > 1'000'000 ? "over 1000000" : std::to_string(cells),
                  largest_selection)};
}

// The cells of one scenario; none where it is left out.
Result<std::vector<LevelRow>> cells_of(const Suite& suite, const Scenario& scenario, const Selection& selection,
                                       uint64_t seed) {
  const auto levels = in_play(suite, scenario, selection);
  if (!levels) return std::vector<LevelRow>{};
  std::vector<int> counts;
  for (const std::vector<int>& in : *levels) counts.push_back(static_cast<int>(in.size()));
  const int64_t all = combinations(counts, 1'000'000);
  if (selection.crossing == Selection::Crossing::full && all > largest_selection)
    return too_large(scenario, *levels, all);
  std::vector<LevelRow> rows = rows_of(counts, selection, scenario, seed);
  for (LevelRow& row : rows)
    for (size_t f = 0; f < row.size(); ++f) row[f] = (*levels)[f][static_cast<size_t>(row[f])];
  return rows;
}

}  // namespace

std::string crossing_text(const Selection& selection) {
  switch (selection.crossing) {
    case Selection::Crossing::full: return "full";
    case Selection::Crossing::pairwise: return "pairwise";
    case Selection::Crossing::random: return fmt::format("random:{}", selection.random_cells);
  }
  return "";
}

bool read_crossing(const std::string& text, Selection& selection) {
  constexpr std::string_view random = "random:";
  selection.random_cells = 0;
  if (text == "full") return selection.crossing = Selection::Crossing::full, true;
  if (text == "pairwise") return selection.crossing = Selection::Crossing::pairwise, true;
  if (!text.starts_with(random)) return false;
  auto [end, failed] = std::from_chars(text.data() + random.size(), text.data() + text.size(), selection.random_cells);
  selection.crossing = Selection::Crossing::random;
  return failed == std::errc{} && end == text.data() + text.size() && selection.random_cells >= 1 &&
         selection.random_cells <= largest_selection;
}

std::string describe(const Selection& selection) {
  if (selection.whole()) return "the default grid";
  std::vector<std::string> parts;
  parts.push_back(selection.factors.empty() ? "the default factors" : joined(selection.factors, ", ") + " crossed");
  for (const auto& [factor, levels] : selection.only)
    parts.push_back(fmt::format("only {}={}", factor, joined(levels, "|")));
  if (selection.crossing != Selection::Crossing::full) parts.push_back(crossing_text(selection));
  return joined(parts, "; ");
}

Json to_json(const Selection& selection) {
  return {{"factors", selection.factors}, {"only", selection.only}, {"crossing", crossing_text(selection)}};
}

Result<Selection> selection_from(const Json& json) {
  const Error wrong{"the cells that the run selected cannot be read"};
  auto names = [](const Json& list) {
    return list.is_array() && list.size() <= 1000 &&
           std::ranges::all_of(list, [](const Json& n) { return n.is_string(); });
  };
  if (!json.is_object() || !json.contains("factors") || !json.contains("only") || !json.contains("crossing"))
    return wrong;
  const Json &factors = json["factors"], &only = json["only"], &crossing = json["crossing"];
  if (!names(factors) || !only.is_object() || !crossing.is_string() || !std::ranges::all_of(only, names)) return wrong;
  Selection selection{factors.get<std::vector<std::string>>(), only.get<LevelFilter>()};
  if (!read_crossing(crossing.get<std::string>(), selection)) return wrong;
  return selection;
}

Status select(Suite& suite, const Selection& selection, uint64_t seed) {
  if (selection.whole()) return Done{};
  if (Status known = check_words(suite, selection); !known) return known;
  std::vector<std::vector<LevelRow>> chosen;
  for (const Scenario& scenario : suite.scenarios) {
    Result<std::vector<LevelRow>> cells = cells_of(suite, scenario, selection, seed);
    if (!cells) return cells.error();
    chosen.push_back(std::move(*cells));
  }
  if (std::ranges::all_of(chosen, [](const auto& cells) { return cells.empty(); }))
    return Error{fmt::format("no scenario has a cell for this: {}", describe(selection))};
  for (size_t s = 0; s < chosen.size(); ++s) {
    Scenario& scenario = suite.scenarios[s];
    for (size_t f = 0; f < scenario.factors.size(); ++f)
      scenario.factors[f].crossed =
          std::ranges::any_of(chosen[s], [&](const LevelRow& row) { return row[f] != chosen[s].front()[f]; });
    scenario.chosen = std::move(chosen[s]);
  }
  return Done{};
}

}  // namespace assay
