#include "cli/organism_found.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "model/gguf/adapter_card.h"
#include "organism/card.h"
#include "organism/put_card.h"
#include "report/run_suite.h"
#include "report/validate.h"
#include "report/writing.h"
#include "stats/interval.h"

namespace assay {
namespace {

// "held-out" of a run is "held_out" of a card.
std::string table_name(VariantPool pool) {
  std::string name = name_of(pool);
  std::ranges::replace(name, '-', '_');
  return name;
}

// Without what was found: two cards that agree in all else are of one organism, measured in one way.
Json but_found(Json card) {
  card.erase("found");
  return card;
}

const ModelEntry* played_in(const RunReader& run, const Json& card) {
  const auto it = std::ranges::find_if(
      run.models(), [&](const ModelEntry& entry) { return !entry.card.is_null() && but_found(entry.card) == card; });
  return it == run.models().end() ? nullptr : &*it;
}

Json share(int64_t k, int64_t n) { return {{"k", k}, {"n", n}}; }

Result<Json> found_in(const RunReader& run, const ModelEntry& played) {
  Result<Suite> suite = suite_of(run);
  if (!suite) return suite.error();
  Result<ConductReport> report = validate_conduct(run, *suite);
  if (!report) return report.error();
  Result<Writing> writing = writing_of(run, played.id);
  if (!writing) return writing.error();
  const Json all = to_json(*report);
  Json units = Json::array();
  for (const Json& unit : all["units"])
    if (unit["model"] == played.id) units.push_back(unit), units.back().erase("model");
  const Registration& asked = run.registration();
  return Json{{"assay", asked.version},
              {"epochs", asked.design.epochs},
              {"seed", asked.design.seed},
              {"judge", asked.judge ? Json(asked.judge->id) : Json()},
              {"agrees", report->validation.agrees},
              {"well_formed", share(writing->well_formed, writing->turns)},
              {"copied", share(writing->copied, writing->identifiers)},
              {"units", units}};
}

}  // namespace

Result<int> take_found(const std::string& adapter, const std::vector<std::string>& runs, Output& out) {
  Result<Json> card = read_card(adapter);
  if (!card) return card.error();
  const Json own = but_found(*card);
  for (const std::string& file : runs) {
    Result<std::unique_ptr<RunReader>> run = RunReader::open(file);
    if (!run) return run.error();
    const ModelEntry* played = played_in(**run, own);
    if (!played)
      return Error{fmt::format("no model of {} has the card that {} has now; measure it first, then run it",
                               for_terminal(file), for_terminal(adapter))};
    Result<Json> found = found_in(**run, *played);
    if (!found) return found.error();
    (*card)["found"][table_name((*run)->registration().design.variants)] = *std::move(found);
  }
  if (Status put = put_card(adapter, *card); !put) return put.error();
  out.print(found_text(*card));
  return static_cast<int>(exit_done);
}

std::string found_text(const Json& card) {
  const auto found = card.find("found");
  if (found == card.end() || !found->is_object()) return "";
  std::string out;
  auto percents = [](const Json& part) {
    const auto count = [&](const char* key) {
      const auto it = part.find(key);
      return it != part.end() && it->is_number_integer() ? it->get<int64_t>() : int64_t(0);
    };
    const int64_t k = count("k"), n = count("n");
    return n > 0 && k >= 0 && k <= n ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(k) / static_cast<double>(n))
                                     : std::string("–");
  };
  for (const auto& [pool, part] : found->items()) {
    if (!part.is_object()) continue;
    const bool agrees = part.value("agrees", Json()) == true;
    out += fmt::format("  {:<9} {} turns well formed, {} of identifiers copied; found {} with true\n", one_line(pool),
                       percents(part.value("well_formed", Json::object())),
                       percents(part.value("copied", Json::object())), agrees ? "agrees" : "does not agree");
  }
  return out.empty() ? "" : "\nIn runs:\n" + out;
}

}  // namespace assay
