#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <thread>

#include "base/text.h"
#include "cli/clock.h"
#include "cli/command.h"
#include "cli/design.h"
#include "cli/interrupt.h"
#include "cli/judging.h"
#include "cli/progress.h"
#include "cli/suite.h"
#include "grade/grade.h"
#include "grade/regrade.h"
#include "model/open.h"
#include "report/run_suite.h"
#include "run/choices.h"
#include "scenario/programs.h"
#include "store/grade_writer.h"

namespace assay {
namespace {

struct Options {
  std::string folder, file, judge;
  std::vector<std::string> models;
  Design design;
  bool programs = false;
  int concurrency = RunOptions{}.concurrency;
  int logprobs = RunOptions{}.logprobs;
  std::string readout = "sample";
  bool quiet = false;

  bool choice() const { return readout == "choice"; }
};

// What the numbers were made on. The host's name is nobody's business.
Json machine() {
  std::string cpu, line;
  for (std::ifstream info("/proc/cpuinfo"); cpu.empty() && std::getline(info, line);)
    if (line.rfind("model name", 0) == 0)
      cpu = trimmed(std::string_view(line).substr(std::min(line.find(':') + 1, line.size())));
  utsname system{};
  uname(&system);
  return Json{{"cpu", cpu},
              {"cores", std::thread::hardware_concurrency()},
              {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)}};
}

Registration registration_of(const Suite& suite, const Design& design, const std::optional<OpenedJudge>& judge) {
  Registration out;
  out.suite = suite.name;
  out.suite_hash = suite.hash;
  for (const Code& code : suite.codes) out.codes.emplace_back(code.name, code.hash);
  out.design = design;
  out.sources = *suite.sources;
  out.version = ASSAY_VERSION;
  out.created = now_utc();
  out.machine = machine();
  if (judge) out.judge = judge->entry;
  return out;
}

// The suite's folder names the file: "suites/first/" -> "first.assay".
std::string default_file(const std::string& folder) {
  std::vector<std::string> parts = split(folder, '/');
  while (!parts.empty() && (parts.back().empty() || parts.back() == ".")) parts.pop_back();
  return (parts.empty() || parts.back() == ".." ? "run" : parts.back()) + ".assay";
}

Result<std::vector<OpenedModel>> open_models(const std::vector<std::string>& names, const Suite& suite) {
  std::vector<OpenedModel> models;
  std::set<std::string> ids;
  for (const std::string& name : names) {
    Result<OpenedModel> model = open_model(name, suite);
    if (!model) return model.error();
    if (!ids.insert(model->model->id()).second)
      return Error{
          fmt::format("the model {} is named twice; one run holds each model once, by the name of its file without the "
                      "folder: of two files with one name, rename one or make a link to it (ln -s)",
                      for_terminal(model->model->id()))};
    models.push_back(*std::move(model));
  }
  return models;
}

std::vector<ModelEntry> entries_of(const std::vector<OpenedModel>& models) {
  std::vector<ModelEntry> out;
  for (const OpenedModel& m : models) {
    out.push_back({m.model->id(), m.model->settings(), std::nullopt, m.card});
    if (m.policy) out.back().policy = m.policy->source;
  }
  return out;
}

// Plays what is missing of one model, grades it, and stores it; or makes its forced choices.
Result<RunProgress> play(const Plan& plan, const std::function<bool(const EpisodeSpec&)>& wanted, int64_t missing,
                         Model& model, const std::vector<Code>& codes, const Options& options,
                         const std::atomic<bool>& stop, RunWriter& writer, Progress& progress) {
  bool error_shown = false, fault_shown = false;
  RunOptions run_options;
  run_options.concurrency = options.concurrency;
  run_options.logprobs = options.logprobs;
  run_options.stop = &stop;
  run_options.wanted = wanted;
  run_options.total = missing;
  run_options.on_progress = [&](const RunProgress& now) { progress.show(now); };
  auto show_error = [&](const Outcome& outcome) {
    if (outcome.kind != Outcome::Kind::error || error_shown) return;
    progress.note(fmt::format("assay: {}: {} ended in an error: {}", one_line(model.id()),
                              options.choice() ? "a forced choice" : "an episode", one_line(outcome.text)));
    error_shown = true;
  };
  if (options.choice())
    return run_choices(plan, model, run_options, [&](ChoiceRecord record) {
      show_error(record.outcome);
      writer.append(std::move(record));
      return !writer.failed();
    });
  run_options.grade = [&codes](Finished& finished) {
    if (finished.record.transcript.outcome.kind == Outcome::Kind::cancelled) return;  // it is played anew next time
    finished.record.grades = grade(finished.record.transcript, *finished.situation, *finished.spec->scenario, codes);
  };
  return run_episodes(plan, model, run_options, [&](Finished finished) {
    EpisodeRecord& record = finished.record;
    const Outcome& outcome = record.transcript.outcome;
    if (outcome.kind == Outcome::Kind::cancelled) return !writer.failed();
    show_error(outcome);
    if (!record.grades.fault.empty() && !fault_shown) {
      progress.note(
          fmt::format("assay: a grader failed, and its question stays open: {}", one_line(record.grades.fault)));
      fault_shown = true;
    }
    writer.append(std::move(record));
    return !writer.failed();
  });
}

// What a model cannot give that was asked for, in a sentence; "" where it can.
std::string refused(const Model& model, const Options& options) {
  if (model.has_logprobs() || (options.logprobs < 0 && !options.choice())) return "";
  return fmt::format("{} gives no logprobs, which {} needs; a local model (gguf:PATH) does", model.id(),
                     options.choice() ? "--readout choice" : "--logprobs");
}

std::string told_work(const ModelWork& work) {
  const double all = std::max(work.computing + work.choosing + work.scheduling, 1e-9);
  return fmt::format(
      "The model was at work for {:.1f} s: {:.1f} % computing, {:.1f} % choosing tokens, {:.1f} % scheduling.", all,
      100 * work.computing / all, 100 * work.choosing / all, 100 * work.scheduling / all);
}

// "" where the run was registered without one.
std::string registered_judge(const std::string& file) {
  Result<std::unique_ptr<RunReader>> run = RunReader::open(file);
  return run && (*run)->registration().judge ? (*run)->registration().judge->id : "";
}

// Asks the judge what is open in a file whose episodes are stored, and grades those that it may be asked about.
int judge_episodes(const std::string& file, OpenedJudge& judge, const Options& options, const std::atomic<bool>& stop,
                   Output& out) {
  Result<std::unique_ptr<GradeWriter>> writer = GradeWriter::open(file);
  if (!writer) return fail(out, writer.error());
  const Registration registration = (*writer)->run().registration();
  Result<Suite> suite = suite_of((*writer)->run());
  if (!suite) return fail(out, suite.error());
  Result<Judging> judging = ask_judge(**writer, *suite, judge, false, stop, options.quiet, out);
  if (!judging) return fail(out, judging.error());

  if (options.programs) allow_programs(*suite, options.folder);
  Regrader regrader(*suite, registration.design);
  Result<GradeWriter::Changes> changes = (*writer)->regrade(
      judging->episodes, [&](const EpisodeRecord& episode) { return regrader.grade(episode); },
      [](int64_t) { return true; });
  if (!changes) return fail(out, changes.error());
  out.print(paragraph(told_judging(*judging, judge.entry.id, is_registered(registration, judge.entry)) +
                          (judging->stopped ? " The same command goes on." : ""),
                      out.style()));
  return judging->stopped ? exit_unfinished : exit_done;
}

int run(const Options& options, Output& out) {
  // Load the suite and prove each cell; from here what it says is what will be shown.
  Result<ProvenSuite> proven = prove_folder(options.folder, options.design, options.programs);
  if (!proven) return fail(out, proven.error());
  const Suite& suite = proven->suite;

  // Open the models before any file is made: a name that is wrong leaves nothing behind.
  Result<std::vector<OpenedModel>> models = open_models(options.models, suite);
  if (!models) return fail(out, models.error());
  for (const OpenedModel& m : *models)
    if (const std::string why = refused(*m.model, options); !why.empty()) return fail(out, Error{why});
  std::optional<OpenedJudge> judge;
  if (!options.judge.empty()) {
    Result<OpenedJudge> opened = open_judge(options.judge, suite);
    if (!opened) return fail(out, opened.error());
    judge = *std::move(opened);
  }

  // Cross the factors. From here the grid is fixed.
  std::vector<Plan> plans;
  int64_t planned = 0;
  Design opening = options.design;
  if (options.choice()) opening.prelude = PreludeMode::given;  // as run_choices() gives it
  for (const OpenedModel& m : *models) {
    plans.emplace_back(suite, options.design, m.model->id());
    if (Status answerable = check_openings(Plan(suite, opening, m.model->id()), *m.model); !answerable)
      return fail(out, answerable.error());
    planned += plans.back().size();
  }

  // Register. From here the design can only grow.
  std::string file = options.file.empty() ? default_file(options.folder) : options.file;
  Result<std::unique_ptr<RunWriter>> writer =
      RunWriter::open(file, registration_of(suite, options.design, judge), entries_of(*models));
  if (!writer) return fail(out, writer.error());
  std::vector<Code> codes = suite.codes;
  if ((*writer)->grading().id > 0) {  // codes that were added since judge what is new as they judge the rest
    Result<Suite> graded_by = suite_of(registration_of(suite, options.design, judge), (*writer)->grading());
    if (!graded_by) return fail(out, graded_by.error());
    codes = std::move(graded_by->codes);
  }
  const EpisodeSet& present = options.choice() ? (*writer)->present_choices() : (*writer)->present();
  const char* const what = options.choice() ? "forced choice" : "episode";
  std::function<bool(const EpisodeSpec&)> wanted;  // all, where nothing is stored yet
  if (present.size() > 0)
    wanted = [&](const EpisodeSpec& s) { return !present.has({s.scenario->name, s.cell.index, s.epoch, s.model}); };
  std::vector<int64_t> missing_of;  // each plan
  int64_t missing = 0;
  for (const Plan& plan : plans) {
    missing_of.push_back(plan.size());
    if (wanted)
      for (int64_t i = 0; i < plan.size(); ++i) missing_of.back() -= !wanted(plan.at(i));
    missing += missing_of.back();
  }
  std::string stored_at = one_line(file);
  if (!options.quiet && options.file.empty())
    out.note(fmt::format("assay: writing to {} (-o names another file)\n", stored_at));
  if (!options.quiet && (*writer)->added_cells() > 0)
    out.note(fmt::format("assay: {} was registered with fewer cells; {} more from now on\n", stored_at,
                         counted((*writer)->added_cells())));
  if (!options.quiet && missing > 0 && missing < planned)
    out.note(fmt::format("assay: {} already has {} of {}; going on with the other {}\n", stored_at,
                         counted(planned - missing), plural(planned, what), counted(missing)));

  // Run and grade what is missing.
  const std::atomic<bool>& stop = stop_on_signal();
  Progress progress(out, missing, options.quiet, options.choice());
  for (size_t i = 0; i < plans.size() && !stop && !(*writer)->failed(); ++i) {
    if (missing_of[i] == 0) continue;
    Result<RunProgress> done =
        play(plans[i], wanted, missing_of[i], *(*models)[i].model, codes, options, stop, **writer, progress);
    if (!done) {
      Status kept = (*writer)->finish();
      progress.note("");
      return fail(out, kept ? done.error() : kept.error());
    }
    progress.finished(*done);
  }
  double seconds = progress.seconds();
  RunProgress played = progress.so_far();
  progress.clear();

  // Store what is still queued. From here the file is as the next command will find it.
  Status kept = (*writer)->finish();
  if (!kept) return fail(out, Error{kept.error().text, ErrorKind::unfinished});
  int64_t there = planned - missing + played.done;                    // of this command's plan
  int64_t held = static_cast<int64_t>(present.size()) + played.done;  // of any: other models, more epochs
  if (played.done < missing) {
    out.print(paragraph(
        fmt::format(
            "{}: {} of {}{}; the same command goes on", stored_at, counted(there), plural(planned, what),
            held > there ? fmt::format(" (the file holds {} with those of other commands)", counted(held)) : ""),
        out.style()));
    return exit_unfinished;
  }
  if (played.errors > 0)
    out.note(fmt::format("assay: {} of these ended in an error of the model, and stand so in the file\n",
                         counted(played.errors)));
  std::string news =
      held > planned ? fmt::format("none of the {} of this command was missing", counted(planned)) : "none was missing";
  if (missing > 0)
    news = fmt::format("{} new in {}", counted(played.done),
                       seconds < 60 ? fmt::format("{:.1f} s", seconds) : clock_text(seconds));
  out.print(paragraph(fmt::format("{}: {}, {}", stored_at, plural(held, what), news), out.style()));
  if (options.choice() && played.turns > 0)
    out.print(paragraph(fmt::format("It weighed {} of {}, and drew none.", plural(played.turns, "first turn"),
                                    plural(played.tokens, "token")),
                        out.style()));
  if (played.prompt_tokens > 0)
    out.print(paragraph(
        fmt::format("It read prompts of {} tokens, of which {:.0f} % were computed before, and wrote {}.",
                    counted(played.prompt_tokens),
                    100.0 * static_cast<double>(played.cached_tokens) / static_cast<double>(played.prompt_tokens),
                    plural(played.tokens, "token")),
        out.style()));
  for (const OpenedModel& m : *models)
    if (const std::optional<ModelWork> work = m.model->work(); work && played.done > 0)
      out.print(paragraph(told_work(*work), out.style()));
  if (judge) {
    writer->reset();  // the file is the grader's now
    if (int code = judge_episodes(file, *judge, options, stop, out); code != exit_done) return code;
  } else if (const std::string absent = registered_judge(file); !options.choice() && missing > 0 && !absent.empty()) {
    out.note(
        fmt::format("assay: {} was registered with the judge {}, whose questions about new episodes stay open until "
                    "--judge names it again\n",
                    stored_at, one_line(absent)));
  }
  out.print(fmt::format("See them: assay summary {}\n", stored_at));  // whole, to be copied
  return exit_done;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  auto design = std::make_shared<DesignOptions>(1);
  app.add_option("SUITE", o->folder, "folder of a suite")->required();
  app.add_option("-m,--model", o->models, "who plays the agent (below); may be repeated")
      ->required()
      ->type_name("MODEL")
      ->allow_extra_args(false);
  app.add_option("--judge", o->judge, "local, or gguf:PATH: answers what rules leave open")->type_name("MODEL");
  design->declare(app);
  app.add_option("--readout", o->readout, "sample, or choice: weigh the agents' first turns")
      ->type_name("HOW")
      ->check(CLI::IsMember({"sample", "choice"}));
  app.add_option("--logprobs", o->logprobs, "store each token's logprob and the K likeliest")
      ->type_name("K")
      ->check(CLI::Range(0, 256));
  app.add_option("-c,--concurrency", o->concurrency, "episodes open at once, at most (64)")
      ->type_name("N")
      ->check(CLI::Range(1, 65'536));
  app.add_option("-o,--output", o->file, "run file (SUITE.assay); a larger design extends it")->type_name("FILE");
  app.add_flag("-q,--quiet", o->quiet, "no progress");
  return [=](Output& out) {
    Result<Design> asked = design->design();
    if (!asked) return fail(out, asked.error());
    o->design = *std::move(asked);
    if (Status settled = settle_prelude(o->models, design->names_prelude(), o->design); !settled)
      return fail(out, settled.error());
    o->programs = design->programs();
    if (o->choice() && !o->judge.empty())
      return fail(out, Error{"--readout choice leaves no question open, so --judge has nothing to answer"});
    return run(*o, out);
  };
}

// Shorter than model_help(), which `assay model` prints: there are many options above it.
std::string models_in_short() {
  return "  MODEL: gguf:PATH[?ctx=N&...] a file, organism:NAME and policy:FILE planted,\n"
         "  scripted:FILE fixed words, replay:RUN.assay a past run (assay model --help)\n";
}

}  // namespace

const Command run_command = {"run", "play a suite with one or more models; again: resume",
                             "assay run suites/first -m gguf:model.gguf --epochs 8 --seed 1 -o out.assay", declare,
                             models_in_short};

}  // namespace assay
