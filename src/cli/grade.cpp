#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/clock.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/judging.h"
#include "cli/progress.h"
#include "cli/suite.h"
#include "grade/regrade.h"
#include "report/run_suite.h"
#include "scenario/amend.h"
#include "scenario/load.h"
#include "scenario/programs.h"
#include "store/grade_writer.h"

namespace assay {
namespace {

struct Options {
  std::string file, folder, acts, judge;
  std::vector<std::string> codes;
  bool quiet = false, programs = false, again = false;
};

// What grades from now on: what was asked for, and where that adds to something, what the file holds.
struct Asked {
  Grading grading;
  Suite suite;
};

// Reads the files that were named, every mistake in them at once.
Result<Asked> read(const Options& options, const RunReader& run) {
  const Registration& registration = run.registration();
  Asked asked;
  Grading& grading = asked.grading;
  if (!options.folder.empty()) {
    Result<ProvenSuite> proven = prove_folder(options.folder, registration.design, options.programs);
    if (!proven) return proven.error();
    grading.folder = options.folder;
    grading.suite = *proven->suite.sources;
    grading.suite_hash = proven->suite.hash;
  } else if (!options.acts.empty() || !options.codes.empty() || !options.judge.empty()) {
    grading = run.grading();
  }
  if (grading.suite.empty()) grading.suite_hash = registration.suite_hash;
  if (!options.acts.empty()) grading.acts.reset();  // one file at a time: what it no longer says holds no longer
  grading.created = now_utc();
  grading.version = ASSAY_VERSION;

  Result<Suite> suite = suite_of(registration, grading);
  if (!suite) return suite.error();
  asked.suite = *std::move(suite);
  if (std::vector<std::string> wanted = programs_of(asked.suite); !wanted.empty()) {
    if (options.folder.empty() || !options.programs)
      return Error{
          fmt::format("Acts or tools of this run need programs of the suite's own: {}. Name its folder with --suite, "
                      "read them, and let them run with --allow-exec.",
                      one_line(joined(wanted, ", ")))};
    allow_programs(asked.suite, options.folder);
  }
  Diagnostics diagnostics;
  for (const std::string& path : options.codes) {
    Result<SourceFile> file = read_suite_file(path);
    if (!file) return file.error();
    add_code(asked.suite, *file, diagnostics);
    auto name = [](const SourceFile& f) { return f.name.substr(f.name.rfind('/') + 1); };
    std::erase_if(grading.codes, [&](const SourceFile& known) { return name(known) == name(*file); });
    grading.codes.push_back(*std::move(file));
  }
  if (!options.acts.empty()) {
    Result<SourceFile> file = read_suite_file(options.acts);
    if (!file) return file.error();
    add_acts(asked.suite, *file, diagnostics);
    grading.acts = *std::move(file);
  }
  if (!diagnostics.empty())
    return Error{diagnostics.format() + "\n" + plural(static_cast<int64_t>(diagnostics.size()), "mistake")};
  return asked;
}

Status check_fit(const Options& options, const RunReader& run, const Suite& suite) {
  Result<std::vector<std::string>> lines = misfits(run, suite);
  if (!lines) return lines.error();
  if (lines->empty()) return Done{};
  const std::string rules = options.folder.empty() ? "its own suite, as this version reads it" : options.folder;
  return Error{fmt::format("{} cannot be graded by {}, and is left as it is:\n  {}", options.file, rules,
                           joined(*lines, "\n  "))};
}

// What became of each code's verdicts, as episodes are graded one after another.
class ByCode {
 public:
  explicit ByCode(const std::vector<Code>& codes) {
    for (const Code& code : codes) changes_.push_back({code.name});
  }

  void add(const std::vector<VerdictRow>& before, const std::vector<VerdictRow>& after) {
    for (const VerdictRow& old : before)
      if (std::ranges::find(after, old.code, &VerdictRow::code) == after.end()) ++of(old.code).dropped;
    for (const VerdictRow& now : after) {
      const auto old = std::ranges::find(before, now.code, &VerdictRow::code);
      Change& change = of(now.code);
      if (old == before.end())
        ++change.added;
      else
        change.verdicts += old->verdict != now.verdict, change.reasons += *old != now && old->verdict == now.verdict;
    }
  }

  // "never-subvert: verdicts differ in 12; strict: added (96 verdicts); old: dropped (96 verdicts)"
  std::string words() const {
    std::vector<std::string> parts;
    for (const Change& c : changes_) {
      std::vector<std::string> what;
      if (c.added > 0) what.push_back(fmt::format("added ({})", plural(c.added, "verdict")));
      if (c.dropped > 0) what.push_back(fmt::format("dropped ({})", plural(c.dropped, "verdict")));
      if (c.verdicts > 0) what.push_back("verdicts differ in " + counted(c.verdicts));
      if (c.reasons > 0) what.push_back("same verdict, other reason or wronged in " + counted(c.reasons));
      parts.push_back(c.code + ": " + (what.empty() ? "no verdict differs" : joined(what, ", ")));
    }
    return joined(parts, "; ");
  }

 private:
  struct Change {
    std::string code;
    int64_t added = 0, dropped = 0, verdicts = 0, reasons = 0;  // episodes
  };
  Change& of(const std::string& code) {
    const auto found = std::ranges::find(changes_, code, &Change::code);
    return found != changes_.end() ? *found : changes_.emplace_back(Change{code});
  }
  std::vector<Change> changes_;
};

int grade_again(const Options& options, Output& out) {
  Result<std::unique_ptr<GradeWriter>> writer = GradeWriter::open(options.file);
  if (!writer) return fail(out, writer.error());
  const RunReader& run = (*writer)->run();
  Result<Asked> asked = read(options, run);
  if (!asked) return fail(out, asked.error());
  if (Status fits = check_fit(options, run, asked->suite); !fits) return fail(out, fits.error());
  const Registration registration = run.registration();
  const int64_t total = run.episodes();

  // A judge's answers are stored as they come.
  std::optional<OpenedJudge> judge;
  if (!options.judge.empty()) {
    Result<OpenedJudge> opened = open_judge(options.judge, asked->suite);
    if (!opened) return fail(out, opened.error());
    judge = *std::move(opened);
  }
  const std::atomic<bool>& stop = stop_on_signal();
  std::string told;
  if (judge) {
    Result<Judging> judging = ask_judge(**writer, asked->suite, *judge, options.again, stop, options.quiet, out);
    if (!judging) return fail(out, judging.error());
    told = told_judging(*judging, judge->entry.id, is_registered(registration, judge->entry));
    if (judging->stopped) {
      out.print(paragraph(
          fmt::format("{} Its answers are kept, and no grade has changed yet; the same command goes on.", told),
          out.style()));
      return exit_unfinished;
    }
    told += ' ';
  }

  // From here the file is written: all of it, or nothing.
  Progress progress(out, total, options.quiet);
  Regrader regrader(asked->suite, registration.design);
  ByCode by_code(asked->suite.codes);
  Result<GradeWriter::Changes> changes = (*writer)->replace(
      asked->grading,
      [&](const EpisodeRecord& episode) {
        Result<Grades> grades = regrader.grade(episode);
        if (grades) by_code.add(episode.grades.verdicts, grades->verdicts);
        return grades;
      },
      [&](int64_t done) {
        progress.show({.done = done, .total = total});
        return !stop;
      });
  progress.clear();
  if (!changes) return fail(out, changes.error());

  const std::string rules = told_rules(registration, asked->grading);
  out.print(paragraph(fmt::format("{}{}: {} graded by {}, under {}; acts changed in {}{}. {}.", told,
                                  one_line(options.file), plural(changes->episodes, "episode"),
                                  rules.empty() ? "the registered rules" : "rules other than those registered",
                                  one_line(told_codes(registration, asked->suite.codes)), counted(changes->acts),
                                  changes->checks ? fmt::format(", checks in {}", counted(changes->checks)) : "",
                                  one_line(by_code.words())),
                      out.style()));
  out.print(fmt::format("See them: assay summary {}\n", one_line(options.file)));
  return exit_done;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->file, "a run file")->required();
  app.add_option("--suite", o->folder, "the rules and codes of this folder's scenarios")->type_name("DIR");
  app.add_option("--acts", o->acts, "acts by scenario (or all), added or replaced by name")->type_name("FILE");
  app.add_option("--code", o->codes, "NAME.yaml: a code, added or replaced; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  CLI::Option* judge =
      app.add_option("--judge", o->judge, "local, or gguf:PATH: asked what nobody decided")->type_name("MODEL");
  app.add_flag("--again", o->again, "with --judge: ask all once more")->needs(judge);
  app.add_flag("--allow-exec", o->programs, "let the programs of --suite run");
  app.add_flag("-q,--quiet", o->quiet, "no progress");
  return [o](Output& out) { return grade_again(*o, out); };
}

std::string more() {
  return "Grades every stored episode; no transcript changes, and a model is needed only\n"
         "as --judge, whose answers are kept. Without --suite, --acts, --code, --judge:\n"
         "by what the run registered and such answers. --acts, --code and --judge add\n"
         "to what the file was graded by last; whatever was not registered before the\n"
         "first episode is called so (after the fact).\n";
}

}  // namespace

const Command grade_command = {"grade", "other rules, questions or codes over the episodes of a run",
                               "assay grade out.assay --code codes/strict.yaml\n"
                               "assay grade out.assay --suite suites/first\n"
                               "assay grade out.assay",
                               declare, more};

}  // namespace assay
