// What a step of many sequences behind one prefix costs, without flash attention (ggml multiplies with every cell and
// masks) and with attention by the mask (src/model/gguf/attention.h), in one process, by turns:
//   shared_attention MODEL.gguf
// Prints a table for BENCHMARKS.md.
#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int prefix = 1600, own = 100, rounds = 5;

// Sequences behind a prefix, each with tokens of its own.
class Held {
 public:
  Held(llama_model* model, int sequences, bool by_mask) : sequences_(sequences) {
    llama_context_params how = llama_context_default_params();
    how.n_seq_max = static_cast<uint32_t>(sequences);
    how.kv_unified = true;
    how.n_batch = how.n_ubatch = 512;
    how.n_ctx = static_cast<uint32_t>(prefix + sequences * (own + 2 * rounds));
    how.n_outputs_max = static_cast<uint32_t>(std::max(sequences, 128));
    how.n_threads = how.n_threads_batch = static_cast<int>(std::thread::hardware_concurrency());
    how.flash_attn_type = by_mask ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    context_.reset(llama_init_from_model(model, how));
    for (int i = 0; i < prefix; ++i) put(i, 0, i + 1 == prefix);
    compute();
    for (int s = 1; s < sequences; ++s) llama_memory_seq_cp(llama_get_memory(context_.get()), 0, s, -1, -1);
    for (int i = 0; i < own; ++i, ++length_) step();
  }
  ~Held() { llama_batch_free(batch_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  // One token for each sequence; seconds.
  double step() {
    for (int s = 0; s < sequences_; ++s) put(length_, s, true);
    const Clock::time_point begun = Clock::now();
    compute();
    return std::chrono::duration<double>(Clock::now() - begun).count();
  }
  double next() {
    const double seconds = step();
    ++length_;
    return seconds;
  }

 private:
  void put(int position, int sequence, bool shown) {
    if (batch_.n_tokens == 512) compute();
    const int at = batch_.n_tokens++;
    batch_.token[at] = 100 + (31 * position + 7 * sequence) % 3000;
    batch_.pos[at] = position;
    batch_.n_seq_id[at] = 1;
    batch_.seq_id[at][0] = sequence;
    batch_.logits[at] = shown;
  }
  void compute() {
    if (batch_.n_tokens > 0) llama_decode(context_.get(), batch_);
    batch_.n_tokens = 0;
  }

  int sequences_, length_ = prefix;
  llama_context_ptr context_;
  llama_batch batch_ = llama_batch_init(512, 0, 1);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fmt::print(stderr, "shared_attention MODEL.gguf\n"), 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_model_ptr model(llama_model_load_from_file(argv[1], llama_model_default_params()));
  if (!model) return fmt::print(stderr, "{} cannot be loaded\n", argv[1]), 2;

  fmt::print(
      "{} threads; a prefix of {} tokens, {} more of each sequence; least of {} steps, in milliseconds a token.\n\n",
      std::thread::hardware_concurrency(), prefix, own, rounds);
  fmt::print("| sequences | all cells, masked | by the mask | ratio |\n|---|---|---|---|\n");
  for (int sequences : {4, 8, 16, 32, 64}) {
    Held plain(model.get(), sequences, false), by_mask(model.get(), sequences, true);
    double before = 1e9, after = 1e9;
    for (int round = 0; round < rounds; ++round) {
      before = std::min(before, plain.next());
      after = std::min(after, by_mask.next());
    }
    fmt::print("| {} | {:.2f} | {:.2f} | {:.1f} |\n", sequences, 1e3 * before / sequences, 1e3 * after / sequences,
               before / after);
  }
  return 0;
}
