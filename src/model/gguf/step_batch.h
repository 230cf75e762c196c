// The batch of one step of the engine, and the jobs whose tokens are in it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "model/gguf/engine.h"
#include "model/gguf/lines.h"

namespace assay {

inline constexpr int largest_batch = 512;  // tokens in a step
inline constexpr int least_outputs = 128;  // logits that a step can show, at least

// So many of a job's tokens need not be computed if they are held: behind the others it wants to see logits.
inline size_t kept_of(const EngineJob& job) {
  const bool captures = job.capture && !job.capture->positions.empty();
  return std::min(
      {job.prompt.size() - 1, job.seen_from, captures ? job.capture->positions.front() : job.prompt.size()});
}

inline bool is_captured(const EngineJob& job, size_t position) {
  return job.capture && std::binary_search(job.capture->positions.begin(), job.capture->positions.end(), position);
}

// A job under way.
struct Active {
  EngineJob job;
  std::vector<llama_token> target;  // the prompt, and what was chosen behind it; the line holds a beginning of it
  Line* line = nullptr;
  int64_t cached = 0;
  bool over = false;  // nothing more is to be computed

  size_t left() const { return target.size() - line->held.size(); }
  bool writing() const { return target.size() > job.prompt.size(); }
};

// The batch of one step, and whose tokens are in it.
class StepBatch {
 public:
  struct Part {
    Active* of;
    size_t n;         // tokens
    int first_index;  // in the batch
  };

  explicit StepBatch(int most_outputs) : batch(llama_batch_init(largest_batch, 0, 1)), most_outputs_(most_outputs) {}
  ~StepBatch() { llama_batch_free(batch); }
  StepBatch(const StepBatch&) = delete;
  StepBatch& operator=(const StepBatch&) = delete;

  int size() const { return batch.n_tokens; }

  // Its next n tokens; fewer where a step can show no more logits.
  void put(Active& one, size_t n) {
    const size_t held = one.line->held.size();
    Part part{&one, 0, batch.n_tokens};
    for (size_t i = held; i < held + n; ++i) {
      // The last block computes only the rows whose logits are wanted.
      const bool last = i + 1 == one.target.size(),
                 shown = i < one.job.prompt.size() && (i >= one.job.seen_from || is_captured(one.job, i));
      if ((last || shown) && ++outputs_ > most_outputs_) break;
      const int at = batch.n_tokens++;
      batch.token[at] = one.target[i];
      batch.pos[at] = static_cast<llama_pos>(i);
      batch.n_seq_id[at] = 1;
      batch.seq_id[at][0] = one.line->seq;
      batch.logits[at] = last || shown;
      ++part.n;
    }
    if (part.n > 0) parts.push_back(part);
  }

  llama_batch batch;
  std::vector<Part> parts;

 private:
  int most_outputs_, outputs_ = 0;
};

}  // namespace assay
