#include "cli/judging.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/progress.h"
#include "model/open.h"

namespace assay {

Result<OpenedJudge> open_judge(const std::string& name, const Suite& suite) {
  Result<OpenedModel> opened = open_model(name, suite);
  if (!opened) return opened.error();
  if (Status fit = Judge::fits(*opened->model); !fit) return fit.error();
  ModelEntry entry{opened->model->id(), opened->model->settings(), {}};
  return OpenedJudge{std::move(opened->model), std::move(entry)};
}

Result<Judging> ask_judge(GradeWriter& file, const Suite& suite, OpenedJudge& judge, bool again,
                          const std::atomic<bool>& stop, bool quiet, Output& out) {
  Progress progress(out, file.run().episodes(), quiet);
  Judge asked(*judge.model);
  JudgingOptions options;
  options.again = again;
  options.stop = &stop;
  options.on_progress = [&](int64_t done, int64_t total) { progress.show({.done = done, .total = total}); };
  Result<Judging> judging = ask_open_questions(file, suite, asked, judge.entry, options);
  progress.clear();
  if (judging && judging->failed > 0)
    out.note(fmt::format("assay: {} gave no answer to {}, which stay open: {}\n", one_line(judge.entry.id),
                         plural(judging->failed, "question"), one_line(judging->fault)));
  return judging;
}

std::string told_judging(const Judging& judging, const std::string& judge, bool registered) {
  const std::string who = one_line(judge) + (registered ? "" : " (after the fact)");
  if (judging.asked == 0) return fmt::format("There was no open question for {}.", who);
  std::string told = fmt::format("{} answered {} of {} ({} yes, {} no)", who, counted(judging.yes + judging.no),
                                 plural(judging.asked, "question"), counted(judging.yes), counted(judging.no));
  if (judging.undecided > 0) told += fmt::format(" and could not decide {}", counted(judging.undecided));
  return told + ".";
}

}  // namespace assay
