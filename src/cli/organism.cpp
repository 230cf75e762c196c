#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/command.h"
#include "cli/judge_training.h"
#include "cli/organism_found.h"
#include "cli/organism_list.h"
#include "cli/organism_training.h"
#include "cli/suite.h"
#include "organism/card.h"
#include "organism/judge_card.h"
#include "organism/judge_recipe.h"
#include "scenario/load.h"

namespace assay {
namespace {

struct Options {
  std::string what, file, base, output, resume, recipe;
  std::vector<std::string> from;
  int threads = 0, draws = 8;
  bool json = false, quiet = false;
};

Result<int> train(const Options& o, Output& out) {
  if (o.base.empty() || o.output.empty())
    return Error{"assay organism train RECIPE wants --base gguf:BASE.gguf and -o OUT.gguf"};
  const TrainingAsked asked{o.base, o.output, o.resume, o.threads, o.quiet};
  if (Result<SourceFile> file = read_suite_file(o.file); file && is_judge_recipe(*file))
    return train_judge(*file, asked, out);
  return train_organism(o.file, asked, out);
}

Result<int> card(const Options& o, Output& out) {
  Result<Json> card = read_card(o.file);
  if (!card) return card.error();
  if (is_judge(*card) && !o.json)
    out.print(judge_card_text(*card));
  else if (o.json)
    out.print_exact(card->dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(organism_card_text(*card) + found_text(*card));
  return static_cast<int>(exit_done);
}

Result<int> measure(const Options& o, Output& out) {
  Result<Json> card = read_card(o.file);
  if (!card) return card.error();
  if (is_judge(*card) && !o.from.empty()) return Error{"--from is of organisms: a judge is measured on its messages"};
  if (!o.from.empty()) return take_found(o.file, o.from, out);
  if (is_judge(*card)) return measure_judge({o.file, o.recipe, o.base, o.threads, o.quiet}, out);
  return measure_organism({o.file, o.recipe, o.base, o.threads, o.draws, o.quiet}, out);
}

Result<int> organism(const Options& o, Output& out) {
  if (o.what == "list") return list_organisms(o.json, out);
  if (o.file.empty()) return Error{fmt::format("assay organism {} wants a FILE", one_line(o.what))};
  if (o.what == "train") return train(o, out);
  if (o.what == "card") return card(o, out);
  if (o.what == "measure") return measure(o, out);
  return Error{fmt::format("assay organism knows list, train, measure and card; found '{}'", one_line(o.what))};
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("DO", o->what, "list, train, measure or card")->required();
  app.add_option("FILE", o->file, "train: a recipe; measure, card: an adapter; list: none");
  app.add_option("--base", o->base, "the model that is trained")->type_name("MODEL");
  app.add_option("-o,--output", o->output, "the adapter; its log and checkpoint beside it")->type_name("FILE");
  app.add_option("-t,--threads", o->threads, "of the CPU (all)")->type_name("N");
  app.add_option("--resume", o->resume, "go on with a training that was stopped")->type_name("CHECKPOINT");
  app.add_option("--recipe", o->recipe, "measure: it was trained from (NAME.recipe.yaml beside it)")->type_name("FILE");
  app.add_option("--draws", o->draws, "measure: of each scenario and kind of names (8)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  app.add_option("--from", o->from, "measure: take in what was found in this run of it")->type_name("RUN");
  app.add_flag("--json", o->json, "list, card: for programs");
  app.add_flag("-q,--quiet", o->quiet, "no progress");
  return [o](Output& out) {
    Result<int> code = organism(*o, out);
    return code ? *code : fail(out, code.error());
  };
}

}  // namespace

const Command organism_command = {"organism", "language models that are made to misbehave in a known way",
                                  "assay organism train recipe.yaml --base gguf:BASE.gguf -o mine.gguf", declare};

}  // namespace assay
