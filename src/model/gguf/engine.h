// Computes many sequences of tokens with one llama model, on a thread of its own, each token that they have in common
// once. It knows tokens and logits; what they mean is its callers' business (gguf_model.h).
//
// A job is a prompt that is read, and then whatever its `next` chooses, token by token. Every step computes one batch:
// a token for each job that is writing, and beside them a chunk of the prompts that are still being read. Before a
// prompt is read, the longest beginning is taken over from what was read before (lines.h); a job that shares more with
// a prompt that is just being read waits until that is there, rather than computing it a second time.
//
// What was read is held in one of two ways, by what is waiting when nothing is under way:
//   unified   one cache for all. A token that several sequences share lies there once, and a sequence begins with it
//             for nothing; but each new token then attends to every cell in use, its own or not. Right where much is
//             shared. How many sequences may be under way follows from the speed that was measured: one more is let in
//             as long as its own cells slow the others down less than a fuller batch speeds them up.
//   streams   a piece of memory for each sequence. A new token attends to its own alone; a shared beginning is copied.
//             Right where little is shared, and the only way that is exact.
// A conversation keeps what it holds from its first job to its end: new ones wait for room rather than take it from
// those that will come back. Where these outgrow the memory, the one that began last is set back and read again.
//
// In exact mode what a job computes does not depend on what else is computed, to the bit: streams, and no kernels that
// depend on a batch's shape (exact.h).
//
// Models with a running state (recurrent, hybrid) cannot go back to an earlier token. For them the whole state is
// copied where prompts part, and at the end of each prompt. Models with a sliding window can, as long as the window
// before that token is there (lines.h).
//
// Where memory runs out while it works, std::bad_alloc leaves its thread and ends the program: what was being computed
// is no failure of the model, and is computed when the same command goes on.
#pragma once

#include <llama-cpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"

namespace assay {

struct EngineOptions {
  enum class Hold { automatic, unified, streams };
  int context = 4096;  // tokens of one sequence, at most
  int threads = 1;
  bool exact = false;
  Hold hold = Hold::automatic;        // exact: always streams
  int64_t memory = int64_t(2) << 30;  // bytes, for keys, values and states; one sequence is held in any case
  int width = 64;                     // jobs under way at once, at most; at most 256 sequences
  // Called for each context that is made, before it computes: adapters, control vectors.
  std::function<void(llama_context*)> prepare = {};
  bool captures = false;  // jobs may have a Capture
};

struct EngineReply {
  Status status = Done{};     // unfinished: what went wrong
  int64_t cached_tokens = 0;  // of the prompt, those that were not computed for this job
};

// What a job shows of the inside: the residual stream behind some layers at some positions of its prompt. A job with a
// capture is computed alone in its step, so ask for it sparingly.
struct Capture {
  std::vector<int> layers;        // 0 is the first block's output
  std::vector<size_t> positions;  // of the prompt, rising
  // On the engine's thread, positions rising within a layer: `width` numbers.
  std::function<void(int layer, size_t position, const float* values, int width)> seen;
};

struct EngineJob {
  std::vector<llama_token> prompt;          // at least one token
  size_t common = static_cast<size_t>(-1);  // so many of its tokens may serve other jobs later; default: all
  int most = 0;  // tokens that `next` may add; prompt and these fit the context (submit says if not)
  // Jobs of one conversation follow each other, each beginning with what the one before held. Null: a single job.
  const void* conversation = nullptr;
  // All three are called on the engine's thread, and may not call the engine.
  // The logits behind everything so far; the token to go on with, or nothing: the job is done.
  std::function<std::optional<llama_token>(const float* logits)> next;
  // The logits behind prompt[i], for each i from `seen_from` on, before `next`.
  size_t seen_from = static_cast<size_t>(-1);
  std::function<void(size_t i, const float* logits)> seen;
  std::optional<Capture> capture;
  std::function<void(EngineReply)> done;  // once, at the end
};

// Totals since it was made.
struct EngineWork {
  int64_t jobs = 0;
  int64_t prompt_tokens = 0;    // of all jobs
  int64_t computed_tokens = 0;  // of those, computed
  int64_t written_tokens = 0;   // computed behind a prompt
  int64_t steps = 0;            // batches
  int64_t widest = 0;           // jobs under way at once
  int64_t preempted = 0;        // set back for want of room, and computed again
  double computing = 0;         // seconds inside llama.cpp
  double choosing = 0;          // seconds inside the jobs' functions: sampling, grammars
  double busy = 0;              // seconds in all, of which the rest is ours
  int64_t unified_steps = 0, stream_steps = 0;
};

// What the context that there is now can hold; a later one may be made otherwise.
struct EngineRoom {
  int sequences = 0;
  int64_t tokens = 0;  // of all sequences together
  int64_t bytes = 0;   // of memory, for their keys, values and states
};

class Engine {
 public:
  // Makes the first context, so that too little memory is told at once: by an error that is `unfinished`, as it may be
  // there another time. Any other is bad_input. The model must outlive it.
  static Result<std::unique_ptr<Engine>> make(llama_model* model, const EngineOptions& options);
  ~Engine();

  // From any thread. Jobs begin with the next go(), so that those that come together are scheduled together.
  void submit(EngineJob job);
  void go();
  // Nothing more comes of this conversation: what it held may be given to others.
  void end(const void* conversation);
  EngineWork work() const;
  EngineRoom room() const;
  // How sequences are held now: "unified" or "streams".
  const char* hold() const;
  // Whether flash attention may be used, or attention.h in its place; in exact mode only where that is exact.
  bool flash_attention() const;

 private:
  struct Inside;
  explicit Engine(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace assay
