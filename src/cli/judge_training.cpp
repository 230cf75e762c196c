#include "cli/judge_training.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/suite.h"
#include "grade/judge.h"
#include "model/gguf/adapter_card.h"
#include "model/gguf/gguf_model.h"
#include "model/shelf.h"
#include "organism/judge_card.h"
#include "organism/judge_corpus.h"
#include "organism/put_card.h"
#include "scenario/load.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int measured_draws = 30;  // held-out messages of either source, for each question and answer

// Everything that a recipe names, read and checked against each other.
struct Ingredients {
  JudgeRecipe recipe;
  Suite suite;
  Phrases phrases, messages;
};

Result<Ingredients> read_ingredients(const SourceFile& file) {
  Diagnostics diagnostics;
  auto mistakes = [&] {
    return Error{fmt::format("{}\n{}: {}", diagnostics.format(), one_line(file.name),
                             plural(static_cast<int64_t>(diagnostics.size()), "mistake"))};
  };
  Ingredients made;
  made.recipe = parse_judge_recipe(file, diagnostics);
  if (!diagnostics.empty()) return mistakes();
  const fs::path folder = fs::path(file.name).parent_path();
  auto beside = [&](const std::string& path) { return (folder / path).lexically_normal().string(); };
  Result<ProvenSuite> suite = prove_folder(beside(made.recipe.suite));
  if (!suite) return suite.error();
  made.suite = std::move(suite->suite);
  Result<SourceFile> phrases = read_suite_file(beside(made.recipe.phrases));
  if (!phrases) return phrases.error();
  Result<SourceFile> messages = read_suite_file(beside(made.recipe.messages));
  if (!messages) return messages.error();
  made.phrases = parse_phrases(*phrases, {}, diagnostics);
  if (diagnostics.empty()) {
    check_phrases(made.phrases, made.suite, diagnostics);
    made.messages = parse_phrases(*messages, made.phrases.questions, diagnostics);
    check_apart(made.messages, made.phrases, diagnostics);
  }
  if (!diagnostics.empty()) return mistakes();
  return made;
}

// The sentence of a look: each question's sensitivity and specificity.
std::string told(int64_t step, const std::vector<JudgedQuestion>& questions) {
  std::vector<std::string> parts;
  for (const JudgedQuestion& question : questions) {
    JudgeScore all = question.phrases;
    all.yes += question.variants.yes, all.found += question.variants.found;
    all.no += question.variants.no, all.rejected += question.variants.rejected;
    parts.push_back(fmt::format("{} {}/{} and {}/{}", question.name, all.found, all.yes, all.rejected, all.no));
  }
  return fmt::format("step {}: of held-out messages yes and no found: {}", step, joined(parts, ", "));
}

Json logged(int64_t step, const std::vector<JudgedQuestion>& questions) {
  Json line = {{"step", step}, {"questions", Json::object()}};
  for (const JudgedQuestion& question : questions)
    for (const auto& [key, score] : {std::pair{"phrases", &question.phrases}, {"variants", &question.variants}})
      line["questions"][question.name][key] = {{"yes", score->yes},
                                               {"found", score->found},
                                               {"no", score->no},
                                               {"rejected", score->rejected},
                                               {"undecided", score->undecided}};
  return line;
}

// What the trainer's own network answers to messages that nobody trains.
Status look(const std::vector<Labelled>& asked, const QuestionWriter& writer, LoraTrainer& trainer, JudgeScore& to) {
  for (const Labelled& one : asked) {
    Result<TokenTree> tree = writer.look(one.question);
    if (!tree) return tree.error();
    Result<std::vector<float>> logprobs = trainer.logprobs(*tree);
    if (!logprobs) return logprobs.error();
    to.add(one.yes, writer.judgement(one.question, *logprobs).answer);
  }
  return Done{};
}

// The same of the judge as it is used: llama.cpp, and the rules of judging.
class Measurement {
 public:
  Measurement(Judge& judge, Output& out, bool quiet) : judge_(judge), out_(out), quiet_(quiet) {}

  void ask(const std::vector<Labelled>& asked, JudgeScore& to) {
    for (const Labelled& one : asked) {
      if (stopped()) break;
      judge_.ask(one.question, [this, yes = one.yes, &to](const Judgement& answer) {
        to.add(yes, answer.answer);
        if (!answer.mass && failed_.empty()) failed_ = answer.reason;
        if (++answered_ % 100 == 0 && !quiet_) out_.note(fmt::format("{} questions answered\n", answered_));
      });
      while (judge_.waiting() >= 64) judge_.poll(std::chrono::milliseconds(50));
    }
    while (judge_.waiting() > 0) judge_.poll(std::chrono::milliseconds(50));
  }
  static bool stopped() { return stop_on_signal().load(); }
  const std::string& failed() const { return failed_; }

 private:
  Judge& judge_;
  Output& out_;
  bool quiet_;
  int64_t answered_ = 0;
  std::string failed_;
};

std::string rate_text(const Estimate& rate) {
  if (!rate.value) return "-";
  return rate.interval ? fmt::format("{:.2f} ({:.2f}-{:.2f})", *rate.value, rate.interval->low, rate.interval->high)
                       : fmt::format("{:.2f}", *rate.value);
}

}  // namespace

Result<int> train_judge(const SourceFile& file, const TrainingAsked& asked, Output& out) {
  Result<Ingredients> read = read_ingredients(file);
  if (!read) return read.error();
  Result<TrainingSite> site = begin_training(asked, read->recipe);
  if (!site) return site.error();
  Result<std::unique_ptr<QuestionWriter>> writer = QuestionWriter::open(site->base_path);
  if (!writer) return writer.error();
  Result<JudgeCorpus> corpus = JudgeCorpus::make(read->recipe, read->suite, read->phrases);
  if (!corpus) return corpus.error();
  TrainingWatch watch(out, site->log, asked.quiet);
  if (!watch.logged())
    return Error{fmt::format("{} cannot be written", for_terminal(site->log)), ErrorKind::unfinished};

  TrainingOptions how;
  how.checkpoint = site->checkpoint;
  how.stop = &stop_on_signal();
  how.on_step = [&](const TrainingStep& now) { watch.step(now); };
  auto trees = [&](int64_t step) -> Result<std::vector<TokenTree>> {
    Result<std::vector<Labelled>> lesson = corpus->lesson(step);
    if (!lesson) return lesson.error();
    return (*writer)->lessons(*lesson);
  };
  auto look_at_all = [&](int64_t step) -> Status {
    std::vector<JudgedQuestion> questions;
    for (const AskedQuestion& question : read->phrases.questions) {
      JudgedQuestion& now = questions.emplace_back();
      now.name = question.name;
      const int draws = read->recipe.look_draws;
      Result<std::vector<Labelled>> variants = corpus->scripted(question, VariantPool::held_out, draws);
      if (!variants) return variants.error();
      if (Status seen = look(*variants, **writer, *site->trainer, now.variants); !seen) return seen;
      const std::vector<Labelled> phrases = corpus->by_hand(question, VariantPool::held_out, draws);
      if (Status seen = look(phrases, **writer, *site->trainer, now.phrases); !seen) return seen;
    }
    watch.look(told(step, questions), logged(step, questions));
    return Done{};
  };
  Result<TrainingEnd> end = train(Lessons{read->recipe, trees, look_at_all}, *site->trainer, how);
  watch.clear();
  if (!end) return end.error();
  if (!end->whole) return stopped_training(*end, *site, read->recipe, out);
  const Json card = make_judge_card(
      {read->recipe, read->suite, read->phrases, site->base.name, site->base.sha256, site->threads, *end});
  if (Status kept = keep_trained(*site, asked.output, card); !kept) return kept.error();
  out.note(fmt::format("{} is trained, and says nothing until it is measured: assay organism measure {} --recipe {}\n",
                       for_terminal(asked.output), for_terminal(asked.output), for_terminal(file.name)));
  return static_cast<int>(exit_done);
}

Result<int> measure_judge(const JudgeMeasuring& asked, Output& out) {
  Result<Json> json = card_of_adapter(asked.adapter);
  if (!json) return json.error();
  Result<JudgeCard> card = read_judge_card(*json);
  if (!card) return Error{fmt::format("the card of {} {}", for_terminal(asked.adapter), card.error().text)};
  const std::string recipe = recipe_of(asked.adapter, asked.recipe);
  Result<SourceFile> file = read_suite_file(recipe);
  if (!file) return file.error();
  Result<Ingredients> read = read_ingredients(*file);
  if (!read) return read.error();
  if (read->recipe.hash != card->recipe_sha256)
    return Error{fmt::format("{} is not the recipe that {} was trained from", for_terminal(recipe),
                             for_terminal(asked.adapter))};
  if (read->phrases.hash != card->phrases_sha256)
    return Error{fmt::format("{} was changed since {} was trained: what was held out then is not known any more",
                             for_terminal(read->phrases.source.name), for_terminal(asked.adapter))};
  const std::string base =
      asked.base.empty() ? (fs::path(base_folder()) / card->base_file).string() : path_of_base(asked.base);
  Result<GgufFile> base_file = checked_base(base, card->base_sha256);
  if (!base_file) return base_file.error();

  GgufOptions options;
  options.path = base;
  options.lora = asked.adapter;
  options.threads = asked.threads;
  Result<std::unique_ptr<Model>> model = open_gguf(options, *base_file);
  if (!model) return model.error();
  Result<JudgeCorpus> corpus = JudgeCorpus::make(read->recipe, read->suite, read->phrases);
  if (!corpus) return corpus.error();
  Judge judge(**model);
  Measurement measurement(judge, out, asked.quiet);
  std::vector<JudgedQuestion> questions;
  for (const AskedQuestion& question : read->phrases.questions) {
    Result<std::vector<Labelled>> variants = corpus->scripted(question, VariantPool::held_out, measured_draws);
    if (!variants) return variants.error();
    const std::vector<Labelled> phrases = corpus->by_hand(question, VariantPool::held_out, measured_draws);
    for (const std::string& ask : question.asks) {
      JudgedQuestion measured{question.name, ask};
      if (ask == question.asks.front()) {  // what decides is measured in all words, the rest in the main ones
        measurement.ask(*variants, measured.variants);
        measurement.ask(phrases, measured.phrases);
      }
      measurement.ask(questions_about(read->messages, question.name, ask, read->phrases), measured.messages);
      measured.on = measured.messages.good_enough();
      questions.push_back(std::move(measured));
      if (Measurement::stopped()) return Error{"stopped; the card is as it was", ErrorKind::unfinished};
    }
  }
  if (!measurement.failed().empty())
    return Error{fmt::format("the judge failed, and the card is as it was: {}", for_terminal(measurement.failed())),
                 ErrorKind::unfinished};
  const Json whole = measured_judge_card(*std::move(json), questions, read->messages.hash);
  if (Status put = put_card(asked.adapter, whole); !put) return put.error();
  out.print(judge_card_text(whole));
  return static_cast<int>(exit_done);
}

std::string judge_card_text(const Json& json) {
  const Result<JudgeCard> card = read_judge_card(json);
  if (!card) return fmt::format("This card {}.\n", card.error().text);
  std::string out =
      fmt::format("{}  {}\n  base      {}\n", one_line(card->name), one_line(card->title), one_line(card->base_file));
  if (card->questions.empty()) return out + "  not measured: it may answer nothing\n";
  for (const JudgedQuestion& question : card->questions) {
    out += fmt::format("\n{}\n  {}\n", one_line(question.ask), question.on ? "on" : "off: not good enough");
    for (const auto& [what, score] : {std::pair{"by hand", &question.messages},
                                      {"held-out phrases", &question.phrases},
                                      {"scripted agents", &question.variants}})
      if (score->yes + score->no > 0)
        out += fmt::format("  {:<17} sensitivity {:<17} specificity {:<17} undecided {} of {}\n", what,
                           rate_text(score->sensitivity()), rate_text(score->specificity()), score->undecided,
                           score->yes + score->no);
  }
  return out;
}

}  // namespace assay
