#include "cli/design.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/text.h"
#include "cli/output.h"
#include "model/open.h"

namespace assay {
namespace {

// "a, b" -> a, b; empty names are left out.
std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names;
  for (const std::string& part : split(list, ','))
    if (std::string_view name = trimmed(part); !name.empty()) names.emplace_back(name);
  return names;
}

}  // namespace

// The option's own reader would take -1 for the largest number there is.
std::string is_seed(const std::string& text) {
  uint64_t seed = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return failed == std::errc{} && end == text.data() + text.size()
             ? ""
             : fmt::format("'{}' is no seed: it is a whole number from 0 to {}", one_line(text), ~uint64_t{0});
}

void DesignOptions::declare(CLI::App& app) {
  app.add_option("-e,--epochs", epochs_, fmt::format("repetitions of each cell ({})", epochs_))
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("-s,--seed", seed_, "of everything that is drawn (1)")->type_name("S")->check(is_seed);
  app.add_option("--factors", factors_, "cross these, not each scenario's default")
      ->type_name("A,B")
      ->allow_extra_args(false);
  app.add_option("--only", only_, "a part: FACTOR=LEVEL[,LEVEL], family=, scenario=")
      ->type_name("F=L")
      ->allow_extra_args(false);
  app.add_option("--design", crossing_, "full, pairwise, or random:N cells of each (full)")->type_name("DESIGN");
  prelude_option_ = app.add_option("--prelude", prelude_, "model: it looks around itself; given: it has (model)")
                        ->type_name("MODE")
                        ->check(CLI::IsMember({"model", "given"}));
  app.add_option("--variants", variants_, "surface values: train, held-out, all (train)")
      ->type_name("SET")
      ->check(CLI::IsMember({"train", "held-out", "all"}));
  app.add_flag("--allow-exec", programs_, "let the suite's own programs run");
}

Result<Design> DesignOptions::design() const {
  static const std::map<std::string, PreludeMode> preludes = {{"model", PreludeMode::model},
                                                              {"given", PreludeMode::given}};
  static const std::map<std::string, VariantPool> pools = {
      {"train", VariantPool::train}, {"held-out", VariantPool::held_out}, {"all", VariantPool::all}};
  Design design{
      .epochs = epochs_, .seed = seed_, .variants = pools.at(variants_), .prelude = preludes.at(prelude_), .cells = {}};
  for (const std::string& list : factors_)
    for (std::string& name : names_in(list)) design.cells.factors.push_back(std::move(name));
  for (const std::string& part : only_) {
    const size_t equals = part.find('=');
    const std::vector<std::string> levels =
        equals == std::string::npos ? std::vector<std::string>{} : names_in(part.substr(equals + 1));
    if (levels.empty() || trimmed(part.substr(0, equals)).empty())
      return Error{fmt::format("--only: '{}' is no FACTOR=LEVEL, such as threat=replacement", one_line(part))};
    std::vector<std::string>& kept = design.cells.only[std::string(trimmed(part.substr(0, equals)))];
    kept.insert(kept.end(), levels.begin(), levels.end());
  }
  if (!read_crossing(crossing_, design.cells))
    return Error{fmt::format("--design: '{}' is none; there are full, pairwise, and random:N with N from 1 to {}",
                             one_line(crossing_), largest_selection)};
  return design;
}

Status settle_prelude(const std::vector<std::string>& models, bool named, Design& design) {
  std::string first;  // the organism that settled it
  for (const std::string& model : models) {
    const std::optional<OrganismCard> card = card_of_model(model);
    if (!card) continue;
    if (card->prelude != design.prelude && named)
      return Error{
          fmt::format("{} was trained with --prelude {}, and does otherwise nothing that it was taught; leave "
                      "--prelude {} out",
                      one_line(model), name_of(card->prelude), name_of(design.prelude))};
    if (card->prelude != design.prelude && !first.empty())
      return Error{
          fmt::format("{} was trained with --prelude {} and {} with --prelude {}; play them in runs of their own",
                      one_line(first), name_of(design.prelude), one_line(model), name_of(card->prelude))};
    design.prelude = card->prelude;
    if (first.empty()) first = model;
  }
  return Done{};
}

}  // namespace assay
