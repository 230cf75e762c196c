// The sequences of a llama context, and what each of them holds. A line is one sequence: the tokens whose keys and
// values (or whose state, in a recurrent model) lie in the context's memory, in order. Lines that begin alike share
// what they have in common, so together they are a tree of prefixes: in a unified cache a common token lies there once,
// in a cache of streams it was at least computed once, and copied.
//
// This keeps the books and tells llama; who computes what and when is the engine's to say. One thread.
#pragma once

#include <llama-cpp.h>

#include <cstdint>
#include <list>
#include <vector>

namespace assay {

struct Line {
  llama_seq_id seq = 0;
  std::vector<llama_token> held;       // what was computed, in order
  std::vector<int32_t> cells;          // one for each: equal numbers are one cell, shared
  const void* conversation = nullptr;  // whose it is while that goes on (a single job's: itself); null: anybody's
  size_t opening = 0;                  // so many of its tokens were the first prompt of its conversation
  bool busy = false;                   // a job is working on it
  uint64_t used = 0;                   // when it was last needed, in calls of touch()
  uint64_t since = 0;                  // when its conversation began, likewise
};

class Lines {
 public:
  // `context` must outlive it. `unified`: all lines share the context's cells; else each has a stream of its own.
  // `can_cut`: false for models with a running state, which cannot go back: a line of theirs is whole or nothing.
  Lines(llama_context* context, bool unified, bool can_cut);

  // The line that shares most with these tokens, at most `most` of them, and how many that are; of several the
  // conversation's own, or the one used last. Null: none shares any from where the model could go on.
  struct Match {
    Line* line = nullptr;
    size_t keep = 0;
  };
  Match longest(const std::vector<llama_token>& tokens, size_t most, const void* conversation = nullptr);
  // The idle line of a conversation that goes on; null where it has none.
  Line* of(const void* conversation);

  // A line of its own, empty or with the first `keep` tokens of another. Null where all sequences are in use, or llama
  // refused. What it returns stays where it is until it is dropped.
  Line* begin();
  Line* fork(Line& from, size_t keep);
  // Forgets what follows the first `keep` tokens. False where the model cannot go back; the line is then empty.
  bool cut(Line& line, size_t keep);
  void drop(Line& line);
  void clear();

  // These tokens were computed behind what it held.
  void add(Line& line, const llama_token* tokens, size_t n);
  void touch(Line& line) { line.used = ++clock_; }

  // From here on the line is this conversation's, whose first prompt has so many tokens, and no idle line is beside it;
  // null: a single job's.
  void give(Line& line, const void* conversation, size_t opening);
  // Drops the idle line of no conversation that was least recently used. `spare` stays. False: none left.
  bool evict(const Line* spare = nullptr);
  // Drops the idle line of the conversation that began last, which then has to be read again. `spare` stays. False:
  // none left.
  bool interrupt(const Line* spare = nullptr);
  // Whether any conversation is between two turns.
  bool pauses() const;
  // Lets go of what only idle lines of no conversation hold, until they hold at most so many cells of their own.
  void trim_idle(size_t most);
  // The conversation is over: its lines are cut back to their openings, which others may share; one that is busy, when
  // its job ends.
  void end(const void* conversation);

  size_t used() const { return used_; }  // cells that hold something
  size_t own_cells(const Line& line) const;
  int free_sequences() const { return static_cast<int>(free_.size()); }

 private:
  void release(Line& line, size_t keep);
  bool window_is_whole(const Line& line, size_t keep) const;

  llama_memory_t memory_;
  llama_pos window_;  // tokens that a sliding window reaches over; 0: none
  bool unified_, can_cut_;
  std::list<Line> lines_;
  std::vector<llama_seq_id> free_;  // a heap: the lowest first, so that busy streams lie side by side
  std::vector<int32_t> references_, vacant_;
  size_t used_ = 0;
  uint64_t clock_ = 0;
};

// How many tokens two lists have in common at their beginning.
size_t common_prefix(const std::vector<llama_token>& a, const std::vector<llama_token>& b);

}  // namespace assay
