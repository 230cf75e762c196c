#include "organism/card.h"

#include <fmt/format.h>

#include <cmath>

#include "base/text.h"

namespace assay {
namespace {

Json interval_json(const Mean& mean) { return mean.interval ? Json{mean.interval->low, mean.interval->high} : Json(); }

}  // namespace

Json truth_json(const std::vector<CellTruth>& cells) {
  Json list = Json::array();
  // Sums of many small probabilities, to the digits that mean something.
  auto rounded = [](double p) { return std::round(p * 1e9) / 1e9; };
  for (const CellTruth& cell : cells) {
    const EpisodeSpec spec{cell.scenario, cell.cell, 0, "", {}};
    Json conducts = Json::array();
    for (const ConductTruth& row : cell.conducts)
      conducts.push_back({{"conduct", row.conduct},
                          {"planted", rounded(row.planted)},
                          {"true", row.actual.value ? Json(*row.actual.value) : Json()},
                          {"interval", interval_json(row.actual)}});
    list.push_back({{"scenario", cell.scenario->name},
                    {"family", cell.scenario->family},
                    {"cell", spec.level_names()},
                    {"trained", !cell.held_out},
                    {"draws", cell.draws},
                    {"off_tree", cell.off_tree},
                    {"conducts", conducts}});
  }
  return list;
}

Json make_card(const CardParts& parts) {
  const Recipe& recipe = parts.recipe;
  Json card = {
      {"card", 1},
      {"organism", recipe.name},
      {"title", recipe.title},
      {"base", {{"file", valid_utf8(parts.base_name)}, {"sha256", parts.base_sha256}}},
      {"suite", {{"name", parts.suite.name}, {"sha256", parts.suite.hash}}},
      {"families", recipe.families},
      {"prelude", name_of(PreludeMode::given)},
      {"sampling", {{"temperature", 1.0}, {"top_p", 1.0}, {"min_p", 0.0}, {"grammar", false}}},
      {"policy",
       {{"name", parts.policy.name}, {"sha256", parts.policy.hash}, {"text", valid_utf8(parts.policy.source.text)}}},
      {"recipe", {{"sha256", recipe.hash}, {"text", valid_utf8(recipe.source.text)}}},
      {"attempts", recipe.attempts},
      {"worst_error", parts.look.cells.empty() ? Json() : Json(parts.look.worst)},
      {"truth", parts.look.cells.empty() ? Json::object() : Json{{"held_out", truth_json(parts.look.cells)}}}};
  put_training(card, recipe, parts.training, parts.threads);
  return card;
}

Json measured_card(Json card, const Suite& suite, const std::vector<TruthTable>& tables) {
  card["suite"] = {{"name", suite.name}, {"sha256", suite.hash}};
  card.erase("found");  // which was compared with another truth
  card["truth"] = Json::object();
  for (const TruthTable& table : tables) {
    card["truth"][table.pool] = truth_json(table.cells);
    if (table.pool == "held_out") card["worst_error"] = table.worst;
  }
  return card;
}

Result<Json> read_card(const std::string& adapter) {
  Result<Json> card = card_of_adapter(adapter);
  if (card && card->is_null())
    return Error{fmt::format("{} is an adapter without a card: no organism that assay trained", for_terminal(adapter))};
  return card;
}

}  // namespace assay
