#include "model/gguf/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <new>
#include <thread>

#include "base/text.h"
#include "model/gguf/context_shape.h"
#include "model/gguf/exact.h"
#include "model/gguf/held_bytes.h"
#include "model/gguf/lines.h"
#include "model/gguf/llama_log.h"
#include "model/gguf/step_batch.h"
#include "model/gguf/step_cost.h"
#include "model/model.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int reading_beside = 256;   // tokens of prompts in a step, where others are writing meanwhile
constexpr size_t worth_waiting = 32;  // tokens: less is read again rather than waited for, or copied
constexpr int fairness = 256;         // so many jobs at most may be let in before one that came earlier
constexpr auto patience = std::chrono::milliseconds(50);  // for the next turn of a conversation that holds what we need

double since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

// llama.cpp says in its log alone that an allocation failed.
bool tells_of_memory(std::string_view why) { return why.find("alloc") != why.npos; }

}  // namespace

struct Engine::Inside {
  Inside(llama_model* of, EngineOptions how) : model(of), options(std::move(how)) {
    if (options.exact) exact.emplace(), exact_attention = attention_can_be_exact(model);
    can_cut = !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model);
    bytes = held_bytes(model);
  }

  // --- contexts
  Status make_context(bool as_unified, int longest);
  int length_of(const EngineJob& job) const;
  Status choose_hold();

  // --- the thread
  void run();
  void begin_jobs();
  bool begin(size_t index, const Lines::Match& match);
  void step();
  int fill(StepBatch& batch);
  bool compute(const StepBatch& batch, int rows);
  void take_in(const StepBatch& batch);
  void give_way();
  void finish(Active& active, Status status);
  void fail_all(const Error& error);
  size_t branch_after(const Active& active) const;
  bool make_room(size_t cells, const Line* spare, bool for_newcomer = false);
  void set_back_youngest();
  void settle(Active& active, int batch_index, size_t position);
  bool watch(ggml_tensor* tensor, bool ask);

  llama_model* model;
  EngineOptions options;
  std::optional<ExactArithmetic> exact;
  bool exact_attention = false;
  bool can_cut = true;  // no running state
  HeldBytes bytes;

  llama_context_ptr context;
  std::atomic<bool> unified = true;  // written by the engine's thread alone
  std::optional<Lines> lines;
  size_t cells = 0;        // all that there are
  int longest_stream = 0;  // tokens that a stream holds; the cache for all, where there is one
  StepCost cost;

  std::deque<EngineJob> waiting;  // in the order of arrival
  std::deque<int> passed;         // for each: how often a later one was let in before it
  std::list<Active> active;       // in the order in which they began
  // The step that is being made, where it has a capture: the job, and which positions its rows are.
  const EngineJob* watched = nullptr;
  std::vector<size_t> rows_watched, outputs_watched;

  std::thread thread;
  mutable std::mutex mutex;  // of what follows
  std::condition_variable wake;
  std::vector<EngineJob> inbox;
  std::vector<const void*> ended;
  bool released = false, stopping = false;
  EngineRoom room_now;
  EngineWork totals;  // a copy of `mine`, which is the engine's thread's own
  EngineWork mine;
};

// Tokens that a sequence may come to.
int Engine::Inside::length_of(const EngineJob& job) const {
  return std::min(static_cast<int>(job.prompt.size()) + std::max(job.most, 0), options.context);
}

Status Engine::Inside::make_context(bool as_unified, int longest) {
  lines.reset();
  context.reset();
  llama_context_params how = llama_context_default_params();
  const ContextShape shape = context_shape(as_unified, longest, options, bytes, can_cut);
  how.n_batch = how.n_ubatch = largest_batch;
  how.kv_unified = as_unified;
  how.n_seq_max = shape.sequences;
  how.n_ctx = shape.tokens;
  how.n_outputs_max = std::max<uint32_t>(how.n_seq_max, least_outputs);  // llama.cpp wants one for each sequence
  how.n_threads = how.n_threads_batch = options.threads;
  // Attention.h on the CPU, where the model allows.
  how.flash_attn_type = options.exact && !exact_attention ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
  how.swa_full = true;  // a sliding window keeps all while there is room, so that sequences can be cut back (lines.h)
  how.no_perf = true;
  if (options.captures) {
    how.cb_eval = [](ggml_tensor* tensor, bool ask, void* inside) {
      return static_cast<Inside*>(inside)->watch(tensor, ask);
    };
    how.cb_eval_user_data = this;
  }
  take_llama_error();
  context.reset(llama_init_from_model(model, how));
  if (!context || !llama_get_memory(context.get())) {
    const std::string why = take_llama_error();
    if (tells_of_memory(why))
      return Error{fmt::format("the memory does not suffice for a context of {} tokens", how.n_ctx),
                   ErrorKind::unfinished};
    return Error{
        fmt::format("llama.cpp could not make a context of {} tokens{}", how.n_ctx, why.empty() ? "" : ": " + why)};
  }
  if (options.prepare) options.prepare(context.get());
  unified = as_unified;
  cells = llama_n_ctx(context.get());
  longest_stream = static_cast<int>(as_unified ? cells : llama_n_ctx_seq(context.get()));
  lines.emplace(context.get(), unified, can_cut);
  {
    const auto held = static_cast<int64_t>(cells), sequences = static_cast<int64_t>(llama_n_seq_max(context.get()));
    std::lock_guard lock(mutex);
    room_now = {static_cast<int>(sequences), held, held * bytes.token + sequences * bytes.sequence};
  }
  cost = StepCost();
  return Done{};
}

// Asked where nothing is under way.
Status Engine::Inside::choose_hold() {
  int longest = 0;
  for (const EngineJob& job : waiting) longest = std::max(longest, length_of(job));
  // Another context begins with nothing, so conversations that go on keep the one they have.
  const bool wanted = context && lines->pauses() ? unified.load() : held_unified(waiting, options, can_cut);
  if (context && wanted == unified && longest <= longest_stream) return Done{};
  return make_context(wanted, std::min(longest + longest / 2, options.context));  // conversations grow
}

void Engine::Inside::run() {
  std::unique_lock lock(mutex);
  while (true) {
    wake.wait(lock, [&] {
      return stopping || !active.empty() || !waiting.empty() || (released && !inbox.empty()) || !ended.empty();
    });
    if (stopping) return;
    for (EngineJob& job : inbox) waiting.push_back(std::move(job)), passed.push_back(0);
    inbox.clear();
    released = false;
    std::vector<const void*> over = std::move(ended);
    ended.clear();
    lock.unlock();
    Clock::time_point begun = Clock::now();
    if (lines)
      for (const void* conversation : over) lines->end(conversation);
    if (lines && unified && !over.empty()) lines->trim_idle(static_cast<size_t>(options.context));
    try {
      if (active.empty() && !waiting.empty())
        if (Status chosen = choose_hold(); !chosen) {
          if (chosen.error().kind == ErrorKind::unfinished) throw std::bad_alloc();
          fail_all(chosen.error());
        }
      begin_jobs();
      if (active.empty() && !waiting.empty() && lines->pauses()) {
        mine.busy += since(begun);
        lock.lock();
        if (wake.wait_for(lock, patience, [&] { return stopping || released || !ended.empty(); })) continue;
        lock.unlock();
        begun = Clock::now();
        while (active.empty() && lines->interrupt()) begin_jobs();
      }
      if (active.empty() && !waiting.empty()) {  // nothing that is held may keep the first one out
        lines->clear();
        begin_jobs();
      }
      if (active.empty() && !waiting.empty()) {
        EngineJob job = std::move(waiting.front());
        waiting.pop_front(), passed.pop_front();
        job.done({context_is_full(static_cast<int64_t>(job.prompt.size()), longest_stream), 0});
      }
      mine.widest = std::max(mine.widest, static_cast<int64_t>(active.size()));
      if (!active.empty()) step();
    } catch (const std::bad_alloc&) {
      throw;  // nobody's conduct: it ends the program (main.cpp), and what was being written is written next time
    } catch (const std::exception& e) {
      fail_all({fmt::format("llama.cpp failed: {}", clipped(for_terminal(e.what()), 200)), ErrorKind::unfinished});
    }
    mine.busy += since(begun);
    lock.lock();
    totals = mine;
  }
}

// Lets in what can begin now: conversations that go on, then what shares most with what is held, so that neighbours are
// computed together.
void Engine::Inside::begin_jobs() {
  // One that is too long for the cache or the streams there are: all others end first, then there will be longer ones.
  const bool too_long = std::any_of(waiting.begin(), waiting.end(),
                                    [&](const EngineJob& job) { return length_of(job) > longest_stream; });
  if (too_long && !active.empty()) return;
  while (!waiting.empty() && static_cast<int>(active.size()) < options.width) {
    size_t chosen = waiting.size();
    Lines::Match best;
    enum class Claim { none, passed_often, goes_on } strongest = Claim::none;
    for (size_t i = 0; i < waiting.size(); ++i) {
      const std::vector<llama_token>& prompt = waiting[i].prompt;
      const size_t most_kept = kept_of(waiting[i]);
      const Lines::Match match = lines->longest(prompt, most_kept, waiting[i].conversation);
      // What is being read for another job will be there soon.
      const bool wait = std::any_of(active.begin(), active.end(), [&](const Active& other) {
        const size_t common = std::min(common_prefix(other.job.prompt, prompt), most_kept);
        return common >= match.keep + worth_waiting && other.line->held.size() < common;
      });
      if (wait) continue;
      const Claim claim = lines->of(waiting[i].conversation) ? Claim::goes_on
                          : passed[i] > fairness             ? Claim::passed_often
                                                             : Claim::none;
      const bool first = chosen == waiting.size() || claim > strongest;
      if (first || (claim == strongest && claim != Claim::passed_often && match.keep > best.keep))
        chosen = i, best = match, strongest = claim;
    }
    if (chosen == waiting.size() || !begin(chosen, best)) return;
    for (size_t i = 0; i < chosen; ++i) ++passed[i];
  }
}

// False where it must wait: for room, or because the others go faster without it.
bool Engine::Inside::begin(size_t index, const Lines::Match& match) {
  EngineJob& job = waiting[index];
  Line* source = match.line;
  size_t keep = match.keep;
  if (!unified && can_cut && keep < worth_waiting) source = nullptr, keep = 0;

  Line* own = lines->of(job.conversation);
  const bool ours = own && source == own;  // else it goes on in other words, of which others have read more
  const auto is_free = [](const Line* line) { return line && !line->busy && !line->conversation; };
  if (unified && bytes.token > 0) {
    const size_t brought = job.prompt.size() - keep + static_cast<size_t>(std::clamp(job.most, 0, 64));
    if (!active.empty() && !cost.pays(static_cast<double>(active.size()), static_cast<double>(brought))) return false;
    size_t wanted = job.prompt.size() - keep + 1;
    for (const Active& other : active) wanted += other.left();  // which they were let in for
    if (!make_room(wanted, source, !own)) {
      // What follows the shared beginning goes first, then the beginning itself, where nobody else is under way.
      if (ours || is_free(source)) lines->cut(*source, keep);
      if (!make_room(wanted, source, !own)) {
        if (!active.empty() || lines->pauses()) return false;
        lines->clear();
        source = nullptr, keep = 0;
      }
    }
  }
  auto sequence_for = [&](const Line* spare) {
    if (lines->free_sequences() > 0 || lines->evict(spare)) return true;
    if (own && own != spare) lines->drop(*own), own = nullptr;
    return lines->free_sequences() > 0;
  };
  Line* line = nullptr;
  if (ours) {
    line = source;
  } else if (source) {
    if (sequence_for(source))
      line = lines->fork(*source, keep);
    else if (is_free(source))
      line = source;
    else
      return false;
    if (!line) keep = 0;
  }
  if (line == source && line && !lines->cut(*line, keep)) keep = 0;
  if (!line) {
    if (!sequence_for(nullptr)) return false;
    line = lines->begin();
  }
  line->busy = true;
  lines->touch(*line);
  lines->give(*line, job.conversation, std::min(job.prompt.size(), job.common));

  active.push_back({.job = std::move(job), .line = line});
  Active& begun = active.back();
  begun.target = begun.job.prompt;
  begun.cached = static_cast<int64_t>(keep);
  waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
  passed.erase(passed.begin() + static_cast<std::ptrdiff_t>(index));
  return true;
}

// Of a unified cache. A newcomer gets what is nobody's; whoever is under way also what belongs to those who came last.
bool Engine::Inside::make_room(size_t wanted, const Line* spare, bool for_newcomer) {
  while (lines->used() + wanted > cells)
    if (!lines->evict(spare) && (for_newcomer || !lines->interrupt(spare))) return false;
  return true;
}

// The job that began last gives up what it holds, and begins again when there is room: with what it has written.
void Engine::Inside::set_back_youngest() {
  Active& last = active.back();
  lines->drop(*last.line);
  EngineJob job = std::move(last.job);
  // What was written stands behind the prompt now, so `seen` must not be shown it: it asks for prompt positions only.
  job.most -= static_cast<int>(last.target.size() - job.prompt.size());
  if (job.seen_from < job.prompt.size() && last.writing()) job.seen_from = static_cast<size_t>(-1);
  job.prompt = std::move(last.target);
  active.pop_back();
  waiting.push_front(std::move(job));
  passed.push_front(0);
  ++mine.preempted;
}

// Where a model cannot go back, its state is kept at the places where waiting prompts part from this one.
size_t Engine::Inside::branch_after(const Active& reading) const {
  size_t next = reading.job.prompt.size();
  const size_t held = reading.line->held.size();
  for (const EngineJob& job : waiting) {
    const size_t common = std::min(common_prefix(job.prompt, reading.job.prompt), kept_of(job));
    if (common >= held + worth_waiting) next = std::min(next, common);
  }
  return next;
}

void Engine::Inside::step() {
  StepBatch batch(std::max(static_cast<int>(llama_n_seq_max(context.get())), least_outputs));
  const int rows = fill(batch);
  if (batch.parts.empty()) return give_way();  // all are reading, and there is no room for another token
  if (compute(batch, rows)) take_in(batch);
}

// A token of each job that writes, then chunks of the prompts that are being read. How many jobs write.
int Engine::Inside::fill(StepBatch& batch) {
  // Whoever is looked into has the step to itself, so that the rows of the tensors are its own, in order.
  auto captured = std::find_if(active.begin(), active.end(), [](const Active& one) {
    return one.job.capture && one.line->held.size() < one.job.prompt.size();
  });
  Active* alone = captured == active.end() ? nullptr : &*captured;
  watched = alone ? &alone->job : nullptr;
  auto in_this_step = [&](const Active& one) { return !alone || &one == alone; };
  if (unified && bytes.token > 0) {  // a cell for each token; whoever came last makes room for the others
    auto rows = [&] {
      return static_cast<size_t>(
          std::count_if(active.begin(), active.end(), [](const Active& a) { return a.left() == 1; }));
    };
    while (active.size() > 1 && !make_room(rows(), nullptr)) set_back_youngest();
  }
  std::vector<std::pair<Active*, size_t>> parts;  // and how many tokens of each
  int planned = 0;
  auto plan = [&](Active& one, size_t n) {
    parts.emplace_back(&one, n);
    planned += static_cast<int>(n);
  };
  for (Active& one : active)
    if (one.left() == 1 && in_this_step(one) && planned < largest_batch) plan(one, 1);
  const int rows = planned;
  const int end = rows > 0 ? std::min(largest_batch, rows + reading_beside) : largest_batch;
  for (Active& one : active) {
    if (one.left() <= 1 || !in_this_step(one) || planned >= end) continue;
    size_t n = std::min(one.left(), static_cast<size_t>(end - planned));
    if (!can_cut) n = std::min(n, branch_after(one) - one.line->held.size());
    if (unified && bytes.token > 0) {
      const auto in_batch = static_cast<size_t>(planned);
      make_room(in_batch + n, nullptr);
      n = std::min(n, cells - std::min(cells, lines->used() + in_batch));
    }
    if (n > 0) plan(one, n);
  }
  // llama.cpp computes streams together only where they lie side by side and come in order.
  if (!unified) std::ranges::sort(parts, {}, [](const auto& part) { return part.first->line->seq; });
  for (auto& [one, n] : parts) batch.put(*one, n);
  return rows;
}

// False where the step came to nothing: then it is made again with less, or its jobs have ended.
bool Engine::Inside::compute(const StepBatch& batch, int rows) {
  rows_watched.clear(), outputs_watched.clear();
  for (int i = 0; watched && i < batch.size(); ++i) {
    rows_watched.push_back(static_cast<size_t>(batch.batch.pos[i]));
    if (batch.batch.logits[i]) outputs_watched.push_back(static_cast<size_t>(batch.batch.pos[i]));
  }
  const Clock::time_point begun = Clock::now();
  const int failed = llama_decode(context.get(), batch.batch);
  watched = nullptr;
  const double seconds = since(begun);
  mine.computing += seconds;
  ++mine.steps;
  ++(unified ? mine.unified_steps : mine.stream_steps);
  if (failed == 1) {  // no room: the books and the cache disagree about its gaps
    if (!lines->evict() && !lines->interrupt()) give_way();
    return false;
  }
  if (failed != 0) {
    fail_all({fmt::format("llama.cpp could not compute (llama_decode: {}) {}", failed, take_llama_error()),
              ErrorKind::unfinished});
    return false;
  }
  if (unified && batch.size() == rows) cost.add(rows, static_cast<double>(lines->used()), seconds);
  return true;
}

void Engine::Inside::give_way() {
  if (active.size() > 1) return set_back_youngest();
  finish(active.front(), context_is_full(static_cast<int64_t>(active.front().target.size()), longest_stream));
}

// The books first, then what the jobs make of their logits.
void Engine::Inside::take_in(const StepBatch& batch) {
  const Clock::time_point choosing = Clock::now();
  for (const StepBatch::Part& part : batch.parts) {
    Active& one = *part.of;
    const size_t from = one.line->held.size();
    const bool read = !one.writing();
    lines->add(*one.line, one.target.data() + from, part.n);
    (read ? mine.computed_tokens : mine.written_tokens) += static_cast<int64_t>(part.n);
  }
  for (const StepBatch::Part& part : batch.parts) {
    Active& one = *part.of;
    const size_t begin_at = one.line->held.size() - part.n;
    for (size_t i = 0; i < part.n; ++i)
      if (const int at = part.first_index + static_cast<int>(i); batch.batch.logits[at]) settle(one, at, begin_at + i);
  }
  // States are kept where others will part, and at the end of the prompt.
  if (!can_cut)
    for (const StepBatch::Part& part : batch.parts) {
      const Active& one = *part.of;
      const size_t held = one.line->held.size();
      if (held > one.job.prompt.size()) continue;
      // Where another prompt parts from here; else it may be of use, and takes nobody's place.
      const bool awaited = std::ranges::any_of(waiting, [&](const EngineJob& job) {
        return std::min(common_prefix(job.prompt, one.job.prompt), kept_of(job)) == held;
      });
      if (lines->free_sequences() == 0 && !(awaited && lines->evict())) continue;
      Line* kept = lines->fork(*one.line, held);
      if (kept) kept->opening = held;
    }
  mine.choosing += since(choosing);
  std::vector<Active*> done;
  for (Active& one : active)
    if (one.over) done.push_back(&one);
  for (Active* one : done) finish(*one, Done{});
}

// llama.cpp's view of the graph: asked whether it should stop at a tensor, then shown it.
bool Engine::Inside::watch(ggml_tensor* tensor, bool ask) {
  constexpr std::string_view output = "l_out-";
  const std::string_view name = ggml_get_name(tensor);
  if (!watched || !name.starts_with(output)) return false;
  const int layer = std::atoi(name.data() + output.size());
  if (std::ranges::count(watched->capture->layers, layer) == 0) return false;
  if (ask) return true;
  const auto& rows = static_cast<size_t>(tensor->ne[1]) == rows_watched.size() ? rows_watched : outputs_watched;
  const int width = static_cast<int>(tensor->ne[0]);
  std::vector<float> values(static_cast<size_t>(width));
  for (size_t row = 0; row < rows.size() && row < static_cast<size_t>(tensor->ne[1]); ++row) {
    if (!is_captured(*watched, rows[row])) continue;
    ggml_backend_tensor_get(tensor, values.data(), row * tensor->nb[1], values.size() * sizeof(float));
    watched->capture->seen(layer, rows[row], values.data(), width);
  }
  return true;
}

// Hands out the logits behind target[position]. A job without `next` is done.
void Engine::Inside::settle(Active& one, int batch_index, size_t position) {
  const float* logits = llama_get_logits_ith(context.get(), batch_index);
  if (position >= one.job.seen_from && position < one.job.prompt.size() && one.job.seen) one.job.seen(position, logits);
  if (position + 1 != one.target.size()) return;
  std::optional<llama_token> token;
  if (one.job.next) token = one.job.next(logits);
  if (token && one.target.size() < one.job.prompt.size() + static_cast<size_t>(one.job.most))
    one.target.push_back(*token);
  else
    one.over = true;
}

void Engine::Inside::finish(Active& over, Status status) {
  ++mine.jobs;
  mine.prompt_tokens += static_cast<int64_t>(over.job.prompt.size());
  over.line->busy = false;
  if (over.line->conversation == over.line) lines->end(over.line);  // nobody goes on; its prompt may serve others
  auto done = std::move(over.job.done);
  const EngineReply reply{std::move(status), over.cached};
  active.remove_if([&](const Active& one) { return &one == &over; });
  done(reply);
}

void Engine::Inside::fail_all(const Error& error) {
  while (!active.empty()) finish(active.front(), error);
  if (lines) lines->clear();
  std::deque<EngineJob> refused = std::move(waiting);
  waiting.clear();
  passed.clear();
  for (EngineJob& job : refused) job.done({error, 0});
}

Engine::Engine(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {
  inside_->thread = std::thread([this] { inside_->run(); });
}

Engine::~Engine() {
  {
    std::lock_guard lock(inside_->mutex);
    inside_->stopping = true;
  }
  inside_->wake.notify_one();
  inside_->thread.join();
}

Result<std::unique_ptr<Engine>> Engine::make(llama_model* model, const EngineOptions& options) {
  auto inside = std::make_unique<Inside>(model, options);
  inside->options.width = std::clamp(inside->options.width, 1, most_sequences);
  const bool as_unified = !options.exact && options.hold != EngineOptions::Hold::streams;
  if (Status made = inside->make_context(as_unified, std::min(options.context, 1024)); !made) return made.error();
  return std::unique_ptr<Engine>(new Engine(std::move(inside)));
}

void Engine::submit(EngineJob job) {
  std::lock_guard lock(inside_->mutex);
  inside_->inbox.push_back(std::move(job));
}

void Engine::go() {
  {
    std::lock_guard lock(inside_->mutex);
    if (inside_->inbox.empty()) return;
    inside_->released = true;
  }
  inside_->wake.notify_one();
}

void Engine::end(const void* conversation) {
  {
    std::lock_guard lock(inside_->mutex);
    inside_->ended.push_back(conversation);
  }
  inside_->wake.notify_one();
}

EngineWork Engine::work() const {
  std::lock_guard lock(inside_->mutex);
  return inside_->totals;
}

EngineRoom Engine::room() const {
  std::lock_guard lock(inside_->mutex);
  return inside_->room_now;
}

const char* Engine::hold() const { return inside_->unified ? "unified" : "streams"; }

bool Engine::flash_attention() const { return !inside_->options.exact || inside_->exact_attention; }

}  // namespace assay
