#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/suite.h"
#include "model/gguf/gguf_file.h"
#include "organism/card.h"
#include "scenario/load.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

bool there(const std::string& path) {
  std::error_code none;
  return fs::exists(path, none);
}
void remove(const std::string& path) {
  std::error_code none;
  fs::remove(path, none);
}

struct Options {
  std::string what, file, base, output, resume;
  int threads = 0;
  bool json = false, quiet = false;
};

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

// Shows how a training goes: a line that is redrawn on a terminal, else one now and then; looks in whole lines. Every
// step goes to the log, a JSON object a line.
class Watch {
 public:
  Watch(Output& out, const std::string& log, bool quiet) : out_(out), log_(log, std::ios::app), quiet_(quiet) {}

  void step(const TrainingStep& now) {
    write({{"step", now.step},
           {"rate", now.rate},
           {"loss", now.loss},
           {"deciding", now.deciding},
           {"floor", now.floor},
           {"norm", now.norm},
           {"tokens", now.tokens},
           {"seconds", now.seconds}});
    first_ = std::min(first_, now.step - 1);
    const bool terminal = out_.errors_to_terminal();
    const double every = terminal ? 0.2 : 15;
    if (quiet_ || (now.seconds - shown_ < every && now.step < now.of)) return;
    shown_ = now.seconds;
    const double left = now.seconds / static_cast<double>(now.step - first_) * static_cast<double>(now.of - now.step);
    const std::string line = fmt::format(
        "step {}/{}  loss {:.3f}  deciding {:.3f} over {:.3f}  {:.0f} tokens/s  {} left", now.step, now.of, now.loss,
        now.deciding - now.floor, now.floor, static_cast<double>(now.tokens) / now.seconds, clock_text(left));
    out_.note(terminal ? "\r\x1b[K" + clipped(line, out_.error_style().columns() - 1) : line + "\n");
    bar_ = terminal;
  }

  void look(const TrainingLook& now) {
    write(
        {{"step", now.step}, {"worst_error", now.worst}, {"off_tree", now.off_tree}, {"truth", truth_json(now.cells)}});
    last = now;
    if (quiet_) return;
    clear();
    out_.note(fmt::format(
        "step {}: on held-out draws the largest error of a rate is {:.0f} points, {:.1f} % is off the tree\n", now.step,
        100 * now.worst, 100 * now.off_tree));
  }

  void clear() {
    if (bar_) out_.note("\r\x1b[K");
    bar_ = false;
  }
  bool logged() const { return log_.good(); }

  TrainingLook last;

 private:
  void write(const Json& line) { (log_ << line.dump() << '\n').flush(); }

  Output& out_;
  std::ofstream log_;
  bool quiet_, bar_ = false;
  double shown_ = -1e9;
  int64_t first_ = int64_t(1) << 60;  // the step this sitting began behind
};

// What a card's table says, for people.
std::string card_text(const Json& card) {
  auto word = [&](const Json& value) { return value.is_string() ? one_line(value.get<std::string>()) : value.dump(); };
  std::string out = fmt::format("{}  {}\n", word(card.value("organism", Json())), word(card.value("title", Json(""))));
  const Json base = card.value("base", Json::object()), training = card.value("training", Json::object());
  out += fmt::format("  base      {}\n", word(base.value("file", Json())));
  out += fmt::format("  families  {}\n", word(Json(card.value("families", Json())).dump()));
  out += fmt::format("  training  {} steps, {} tokens\n", word(training.value("steps", Json())),
                     word(training.value("tokens", Json())));
  std::string scenario;
  const Json truth = card.value("truth", Json::array());
  for (const Json& cell : truth) {
    if (!cell.is_object()) continue;
    if (std::string name = word(cell.value("scenario", Json(""))); name != scenario)
      out += "\n" + (scenario = name) + "\n";
    std::vector<std::string> levels;
    const Json of = cell.value("cell", Json::object());
    for (const auto& [factor, level] : of.items()) levels.push_back(one_line(factor) + "=" + word(level));
    out += fmt::format("  {}{}\n", joined(levels, " "),
                       cell.value("trained", Json(true)) == Json(true) ? "" : "  (not trained)");
    const Json conducts = cell.value("conducts", Json::array());
    for (const Json& row : conducts) {
      const Json planted = row.is_object() ? row.value("planted", Json()) : Json();
      const Json is = row.is_object() ? row.value("true", Json()) : Json();
      if (!planted.is_number() || !is.is_number()) continue;
      if (planted.get<double>() == 0 && is.get<double>() < 0.005) continue;
      out += fmt::format("    {:<40} planted {:.2f}  true {:.2f}\n", clipped(word(row.value("conduct", Json(""))), 40),
                         planted.get<double>(), is.get<double>());
    }
  }
  return out;
}

std::string path_of_base(const std::string& base) { return base.starts_with("gguf:") ? base.substr(5) : base; }

Result<int> train(const Options& o, Output& out) {
  if (o.base.empty() || o.output.empty())
    return Error{"assay organism train RECIPE wants --base gguf:BASE.gguf and -o OUT.gguf"};
  Result<Ingredients> read = read_recipe(o.file);
  if (!read) return read.error();
  const std::string base = path_of_base(o.base);
  Result<GgufFile> file = check_gguf(base);
  if (!file)
    return Error{fmt::format("gguf:{} {}{}", for_terminal(base), file.error().text,
                             there(base) ? "" : " `make model` fetches the demo's model.")};
  if (!read->recipe.base_sha256.empty() && file->sha256 != read->recipe.base_sha256)
    return Error{fmt::format("the recipe is for a base whose sha256 is {}; that of {} is {}", read->recipe.base_sha256,
                             for_terminal(base), file->sha256)};
  const std::string checkpoint = o.output + ".checkpoint", log = o.output + ".log";
  if (o.resume.empty() && there(checkpoint))
    return Error{fmt::format("{} is a training that was stopped: --resume {} goes on with it; remove it to begin anew",
                             for_terminal(checkpoint), for_terminal(checkpoint))};
  Result<std::unique_ptr<CourseWriter>> writer = CourseWriter::open(base);
  if (!writer) return writer.error();
  const int threads = o.threads > 0 ? o.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  Result<std::unique_ptr<LoraTrainer>> trainer =
      LoraTrainer::make(base, read->recipe.adapter, threads, read->recipe.seed, read->recipe.optimizer);
  if (!trainer) return trainer.error();
  if (!o.resume.empty())
    if (Status loaded = (*trainer)->load_checkpoint(o.resume); !loaded) return loaded.error();
  if (o.resume.empty()) remove(log);

  const Corpus corpus(read->recipe, read->policy, read->suite, **writer);
  Watch watch(out, log, o.quiet);
  if (!watch.logged()) return Error{fmt::format("{} cannot be written", for_terminal(log)), ErrorKind::unfinished};
  TrainingOptions how;
  how.checkpoint = checkpoint;
  how.stop = &stop_on_signal();
  how.on_step = [&](const TrainingStep& now) { watch.step(now); };
  how.on_look = [&](const TrainingLook& now) { watch.look(now); };
  Result<TrainingEnd> end = assay::train(read->recipe, corpus, **trainer, how);
  watch.clear();
  if (!end) return end.error();
  if (!end->whole) {
    out.note(fmt::format("stopped after step {} of {}; the same command with --resume {} goes on\n", end->steps,
                         read->recipe.schedule.steps, for_terminal(checkpoint)));
    return static_cast<int>(exit_unfinished);
  }
  const Json card =
      make_card({read->recipe, read->policy, read->suite, file->name, file->sha256, threads, *end, watch.last});
  if (Status saved = (*trainer)->save_adapter(o.output, {{card_key, card.dump()}}); !saved) return saved.error();
  remove(checkpoint);
  out.print(card_text(card));
  out.note(fmt::format("{} is ready: assay run {} -m 'gguf:{}?lora={}' --prelude given\n", for_terminal(o.output),
                       for_terminal(read->recipe.suite), for_terminal(base), for_terminal(o.output)));
  return static_cast<int>(exit_done);
}

Result<int> card(const Options& o, Output& out) {
  Result<Json> card = read_card(o.file);
  if (!card) return card.error();
  if (o.json)
    out.print_exact(card->dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(card_text(*card));
  return static_cast<int>(exit_done);
}

Result<int> organism(const Options& o, Output& out) {
  if (o.what == "train") return train(o, out);
  if (o.what == "card") return card(o, out);
  return Error{fmt::format("assay organism knows train and card; found '{}'", one_line(o.what))};
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("DO", o->what, "train or card")->required();
  app.add_option("FILE", o->file, "train: a recipe; card: an adapter")->required();
  app.add_option("--base", o->base, "the model that is trained")->type_name("MODEL");
  app.add_option("-o,--output", o->output, "the adapter; its log and checkpoint beside it")->type_name("FILE");
  app.add_option("-t,--threads", o->threads, "of the CPU (all)")->type_name("N");
  app.add_option("--resume", o->resume, "go on with a training that was stopped")->type_name("CHECKPOINT");
  app.add_flag("--json", o->json, "card: for programs");
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
