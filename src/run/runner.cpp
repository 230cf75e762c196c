#include "run/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "run/reports.h"
#include "run/surfaces.h"
#include "run/workers.h"
#include "scenario/programs.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

// An episode under way, with everything its requests point to.
struct Open {
  EpisodeSpec spec;
  Situation situation;
  Json drawn;
  std::vector<RenderedStep> script;  // models of known conduct: prelude, then the agent's steps
  std::optional<Episode> episode;
  std::optional<Result<Reply>> answer;  // arrived, not fed yet
  std::optional<Finished> finished;     // it ended; graded, once it is nobody's work any more
  bool programs = false;                // it may wait for some: work on it is done elsewhere
  bool at_work = false;                 // now; then it belongs to the worker, until `worked` is set
  std::atomic<bool> worked = false;
  Clock::time_point begun;
};

class Loop {
 public:
  Loop(const Plan& plan, Model& model, const RunOptions& options, const std::function<bool(Finished)>& sink)
      : plan_(plan), model_(model), options_(options), sink_(sink) {
    progress_.total = options.total.value_or(plan.size());
    if (options.wanted && !options.total) {
      progress_.total = 0;
      for (int64_t i = 0; i < plan.size(); ++i) progress_.total += options.wanted(plan.at(i));
    }
    width_ = static_cast<size_t>(std::max(1, options.concurrency));
    if (model.episodes_at_once() > 0) width_ = std::min(width_, static_cast<size_t>(model.episodes_at_once()));
  }

  Result<RunProgress> run() {
    while (true) {
      while (open_.size() < width_ && next_ < plan_.size() && !stopping()) {
        EpisodeSpec spec = plan_.at(next_++);
        if (options_.wanted && !options_.wanted(spec)) continue;
        if (Status begun = begin(std::move(spec)); !begun) return begun.error();
      }
      if (open_.empty()) break;
      wait();
      take_answers();
      reports_.tell(progress_, open_.size(), false);
    }
    reports_.tell(progress_, open_.size(), true);
    return progress_;
  }

 private:
  bool stopping() const { return stopped_ || (options_.stop && options_.stop->load()); }

  Status begin(EpisodeSpec planned) {
    auto open = std::make_unique<Open>();
    open->spec = std::move(planned);
    const EpisodeSpec& spec = open->spec;
    Surface& surface = surfaces_.of(spec);
    Result<Situation> situation = surface.situation(spec.cell);
    if (!situation) return situation.error();
    open->situation = std::move(*situation);
    open->drawn = surface.drawn();
    Start start{.given_prelude = spec.design.prelude == PreludeMode::given, .own_prelude = 0};
    if (const Agent* agent = model_.plays(spec)) {
      Result<std::vector<RenderedStep>> steps = surface.steps(*agent, spec.cell);
      if (!steps) return steps.error();
      open->script = open->situation.prelude;
      open->script.insert(open->script.end(), steps->begin(), steps->end());
      start = {.given_prelude = false, .own_prelude = static_cast<int>(open->situation.prelude.size())};
    }
    open->programs = runs_programs(*spec.scenario);
    open->begun = Clock::now();
    open_.push_back(std::move(open));
    // A given prelude is played at once, and may call programs.
    Open& made = *open_.back();
    work(made, [&made, start] { made.episode.emplace(made.spec, made.situation, start); });
    return Done{};
  }

  // Takes an episode one step on: here, or where programs may be waited for.
  template <class Step>
  void work(Open& open, Step step) {
    if (!open.programs) {
      step();
      return go_on(open);
    }
    if (!workers_) workers_.emplace(std::min<size_t>(width_, 4 * std::max(1u, std::thread::hardware_concurrency())));
    open.at_work = true;
    open.worked = false;
    ++at_work_;
    workers_->submit([&open, step = std::move(step)]() mutable {
      step();
      open.worked = true;
    });
  }

  // After a step.
  void go_on(Open& open) {
    if (open.finished)
      hand_on(open);
    else if (open.episode->finished())
      close(open);
    else
      ask(open);
  }

  void ask(Open& open) {
    Request request = *open.episode->next();
    if (!open.script.empty()) request.script = &open.script;
    request.logprobs = options_.logprobs;
    ++asked_;
    model_.submit(request, [this, &open](Result<Reply> reply) {
      --asked_;
      open.answer = std::move(reply);
    });
  }

  // Until a model's answer or a program's end is there. Both at once cannot be waited for: then the model is asked, and
  // looked away from often.
  void wait() {
    if (asked_ > 0) model_.poll(std::chrono::milliseconds(at_work_ > 0 ? 5 : 50));
    if (at_work_ > 0) at_work_ -= workers_->take_done(std::chrono::milliseconds(asked_ > 0 ? 0 : 50));
  }

  // Feeds what arrived during poll(). Nothing is fed inside a callback, so a model may answer in any way it likes.
  void take_answers() {
    for (auto& open : open_) {
      if (open->at_work) {
        if (!open->worked) continue;
        open->at_work = false;
        go_on(*open);
      } else if (open->answer) {
        feed(*open);
      }
    }
    std::erase_if(open_, [](const auto& open) { return !open->at_work && !open->episode; });
  }

  void feed(Open& open) {
    if (*open.answer) {
      progress_.turns += 1;
      const Usage& usage = (*open.answer)->usage;
      progress_.tokens += usage.completion_tokens;
      progress_.prompt_tokens += usage.prompt_tokens;
      progress_.cached_tokens += usage.cached_tokens;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - open.begun).count();
    work(open, [&open, seconds] {
      Result<Reply> answer = std::move(*open.answer);
      open.answer.reset();
      if (answer)
        open.episode->feed(std::move(*answer), seconds);
      else
        open.episode->fail(answer.error());
    });
  }

  void close(Open& open) {
    Finished& finished = open.finished.emplace();
    finished.spec = &open.spec;
    finished.situation = &open.situation;
    EpisodeRecord& record = finished.record;
    record.scenario = open.spec.scenario->name;
    record.model = open.spec.model;
    record.cell = open.spec.cell.index;
    record.epoch = open.spec.epoch;
    record.levels = open.situation.levels;
    record.drawn = std::move(open.drawn);
    record.transcript = std::move(*open.episode).finish();
    model_.ended(open.spec);
    record.seconds = std::chrono::duration<double>(Clock::now() - open.begun).count();
    if (!options_.grade) return hand_on(open);
    work(open, [this, &finished] { options_.grade(finished); });
  }

  void hand_on(Open& open) {
    progress_.done += 1;
    progress_.errors += open.finished->record.transcript.outcome.kind == Outcome::Kind::error;
    if (!sink_(std::move(*open.finished))) stopped_ = true;
    open.episode.reset();
  }

  const Plan& plan_;
  Model& model_;
  const RunOptions& options_;
  const std::function<bool(Finished)>& sink_;
  size_t width_ = 1;
  int64_t next_ = 0;
  Surfaces surfaces_;
  std::vector<std::unique_ptr<Open>> open_;
  RunProgress progress_;
  size_t asked_ = 0;    // requests that the model has
  size_t at_work_ = 0;  // pieces of work that the workers have
  bool stopped_ = false;
  std::optional<Workers> workers_;  // ends before the episodes it works on: declared after them
  Reports reports_{options_};
};

}  // namespace

Status each_opening(const Plan& plan, const std::function<Status(const Request&)>& visit) {
  Surfaces surfaces;
  for (int64_t i = 0; i < plan.size(); ++i) {
    const EpisodeSpec spec = plan.at(i);
    if (spec.epoch > 0) break;
    Result<Situation> situation = surfaces.of(spec).situation(spec.cell);
    if (!situation) return situation.error();
    Episode episode(spec, *situation, {.given_prelude = spec.design.prelude == PreludeMode::given, .own_prelude = 0});
    if (episode.finished()) continue;  // a program that the prelude calls has failed: the run will tell
    if (Status fine = visit(*episode.next()); !fine) return fine;
  }
  return Done{};
}

Status check_openings(const Plan& plan, Model& model) {
  return each_opening(plan, [&](const Request& opening) -> Status {
    if (model.plays(*opening.spec)) return Done{};
    auto answerable = model.check(opening);
    return answerable ? Status(Done{}) : answerable.error();
  });
}

Result<RunProgress> run_episodes(const Plan& plan, Model& model, const RunOptions& options,
                                 const std::function<bool(Finished)>& sink) {
  return Loop(plan, model, options, sink).run();
}

}  // namespace assay
