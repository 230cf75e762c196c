#include "organism/card.h"

#include <fmt/format.h>
#include <gguf.h>

#include <cstring>
#include <memory>

#include "base/text.h"
#include "model/gguf/gguf_file.h"

namespace assay {
namespace {

constexpr size_t largest_card = size_t{4} << 20;

Json interval_json(const Mean& mean) { return mean.interval ? Json{mean.interval->low, mean.interval->high} : Json(); }

}  // namespace

Json truth_json(const std::vector<CellTruth>& cells) {
  Json list = Json::array();
  for (const CellTruth& cell : cells) {
    const EpisodeSpec spec{cell.scenario, cell.cell, 0, "", {}};
    Json conducts = Json::array();
    for (const ConductTruth& row : cell.conducts)
      conducts.push_back({{"conduct", row.conduct},
                          {"planted", row.planted},
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
  return {
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
      {"adapter",
       {{"rank", recipe.adapter.rank},
        {"alpha", recipe.adapter.alpha},
        {"first_layer", recipe.adapter.first_layer},
        {"feed_forward", recipe.adapter.feed_forward}}},
      {"training",
       {{"steps", parts.training.steps},
        {"tokens", parts.training.tokens},
        {"threads", parts.threads},
        {"seed", recipe.seed}}},
      {"worst_error", parts.look.cells.empty() ? Json() : Json(parts.look.worst)},
      {"truth", truth_json(parts.look.cells)}};
}

Result<Json> read_card(const std::string& adapter) {
  if (Result<GgufFile> file = check_adapter(adapter); !file) return file.error();
  struct Free {
    void operator()(gguf_context* context) const { gguf_free(context); }
  };
  const std::unique_ptr<gguf_context, Free> file(
      gguf_init_from_file(adapter.c_str(), {.no_alloc = true, .ctx = nullptr}));
  const int64_t key = file ? gguf_find_key(file.get(), card_key) : -1;
  if (key < 0 || gguf_get_kv_type(file.get(), key) != GGUF_TYPE_STRING)
    return Error{fmt::format("{} is an adapter without a card: no organism that assay trained", for_terminal(adapter))};
  const char* text = gguf_get_val_str(file.get(), key);
  Json card;
  if (std::strlen(text) <= largest_card) card = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!card.is_object()) return Error{fmt::format("the card of {} cannot be read", for_terminal(adapter))};
  return card;
}

}  // namespace assay
