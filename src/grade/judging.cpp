#include "grade/judging.h"

#include <algorithm>

#include "grade/regrade.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

// To find a question, no program of the suite's own need run.
Suite without_programs(Suite suite) {
  for (Scenario& scenario : suite.scenarios)
    for (ActRule& rule : scenario.acts)
      if (rule.exec) rule.exec->folder.clear();
  return suite;
}

constexpr size_t most_waiting = 64;                  // questions that the judge has at a time
constexpr size_t group_size = 64;                    // answers that are stored together,
constexpr std::chrono::seconds longest_unstored{1};  // or those of so long, so that a kill costs little
constexpr std::chrono::milliseconds patience{50};    // of one look at the judge

class Asking {
 public:
  Asking(GradeWriter& file, const Suite& suite, Judge& judge, const ModelEntry& entry, const JudgingOptions& options)
      : file_(file),
        suite_(without_programs(suite)),
        judge_(judge),
        entry_(entry),
        options_(options),
        regrader_(suite_, file.run().registration().design) {}

  Result<Judging> ask_all() {
    Result<std::vector<int64_t>> ids = with_questions();
    if (!ids) return ids.error();
    const int64_t total = file_.run().episodes();
    int64_t looked_at = total - static_cast<int64_t>(ids->size());
    for (const int64_t id : *ids) {
      if (options_.stop && *options_.stop) {
        out_.stopped = true;
        break;
      }
      if (Status asked = ask_about(id); !asked) return given_up(asked.error());
      while (judge_.waiting() >= most_waiting)
        if (Status kept = wait(); !kept) return given_up(kept.error());
      options_.on_progress(++looked_at, total);
    }
    while (judge_.waiting() > 0)
      if (Status kept = wait(); !kept) return given_up(kept.error());
    if (Status kept = store(); !kept) return kept.error();
    return std::move(out_);
  }

 private:
  // Episodes that may pose a question: agents of known conduct answer theirs, but for acts that were added later.
  Result<std::vector<int64_t>> with_questions() const {
    const bool added = std::ranges::any_of(
        suite_.scenarios, [](const Scenario& scenario) { return std::ranges::any_of(scenario.acts, &ActRule::added); });
    std::vector<int64_t> ids;
    Status read = file_.run().each_summary([&](const EpisodeSummary& e) {
      if (e.played_agent.empty() || added) ids.push_back(e.id);
    });
    if (!read) return read.error();
    return ids;
  }

  Status ask_about(int64_t id) {
    Result<EpisodeRecord> episode = file_.run().episode(id);
    if (!episode) return episode.error();
    Result<std::vector<Question>> questions = regrader_.questions(*episode);
    if (!questions) return questions.error();
    if (!questions->empty()) out_.episodes.push_back(id);
    std::vector<std::pair<std::string, std::string>> seen;  // the same words sent twice are one question
    for (const Question& question : *questions) {
      const Judgement* known = answer_to(question, episode->judgements);
      if (known && !options_.again && settled(*known)) continue;
      if (known && judge_.unfit_for(question)) continue;  // what another judge found is better than nothing
      if (std::pair once(question.act, question.evidence); std::ranges::find(seen, once) == seen.end())
        seen.push_back(std::move(once));
      else
        continue;
      ++out_.asked;
      judge_.ask(question, [this, id](Judgement answer) { take(id, std::move(answer)); });
    }
    return Done{};
  }

  bool settled(const Judgement& known) const {
    return known.answer != Judgement::Answer::unknown || (known.judge == entry_.id && known.mass);
  }

  void take(int64_t id, Judgement answer) {
    using Answer = Judgement::Answer;
    answer.judge = entry_.id;
    const bool failed = !answer.mass;
    ++(answer.answer == Answer::yes  ? out_.yes
       : answer.answer == Answer::no ? out_.no
       : failed                      ? out_.failed
                                     : out_.undecided);
    if (failed && out_.fault.empty()) out_.fault = answer.reason;
    if (answers_.empty()) oldest_ = Clock::now();
    answers_.push_back({id, std::move(answer)});
  }

  Status wait() {
    judge_.poll(patience);
    if (answers_.size() < group_size && (answers_.empty() || Clock::now() - oldest_ < longest_unstored)) return Done{};
    return store();
  }

  Status store() {
    if (answers_.empty()) return Done{};
    Status kept = file_.put(entry_, answers_);
    answers_.clear();
    return kept;
  }

  // The judge still has questions whose answers come to this object: it may not go before they did.
  Error given_up(const Error& error) {
    while (judge_.waiting() > 0) judge_.poll(patience);
    Status kept = store();
    return error;
  }

  GradeWriter& file_;
  const Suite suite_;
  Judge& judge_;
  const ModelEntry& entry_;
  const JudgingOptions& options_;
  Regrader regrader_;
  Judging out_;
  std::vector<GradeWriter::Answer> answers_;  // not stored yet
  Clock::time_point oldest_;                  // when the first of them came
};

}  // namespace

Result<Judging> ask_open_questions(GradeWriter& file, const Suite& suite, Judge& judge, const ModelEntry& entry,
                                   const JudgingOptions& options) {
  return Asking(file, suite, judge, entry, options).ask_all();
}

}  // namespace assay
