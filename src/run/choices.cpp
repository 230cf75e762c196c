#include "run/choices.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "run/reports.h"
#include "run/surfaces.h"
#include "scenario/policy.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

// Each brings as many turns as there are agents, and a few keep any model busy.
constexpr size_t most_open = 8;

// A choice under way, with everything its request points to.
struct Open {
  EpisodeSpec spec;
  Situation situation;
  std::optional<Episode> episode;  // its opening
  ChoiceRecord record;
  Clock::time_point begun;
  bool answered = false;
};

class Loop {
 public:
  Loop(const Plan& plan, Model& model, const RunOptions& options, const std::function<bool(ChoiceRecord)>& sink)
      : plan_(plan), model_(model), options_(options), sink_(sink) {
    progress_.total = options.total.value_or(plan.size());
    width_ = std::min(most_open, static_cast<size_t>(std::max(1, options.concurrency)));
  }

  Result<RunProgress> run() {
    while (true) {
      while (open_.size() < width_ && next_ < plan_.size() && !stopping()) {
        EpisodeSpec spec = plan_.at(next_++);
        if (options_.wanted && !options_.wanted(spec)) continue;
        if (Status begun = begin(std::move(spec)); !begun) return begun.error();
      }
      if (open_.empty()) break;
      model_.poll(std::chrono::milliseconds(50));
      hand_on();
      reports_.tell(progress_, open_.size(), false);
    }
    reports_.tell(progress_, open_.size(), true);
    return progress_;
  }

 private:
  bool stopping() const { return stopped_ || (options_.stop && options_.stop->load()); }

  Status begin(EpisodeSpec planned) {
    auto made = std::make_unique<Open>();
    Open& open = *made;
    open.spec = std::move(planned);
    const EpisodeSpec& spec = open.spec;
    Surface& surface = surfaces_.of(spec);
    Result<Situation> situation = surface.situation(spec.cell);
    if (!situation) return situation.error();
    open.situation = std::move(*situation);
    open.record.scenario = spec.scenario->name;
    open.record.model = spec.model;
    open.record.cell = spec.cell.index;
    open.record.epoch = spec.epoch;
    open.record.levels = open.situation.levels;
    Result<std::vector<Message>> turns = turns_of(open, surface);
    if (!turns) return turns.error();
    open.record.drawn = surface.drawn();

    open.episode.emplace(open.spec, open.situation, Start{.given_prelude = true});
    open.begun = Clock::now();
    open_.push_back(std::move(made));
    if (open.episode->finished()) {  // a program that the prelude calls has failed
      open.record.outcome = open.episode->transcript().outcome;
      open.answered = true;
      return Done{};
    }
    model_.score(*open.episode->next(), std::move(*turns), [this, &open](auto scores) {
      if (scores)
        take(open.record, *scores);
      else
        fail(open.record, scores.error());
      open.answered = true;
    });
    return Done{};
  }

  // The first turns of the cell's agents, each once; who begins with which goes into the record.
  Result<std::vector<Message>> turns_of(Open& open, Surface& surface) const {
    std::vector<Message> turns;
    for (const Agent& agent : open.spec.scenario->agents) {
      if (!exists(agent, *open.spec.scenario, open.spec.cell)) continue;
      Result<std::vector<RenderedStep>> steps = surface.steps(agent, open.spec.cell);
      if (!steps) return steps.error();
      const Message turn = message_of(steps->front());  // the loader sees to it that there is one
      const auto same = static_cast<size_t>(std::ranges::find(turns, turn) - turns.begin());
      if (same == turns.size()) {
        turns.push_back(turn);
        open.record.alternatives.emplace_back();
      }
      open.record.alternatives[same].agents.push_back(agent.name);
    }
    return turns;
  }

  void take(ChoiceRecord& record, const std::vector<std::vector<TokenLogprob>>& scores) {
    for (size_t i = 0; i < scores.size(); ++i) {
      Alternative& one = record.alternatives[i];
      one.tokens = static_cast<int64_t>(scores[i].size());
      for (const TokenLogprob& token : scores[i]) {
        one.turn += token.bytes;
        one.logprob += token.logprob;
        if (options_.logprobs >= 0) one.each.push_back({token, {}});
      }
      one.logprob = std::min(one.logprob, 0.0);  // rounding, where a model is certain
      progress_.tokens += one.tokens;
    }
    progress_.turns += static_cast<int64_t>(scores.size());
  }

  static void fail(ChoiceRecord& record, const Error& error) {
    record.alternatives.clear();
    record.outcome = tells_of_full_context(error) ? Outcome{Outcome::Kind::limit, "context", error.text}
                                                  : Outcome{Outcome::Kind::error, {}, error.text};
  }

  void hand_on() {
    for (auto& open : open_) {
      if (!open->answered) continue;
      ChoiceRecord& record = open->record;
      record.seconds = std::chrono::duration<double>(Clock::now() - open->begun).count();
      if (record.outcome.kind != Outcome::Kind::completed) record.alternatives.clear();
      progress_.errors += record.outcome.kind == Outcome::Kind::error;
      ++progress_.done;
      model_.ended(open->spec);
      if (!sink_(std::move(record))) stopped_ = true;
      open.reset();
    }
    std::erase(open_, nullptr);
  }

  const Plan& plan_;
  Model& model_;
  const RunOptions& options_;
  const std::function<bool(ChoiceRecord)>& sink_;
  size_t width_ = 1;
  int64_t next_ = 0;
  Surfaces surfaces_;
  std::vector<std::unique_ptr<Open>> open_;
  RunProgress progress_;
  bool stopped_ = false;
  Reports reports_{options_};
};

}  // namespace

Result<RunProgress> run_choices(const Plan& plan, Model& model, const RunOptions& options,
                                const std::function<bool(ChoiceRecord)>& sink) {
  return Loop(plan, model, options, sink).run();
}

}  // namespace assay
