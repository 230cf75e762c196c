#include "cli/judging.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "cli/progress.h"
#include "cli/training.h"
#include "model/gguf/adapter_card.h"
#include "model/gguf/gguf_model.h"
#include "model/open.h"
#include "model/shelf.h"
#include "organism/judge_card.h"

namespace assay {

namespace {

namespace fs = std::filesystem;

// judge/judge.gguf of the first folder of models that has it.
Result<std::string> find_local_judge() {
  std::vector<std::string> looked;
  for (const std::string& folder : shelf_folders()) {
    const std::string path = (fs::path(folder) / "judge" / "judge.gguf").string();
    std::error_code failed;
    if (fs::is_regular_file(path, failed)) return path;
    looked.push_back(for_terminal(path));
  }
  return Error{
      fmt::format("--judge local: there is no {}; --judge gguf:PATH takes another model", joined(looked, ", nor "))};
}

// A small language model that was trained to answer these very questions, on a base that may be in memory already.
Result<OpenedJudge> open_local_judge() {
  Result<std::string> path = find_local_judge();
  if (!path) return path.error();
  Result<GgufFile> adapter = check_adapter(*path);
  if (!adapter) return adapter.error();
  Result<Json> json = card_of_adapter(*path);
  if (!json) return json.error();
  Result<JudgeCard> card = read_judge_card(*json);
  if (!card) return Error{fmt::format("--judge local: the card of {} {}", for_terminal(*path), card.error().text)};
  GgufOptions options;
  options.path = (fs::path(base_folder()) / card->base_file).string();
  options.lora = *path;
  // Another file is another judge, whose answers are asked anew.
  options.called = fmt::format("judge:{}@{}", clipped(for_terminal(card->name), 64), adapter->sha256.substr(0, 8));
  Result<GgufFile> base = checked_base(options.path, "");
  if (!base) return Error{fmt::format("--judge local needs its base: {}", base.error().text)};
  if (base->sha256 != card->base_sha256)
    return Error{
        fmt::format("--judge local: {} is not the base that the judge was trained on: its sha256 is {}, not {}",
                    for_terminal(options.path), base->sha256, card->base_sha256)};
  Result<std::unique_ptr<Model>> model = open_gguf(options, *base);
  if (!model) return model.error();
  ModelEntry entry{(*model)->id(), (*model)->settings(), {}};
  Json on = Json::array();
  for (const JudgedQuestion& question : card->questions)
    if (question.on) on.push_back(question.ask);
  entry.settings["questions"] = std::move(on);
  return OpenedJudge{*std::move(model), std::move(entry),
                     [card = *std::move(card)](const std::string& ask) { return card.unfit(ask); }};
}

}  // namespace

Result<OpenedJudge> open_judge(const std::string& name, const Suite& suite) {
  if (name == "local") return open_local_judge();
  Result<OpenedModel> opened = open_model(name, suite);
  if (!opened) return opened.error();
  if (Status fit = Judge::fits(*opened->model); !fit) return fit.error();
  ModelEntry entry{opened->model->id(), opened->model->settings(), {}};
  return OpenedJudge{std::move(opened->model), std::move(entry), nullptr};
}

Result<Judging> ask_judge(GradeWriter& file, const Suite& suite, OpenedJudge& judge, bool again,
                          const std::atomic<bool>& stop, bool quiet, Output& out) {
  Progress progress(out, file.run().episodes(), quiet);
  Judge asked(*judge.model, judge.unfit);
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
