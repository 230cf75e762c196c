#include "model/gguf/gguf_model.h"

#include <common/build-info.h>
#include <fmt/format.h>
#include <llama-cpp.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "base/text.h"
#include "model/gguf/chat_format.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/llama_log.h"
#include "model/gguf/sampler.h"

// One sequence, and what is kept of it.
//
// The context holds the tokens of the last request and its reply. The next request keeps the longest common prefix and
// computes the rest. Floating point makes this delicate: the same token computed in a chunk of another shape may differ
// in the last bits, and a sampled reply then differs too. Measured (LLAMA.md of the design, and gguf_model_test):
// chunks of `smallest_chunk` tokens and more agree to the bit with each other, single tokens do not. Hence three rules,
// which make an episode's replies independent of what the model did before it:
//   1. a prompt's last `smallest_chunk` tokens are always computed afresh, so that no chunk is smaller;
//   2. a prompt is cut into chunks of equal size, at most `largest_chunk`;
//   3. an episode's first turn keeps nothing that was computed one by one while an earlier episode was written.
namespace assay {
namespace {

constexpr int largest_chunk = 512;
constexpr size_t smallest_chunk = 32;
constexpr size_t none = static_cast<size_t>(-1);

std::string piece_of(const llama_vocab* vocab, llama_token token) {
  std::string piece(64, '\0');
  auto write = [&] {
    return llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, /*special=*/true);
  };
  int32_t n = write();
  if (n < 0) {
    piece.resize(-n);
    n = write();
  }
  piece.resize(std::max(n, 0));
  return piece;
}

std::string meta(const llama_model* model, const char* key) {
  char value[128] = "";
  return llama_model_meta_val_str(model, key, value, sizeof value) < 0 ? "" : valid_utf8(value);
}

class GgufModel : public Model {
 public:
  GgufModel(GgufOptions options, GgufFile file) : options_(std::move(options)), file_(std::move(file)) {}
  Status load();

  std::string id() const override { return "gguf:" + file_.name; }
  Json settings() const override;
  int episodes_at_once() const override { return 1; }
  Result<std::optional<int64_t>> check(const Request& opening) override;
  void submit(Request request, OnDone on_done) override { waiting_.emplace_back(request, std::move(on_done)); }
  void poll(std::chrono::milliseconds wait) override;

 private:
  Result<Reply> answer(const Request& request);
  Status read_prompt(const std::vector<llama_token>& tokens, bool first_turn, Usage& usage);
  Status compute(const llama_token* tokens, int n);
  void forget();

  GgufOptions options_;
  GgufFile file_;
  llama_model_ptr model_;
  llama_context_ptr context_;
  std::unique_ptr<ChatFormat> format_;
  const llama_vocab* vocab_ = nullptr;

  std::deque<std::pair<Request, OnDone>> waiting_;
  std::vector<Reply> written_;       // the replies of the episode that is being played
  std::vector<llama_token> cached_;  // what the context holds, in order
  size_t first_single_ = none;       // of those, the first that was computed one by one
};

Status GgufModel::load() {
  auto refuse = [&](std::string_view why) {
    return Error{fmt::format("gguf:{} {}", for_terminal(options_.path), why)};
  };
  capture_llama_log();
  take_llama_error();
  auto cannot_load = [&] {
    std::string why = take_llama_error();
    return refuse("cannot be loaded" + (why.empty() ? "." : ": " + why + "."));
  };

  llama_model_params wanted = llama_model_default_params();
  model_.reset(llama_model_load_from_file(options_.path.c_str(), wanted));
  if (!model_) return cannot_load();
  if (llama_model_has_encoder(model_.get()) || !llama_model_has_decoder(model_.get()) ||
      llama_model_is_diffusion(model_.get()))
    return refuse("is no model that writes text token by token.");
  vocab_ = llama_model_get_vocab(model_.get());
  if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_NONE) return refuse("has no vocabulary.");

  const int trained = llama_model_n_ctx_train(model_.get());
  if (options_.context > trained)
    return refuse(fmt::format("was trained on contexts of {} tokens; ctx={} is too large.", trained, options_.context));
  llama_context_params how = llama_context_default_params();
  how.n_ctx = options_.context > 0 ? options_.context : std::min(trained, 8192);
  how.n_batch = how.n_ubatch = largest_chunk;
  how.n_seq_max = 1;
  how.n_threads = how.n_threads_batch =
      options_.threads > 0 ? options_.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  how.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  how.no_perf = true;
  context_.reset(llama_init_from_model(model_.get(), how));
  if (!context_) return cannot_load();
  if (!llama_get_memory(context_.get())) return refuse("is no model that writes text token by token.");

  Result<std::unique_ptr<ChatFormat>> format = ChatFormat::make(model_.get(), options_.tool_format);
  if (!format) return refuse(format.error().text);
  format_ = std::move(*format);
  return Done{};
}

Json GgufModel::settings() const {
  Sampling unasked;
  char description[128] = "";
  llama_model_desc(model_.get(), description, sizeof description);
  return {{"backend", "llama.cpp"},
          {"file", valid_utf8(file_.name)},
          {"file_sha256", file_.sha256},
          {"name", meta(model_.get(), "general.name")},
          {"architecture", meta(model_.get(), "general.architecture")},
          {"description", valid_utf8(description)},
          {"parameters", llama_model_n_params(model_.get())},
          {"quantisation", llama_ftype_name(llama_model_ftype(model_.get()))},
          {"context", llama_n_ctx(context_.get())},
          {"threads", llama_n_threads(context_.get())},
          {"flash_attention", false},
          {"chunk", largest_chunk},
          {"temperature", options_.temperature.value_or(unasked.temperature)},
          {"top_p", options_.top_p.value_or(unasked.top_p)},
          {"max_tokens", options_.max_tokens.value_or(unasked.max_tokens)},
          {"tool_format", format_->name()},
          {"grammar", options_.grammar},
          {"control_tokens_in_content", "split"},
          {"template_date", "2026-01-01"},
          {"llama_cpp", fmt::format("{} {}", llama_version(), llama_build_info())},
          {"cpu", llama_print_system_info()}};
}

Result<std::optional<int64_t>> GgufModel::check(const Request& opening) {
  Result<Prompt> prompt = format_->prompt(*opening.messages, *opening.tools, {}, options_.grammar);
  if (!prompt)
    return Error{fmt::format("gguf:{} cannot be asked: its chat template refuses the conversation: {}.",
                             for_terminal(options_.path), prompt.error().text)};
  const size_t has = llama_n_ctx(context_.get());
  if (prompt->tokens.size() < has) return std::optional(static_cast<int64_t>(prompt->tokens.size()));
  return Error{fmt::format(
      "gguf:{} has a context of {} tokens, too small: an episode of {} begins with {}; ctx=N asks for more.",
      for_terminal(options_.path), has, opening.spec->scenario->name, prompt->tokens.size())};
}

void GgufModel::poll(std::chrono::milliseconds) {
  if (waiting_.empty()) return;
  auto [request, on_done] = std::move(waiting_.front());
  waiting_.pop_front();
  Result<Reply> reply = Error{};
  try {
    reply = answer(request);
  } catch (const std::exception& e) {
    forget();
    reply = Error{fmt::format("llama.cpp failed: {}", clipped(for_terminal(e.what()), 200)), ErrorKind::unfinished};
  }
  on_done(std::move(reply));
}

Result<Reply> GgufModel::answer(const Request& request) {
  written_.resize(std::min(written_.size(), static_cast<size_t>(std::max(request.turn, 0))));
  Result<Prompt> prompt = format_->prompt(*request.messages, *request.tools, written_, options_.grammar);
  if (!prompt)
    return Error{"the model's chat template refuses the conversation: " + prompt.error().text, ErrorKind::unfinished};
  const int room = static_cast<int>(llama_n_ctx(context_.get())) - static_cast<int>(prompt->tokens.size());
  if (room < 1) return Error{context_full, ErrorKind::unfinished};

  Sampling sampling = request.sampling;
  sampling.temperature = options_.temperature.value_or(sampling.temperature);
  sampling.top_p = options_.top_p.value_or(sampling.top_p);
  const int limit = std::min({room, sampling.max_tokens, options_.max_tokens.value_or(sampling.max_tokens)});
  Result<Sampler> sampler = Sampler::make(vocab_, sampling, prompt->grammar);
  if (!sampler) return sampler.error();

  Usage usage;
  if (Status status = read_prompt(prompt->tokens, request.turn == 0, usage); !status) return status.error();

  std::string raw;
  bool cut = true;  // until it ends by itself
  while (usage.completion_tokens < limit) {
    Result<llama_token> token = sampler->draw(llama_get_logits_ith(context_.get(), -1));
    if (!token) return token.error();
    ++usage.completion_tokens;
    if (llama_vocab_is_eog(vocab_, *token)) {
      cut = false;
      break;
    }
    raw += piece_of(vocab_, *token);
    auto stop = std::find_if(prompt->stops.begin(), prompt->stops.end(),
                             [&](const std::string& s) { return !s.empty() && raw.find(s) != raw.npos; });
    if (stop != prompt->stops.end()) {
      raw.resize(raw.find(*stop));
      cut = false;
      break;
    }
    if (usage.completion_tokens == limit) break;
    first_single_ = std::min(first_single_, cached_.size());
    if (Status status = compute(&*token, 1); !status) return status.error();
  }

  Reply reply = format_->read(*prompt, raw, cut);
  reply.usage = usage;
  written_.push_back(reply);
  return reply;
}

Status GgufModel::read_prompt(const std::vector<llama_token>& tokens, bool first_turn, Usage& usage) {
  size_t keep = std::mismatch(cached_.begin(), cached_.end(), tokens.begin(), tokens.end()).first - cached_.begin();
  if (first_turn) keep = std::min(keep, first_single_);
  keep = std::min(keep, tokens.size() - std::min(tokens.size(), smallest_chunk));
  if (keep == 0) {
    forget();
  } else if (keep < cached_.size()) {
    // Recurrent models cannot go back to an earlier state: they start again.
    if (llama_memory_seq_rm(llama_get_memory(context_.get()), 0, static_cast<llama_pos>(keep), -1)) {
      cached_.resize(keep);
      if (first_single_ >= keep) first_single_ = none;
    } else {
      forget();
      keep = 0;
    }
  }
  usage.prompt_tokens = static_cast<int64_t>(tokens.size());
  usage.cached_tokens = static_cast<int64_t>(keep);

  const size_t left = tokens.size() - keep, chunks = (left + largest_chunk - 1) / largest_chunk;
  for (size_t i = 0; i < chunks; ++i) {
    size_t begin = keep + left * i / chunks, end = keep + left * (i + 1) / chunks;
    if (Status status = compute(tokens.data() + begin, static_cast<int>(end - begin)); !status) return status;
  }
  return Done{};
}

Status GgufModel::compute(const llama_token* tokens, int n) {
  std::vector<llama_token> batch(tokens, tokens + n);
  int32_t failed = llama_decode(context_.get(), llama_batch_get_one(batch.data(), n));
  if (failed == 0) {
    cached_.insert(cached_.end(), batch.begin(), batch.end());
    return Done{};
  }
  forget();  // after an error the memory may hold a part of the batch
  if (failed == 1) return Error{context_full, ErrorKind::unfinished};
  return Error{fmt::format("llama.cpp could not compute (llama_decode: {}) {}", failed, take_llama_error()),
               ErrorKind::unfinished};
}

void GgufModel::forget() {
  llama_memory_clear(llama_get_memory(context_.get()), false);
  cached_.clear();
  first_single_ = none;
}

}  // namespace

Result<std::unique_ptr<Model>> open_gguf(const GgufOptions& options) {
  Result<GgufFile> file = check_gguf(options.path);
  if (!file) return file.error();
  auto model = std::make_unique<GgufModel>(options, *file);
  try {
    if (Status status = model->load(); !status) return status.error();
  } catch (const std::exception& e) {
    return Error{
        fmt::format("gguf:{} cannot be loaded: {}.", for_terminal(options.path), clipped(for_terminal(e.what()), 200))};
  }
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace assay
