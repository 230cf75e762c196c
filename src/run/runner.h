// Feeds episodes to a model: keeps up to `concurrency` open, submits what they ask, feeds what comes back. One loop,
// one thread, whatever threads a model owns. Only episodes that may wait for programs of the user's own (`exec:`) are
// fed and graded on other threads, so that a slow program holds up its own episode alone; each is in one hand at a
// time, and what becomes of it does not depend on when.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "model/model.h"
#include "run/episode.h"

namespace assay {

struct RunProgress {
  int64_t done = 0, total = 0;  // episodes of this call
  int64_t errors = 0;           // of those done: the model failed
  int64_t open = 0;
  int64_t turns = 0, tokens = 0;                 // replies and tokens written so far
  int64_t prompt_tokens = 0, cached_tokens = 0;  // of all prompts; of those, not computed again
};

// An episode that ended, with what graders need beside it.
struct Finished {
  EpisodeRecord record;               // not graded yet
  const EpisodeSpec* spec = nullptr;  // these are valid during the call
  const Situation* situation = nullptr;
};

struct RunOptions {
  int concurrency = 64;                                 // at most; a model may want fewer
  std::function<void(const RunProgress&)> on_progress;  // called at most every 50 ms, and at the end
  std::function<bool(const EpisodeSpec&)> wanted;       // of the plan; none: all
  std::optional<int64_t> total;                         // how many are wanted, if counted; asked one by one otherwise
  int logprobs = -1;                                    // Request::logprobs of every reply
  // What grades an episode before it is handed on; none: nothing. May be called on several threads at once.
  std::function<void(Finished&)> grade;
  // Set from outside (a signal handler): no new episode is begun, those open are finished.
  const std::atomic<bool>* stop = nullptr;
};

// Plays the wanted episodes of a plan in order and hands each that ended to `sink`, on this thread. `sink` returns
// false to stop (the store failed). Returns how far it came; done < total after a stop. An error: a situation could not
// be rendered.
Result<RunProgress> run_episodes(const Plan& plan, Model& model, const RunOptions& options,
                                 const std::function<bool(Finished)>& sink);

// Shows what an agent would be asked first in each cell of the plan's first epoch, on that epoch's surfaces. `visit`
// may end it with an error. Nothing is asked of anyone.
Status each_opening(const Plan& plan, const std::function<Status(const Request&)>& visit);

// Asks the model whether it can answer the opening of each cell (Model::check), on one epoch's surfaces: whoever asks
// before a run begins learns of a context that is too small before anything is stored.
Status check_openings(const Plan& plan, Model& model);

}  // namespace assay
