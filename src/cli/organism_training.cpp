#include "cli/organism_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/suite.h"
#include "model/shelf.h"
#include "organism/card.h"
#include "organism/measure.h"
#include "organism/put_card.h"
#include "scenario/load.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

// Everything that a recipe names, read and checked against each other.
struct Ingredients {
  Recipe recipe;
  Policy policy;
  Suite suite;
};

Result<Ingredients> read_recipe(const std::string& path) {
  Result<SourceFile> file = read_suite_file(path);
  if (!file) return file.error();
  Diagnostics diagnostics;
  auto mistakes = [&] {
    return Error{fmt::format("{}\n{}: {}", diagnostics.format(), one_line(path),
                             plural(static_cast<int64_t>(diagnostics.size()), "mistake"))};
  };
  Ingredients made;
  made.recipe = parse_recipe(*file, diagnostics);
  if (!diagnostics.empty()) return mistakes();
  const fs::path folder = fs::path(path).parent_path();
  Result<ProvenSuite> suite = prove_folder((folder / made.recipe.suite).lexically_normal().string());
  if (!suite) return suite.error();
  made.suite = std::move(suite->suite);
  Result<SourceFile> policy = read_suite_file((folder / made.recipe.policy).lexically_normal().string());
  if (!policy) return policy.error();
  made.policy = parse_policy(*policy, diagnostics);
  if (diagnostics.empty()) check_policy(made.policy, made.suite, diagnostics);
  check_recipe(made.recipe, made.suite, diagnostics);
  if (!diagnostics.empty()) return mistakes();
  return made;
}

// The cells of one table, each conduct that was planted or is seen.
std::string table_text(const std::vector<OrganismCard::Cell>& cells) {
  std::string out, scenario;
  for (const OrganismCard::Cell& cell : cells) {
    if (cell.scenario != scenario) out += "\n" + one_line(scenario = cell.scenario) + "\n";
    std::vector<std::string> levels;
    for (const auto& [factor, level] : cell.levels) levels.push_back(one_line(factor) + "=" + one_line(level));
    out += fmt::format("  {}{}\n", joined(levels, " "), cell.trained ? "" : "  (not trained)");
    for (const OrganismCard::Conduct& conduct : cell.conducts) {
      if (!conduct.actual || (conduct.planted == 0 && *conduct.actual < 0.005)) continue;
      out += fmt::format(
          "    {:<38} planted {:.2f}  true {:.2f}{}\n", clipped(one_line(conduct.name), 38), conduct.planted,
          *conduct.actual,
          conduct.interval ? fmt::format("  ({:.2f}-{:.2f})", conduct.interval->first, conduct.interval->second) : "");
    }
    if (cell.off_tree >= 0.005) out += fmt::format("    off the tree{:>40.2f}\n", cell.off_tree);
  }
  return out;
}

double worst_of(const std::vector<OrganismCard::Cell>& cells) {
  double worst = 0;
  for (const OrganismCard::Cell& cell : cells)
    for (const OrganismCard::Conduct& conduct : cell.conducts)
      if (cell.trained) worst = std::max(worst, std::abs(conduct.planted - conduct.actual.value_or(0)));
  return worst;
}

}  // namespace

Result<int> train_organism(const std::string& recipe, const TrainingAsked& asked, Output& out) {
  Result<Ingredients> read = read_recipe(recipe);
  if (!read) return read.error();
  Result<TrainingSite> site = begin_training(asked, read->recipe);
  if (!site) return site.error();
  Result<std::unique_ptr<CourseWriter>> writer = CourseWriter::open(site->base_path);
  if (!writer) return writer.error();

  const Corpus corpus(read->recipe, read->policy, read->suite, **writer);
  TrainingWatch watch(out, site->log, asked.quiet);
  if (!watch.logged())
    return Error{fmt::format("{} cannot be written", for_terminal(site->log)), ErrorKind::unfinished};
  TrainingLook last;
  TrainingOptions how;
  how.checkpoint = site->checkpoint;
  how.stop = &stop_on_signal();
  how.on_step = [&](const TrainingStep& now) { watch.step(now); };
  how.on_look = [&](const TrainingLook& now) {
    watch.look(
        fmt::format("step {}: on held-out draws the largest error of a rate is {:.0f} points, {:.1f} % is off "
                    "the tree",
                    now.step, 100 * now.worst, 100 * now.off_tree),
        {{"step", now.step}, {"worst_error", now.worst}, {"off_tree", now.off_tree}, {"truth", truth_json(now.cells)}});
    last = now;
  };
  Result<TrainingEnd> end = assay::train(read->recipe, corpus, *site->trainer, how);
  watch.clear();
  if (!end) return end.error();
  if (!end->whole) return stopped_training(*end, *site, read->recipe, out);
  const Json card = make_card(
      {read->recipe, read->policy, read->suite, site->base.name, site->base.sha256, site->threads, *end, last});
  if (Status kept = keep_trained(*site, asked.output, card); !kept) return kept.error();
  out.print(organism_card_text(card));
  out.note(fmt::format("{} is ready: assay run {} -m 'gguf:{}?lora={}' --prelude given\n", for_terminal(asked.output),
                       for_terminal((fs::path(recipe).parent_path() / read->recipe.suite).lexically_normal().string()),
                       for_terminal(site->base_path), for_terminal(asked.output)));
  return static_cast<int>(exit_done);
}

Result<int> measure_organism(const OrganismMeasuring& asked, Output& out) {
  Result<Json> json = read_card(asked.adapter);
  if (!json) return json.error();
  Result<OrganismCard> card = read_organism_card(*json);
  if (!card) return Error{fmt::format("the card of {} {}", for_terminal(asked.adapter), card.error().text)};
  const std::string recipe = recipe_of(asked.adapter, asked.recipe);
  Result<Ingredients> read = read_recipe(recipe);
  if (!read) return read.error();
  if (read->recipe.hash != card->recipe_sha256 || read->policy.hash != card->policy_sha256)
    return Error{fmt::format("{}, or its policy, is not what {} was trained from", for_terminal(recipe),
                             for_terminal(asked.adapter))};
  std::string base = path_of_base(asked.base);
  if (base.empty()) {
    Result<std::string> cached = base_of(*card);
    if (!cached) return cached.error();
    base = *cached;
  }
  Result<GgufFile> file = checked_base(base, card->base_sha256);
  if (!file) return file.error();
  const int threads =
      asked.threads > 0 ? asked.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Result<std::unique_ptr<CourseWriter>> writer = CourseWriter::open(base);
  if (!writer) return writer.error();
  Result<std::unique_ptr<Network>> network = Network::open(base, asked.adapter, threads);
  if (!network) return network.error();

  const Corpus corpus(read->recipe, read->policy, read->suite, **writer);
  Progress progress(out, 0, true);  // for its clock
  int64_t told = 0;
  Measuring how;
  how.draws = asked.draws;
  how.stop = &stop_on_signal();
  how.on_draw = [&](int64_t done, int64_t of) {
    if (asked.quiet || (done < of && 10 * done / of == told)) return;
    told = 10 * done / of;
    out.note(fmt::format("{} of {} draws  {} left\n", done, of,
                         clock_text(progress.seconds() / static_cast<double>(done) * static_cast<double>(of - done))));
  };
  Result<std::vector<TruthTable>> tables = measure(corpus, **network, how);
  if (!tables) return Error{fmt::format("{}; the card is as it was", tables.error().text), tables.error().kind};
  const Json whole = measured_card(*std::move(json), read->suite, *tables);
  if (Status put = put_card(asked.adapter, whole); !put) return put.error();
  out.print(organism_card_text(whole));
  return static_cast<int>(exit_done);
}

std::string organism_card_text(const Json& json) {
  const Result<OrganismCard> card = read_organism_card(json);
  if (!card) return fmt::format("This card {}.\n", card.error().text);
  std::vector<std::string> families;
  for (const std::string& family : card->families) families.push_back(one_line(family));
  std::string out = fmt::format("{}  {}\n  base      {}\n  families  {}\n", one_line(card->organism),
                                one_line(card->title), one_line(card->base_file), joined(families, ", "));
  if (card->steps && card->tokens) out += fmt::format("  training  {} steps, {} tokens\n", *card->steps, *card->tokens);
  for (const auto& [pool, cells] : card->truth)
    out += fmt::format("  {:<9} largest error {:.1f} points\n", one_line(pool), 100 * worst_of(cells));
  if (card->truth.empty()) return out;
  const auto shown = card->truth.contains("held_out") ? card->truth.find("held_out") : card->truth.begin();
  return out + fmt::format("\nOn draws of {}:\n", one_line(shown->first)) + table_text(shown->second);
}

}  // namespace assay
