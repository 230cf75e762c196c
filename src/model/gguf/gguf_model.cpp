#include "model/gguf/gguf_model.h"

#include <common/build-info.h>
#include <fmt/format.h>
#include <llama-cpp.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include "base/hash.h"
#include "base/text.h"
#include "model/gguf/chat_format.h"
#include "model/gguf/engine.h"
#include "model/gguf/gguf_card.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/llama_log.h"
#include "model/gguf/logprob.h"
#include "model/gguf/sampler.h"
#include "model/gguf/weights.h"

namespace assay {
namespace {

constexpr int widest = 64;           // episodes at once
constexpr int usual_context = 8192;  // tokens, where the model was trained on more and nothing else is asked for

std::string meta(const llama_model* model, const char* key) {
  char value[128] = "";
  return llama_model_meta_val_str(model, key, value, sizeof value) < 0 ? "" : valid_utf8(value);
}

// Bytes for keys and values: what was asked for, else 2 GB or a quarter of the machine's memory.
int64_t memory_for(int megabytes) {
  if (megabytes > 0) return int64_t(megabytes) << 20;
  const int64_t machine = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min(int64_t(2) << 30, machine / 4);
}

// A reply that is being written. The engine's thread has it until it is done, then the caller's.
struct Writing {
  const void* conversation = nullptr;
  Prompt prompt;
  std::optional<Sampler> sampler;
  int limit = 0;  // tokens
  int top = -1;   // likeliest tokens to note; -1: not even the one that was written
  OnDone on_done;

  std::string raw;
  bool cut = true;  // until it ends by itself
  bool ended_by_grammar = false;
  Usage usage;
  std::vector<WrittenToken> logprobs;
  Status status = Done{};
};

class GgufModel : public Model {
 public:
  GgufModel(GgufOptions options, GgufFile file) : options_(std::move(options)), file_(std::move(file)) {}
  Status load();

  std::string id() const override;
  Json settings() const override;
  ModelCard card() const override;
  int episodes_at_once() const override { return widest; }
  Result<std::optional<int64_t>> check(const Request& opening) override;
  void submit(Request request, OnDone on_done) override;
  bool has_logprobs() const override { return true; }
  std::optional<ModelWork> work() const override {
    const EngineWork work = engine_->work();
    return ModelWork{work.computing, work.choosing, work.busy - work.computing - work.choosing};
  }
  void score(Request request, std::vector<Message> options, OnScored on_done) override;
  void weigh(Request request, std::vector<std::string> labels, OnWeighed on_done) override;
  void read(std::string text, int top, OnRead on_done) override;
  void poll(std::chrono::milliseconds wait) override;
  void ended(const EpisodeSpec& spec) override;

 private:
  Result<std::shared_ptr<Writing>> prepare(const Request& request);
  const std::vector<llama_token>& first_tokens_of(const std::string& label);
  std::optional<llama_token> write(Writing& writing, const float* logits) const;
  void deliver(Writing& writing);
  Result<Prompt> prompt_for(const Request& request, bool at_words = false);
  void later(std::function<void()> answer);  // to be called by poll(); from any thread

  GgufOptions options_;
  GgufFile file_;
  SharedWeights weights_;
  llama_adapter_lora* adapter_ = nullptr;
  GgufFile adapter_file_;
  std::vector<float> control_;  // empty: none
  std::string control_sha256_;  // of its numbers, scaled
  std::unique_ptr<ChatFormat> format_;
  const llama_vocab* vocab_ = nullptr;
  int context_ = 0, threads_ = 1;
  std::map<std::string, std::vector<llama_token>> first_tokens_;  // of labels, as they were asked for
  std::map<const void*, std::vector<Reply>> written_;             // the replies so far of each open conversation

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::function<void()>> done_;  // what poll() is to call
  std::unique_ptr<Engine> engine_;           // last: its thread uses what stands above
};

Status GgufModel::load() {
  auto refuse = [&](std::string_view why) {
    return Error{fmt::format("gguf:{} {}", for_terminal(options_.path), why)};
  };
  capture_llama_log();
  take_llama_error();
  const bool exact = options_.mode == GgufOptions::Mode::exact;
  if (Status fits = fits_machine(options_, has_accelerator()); !fits) return refuse(fits.error().text);
  Result<SharedWeights> weights = load_weights(options_.path, exact ? 0 : options_.gpu_layers, exact);
  if (!weights) return refuse(weights.error().text);
  weights_ = std::move(*weights);
  llama_model* model = weights_.get();
  if (llama_model_has_encoder(model) || !llama_model_has_decoder(model) || llama_model_is_diffusion(model))
    return refuse("is no model that writes text token by token.");
  vocab_ = llama_model_get_vocab(model);
  if (llama_vocab_type(vocab_) == LLAMA_VOCAB_TYPE_NONE) return refuse("has no vocabulary.");
  if (!options_.lora.empty()) {
    Result<GgufFile> adapter_file = check_adapter(options_.lora);
    if (!adapter_file) return adapter_file.error();
    Result<llama_adapter_lora*> adapter = load_adapter(weights_, options_.lora);
    if (!adapter) return adapter.error();
    adapter_ = *adapter;
    adapter_file_ = std::move(*adapter_file);
  }

  if (!options_.control.empty()) {
    Result<std::vector<float>> control = load_control(weights_, options_.control, options_.control_scale);
    if (!control) return control.error();
    control_ = std::move(*control);
    control_sha256_ = sha256({reinterpret_cast<const char*>(control_.data()), control_.size() * sizeof(float)});
  }

  const int trained = llama_model_n_ctx_train(model);
  if (options_.context > trained)
    return refuse(fmt::format("was trained on contexts of {} tokens; ctx={} is too large.", trained, options_.context));
  context_ = options_.context > 0 ? options_.context : std::min(trained, usual_context);
  threads_ =
      options_.threads > 0 ? options_.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  EngineOptions how;
  how.context = context_;
  how.threads = threads_;
  how.exact = exact;
  how.hold = options_.hold == GgufOptions::Hold::unified   ? EngineOptions::Hold::unified
             : options_.hold == GgufOptions::Hold::streams ? EngineOptions::Hold::streams
                                                           : EngineOptions::Hold::automatic;
  how.memory = memory_for(options_.memory);
  how.width = widest;
  how.prepare = [this](llama_context* context) {
    if (adapter_) {
      float scale = static_cast<float>(options_.lora_scale);
      llama_set_adapters_lora(context, &adapter_, 1, &scale);
    }
    if (!control_.empty()) {
      const int last = llama_model_n_layer(weights_.get());
      llama_set_adapter_cvec(context, control_.data(), control_.size(), llama_model_n_embd(weights_.get()),
                             options_.control_from, options_.control_to > 0 ? options_.control_to : last);
    }
  };
  Result<std::unique_ptr<Engine>> engine = Engine::make(model, how);
  if (!engine) {
    const bool memory = engine.error().kind == ErrorKind::unfinished;
    return refuse(
        fmt::format("cannot be loaded: {}{}.", engine.error().text, memory ? " (ctx=N asks for a shorter one)" : ""));
  }
  engine_ = std::move(*engine);

  Result<std::unique_ptr<ChatFormat>> format = ChatFormat::make(model, options_.tool_format);
  if (!format) return refuse(format.error().text);
  format_ = std::move(*format);
  return Done{};
}

std::string GgufModel::id() const {
  const bool called = !options_.called.empty();
  std::string name = called ? options_.called : "gguf:" + file_.name;
  char before = '?';
  auto add = [&](const std::string& what) { name += before + what, before = '&'; };
  if (called && options_.lora_scale != 1) add(fmt::format("lora_scale={}", options_.lora_scale));
  if (adapter_ && !called)
    add("lora=" + adapter_file_.name + (options_.lora_scale == 1 ? "" : fmt::format("*{}", options_.lora_scale)));
  if (!control_.empty())
    add(fmt::format("control={}*{}", valid_utf8(name_of_file(options_.control)), options_.control_scale));
  return name;
}

ModelCard GgufModel::card() const {
  ModelCard card = gguf_card({.model = weights_.get(),
                              .file = file_,
                              .adapter = adapter_ ? &adapter_file_ : nullptr,
                              .options = options_,
                              .format = *format_,
                              .engine = *engine_,
                              .context = context_,
                              .threads = threads_,
                              .at_once = widest});
  card.id = id();
  return card;
}

Json GgufModel::settings() const {
  Sampling unasked;
  Json lora, control;  // null: none
  if (!control_.empty())
    control = {{"file", valid_utf8(name_of_file(options_.control))},
               {"numbers_sha256", control_sha256_},
               {"scale", options_.control_scale},
               {"layers", {options_.control_from, options_.control_to > 0 ? Json(options_.control_to) : Json()}}};
  if (adapter_)
    lora = {{"file", valid_utf8(adapter_file_.name)}, {"sha256", adapter_file_.sha256}, {"scale", options_.lora_scale}};
  const bool exact = options_.mode == GgufOptions::Mode::exact;
  const char* hold = exact || options_.hold == GgufOptions::Hold::streams ? "streams"
                     : options_.hold == GgufOptions::Hold::unified        ? "unified"
                                                                          : "auto";
  const Json gpu_layers = exact || !has_accelerator() ? Json(0)
                          : options_.gpu_layers < 0   ? Json("all")
                                                      : Json(options_.gpu_layers);
  char description[128] = "";
  llama_model_desc(weights_.get(), description, sizeof description);
  return {{"backend", "llama.cpp"},
          {"file", valid_utf8(file_.name)},
          {"file_sha256", file_.sha256},
          {"name", meta(weights_.get(), "general.name")},
          {"architecture", meta(weights_.get(), "general.architecture")},
          {"description", valid_utf8(description)},
          {"parameters", llama_model_n_params(weights_.get())},
          {"quantisation", llama_ftype_name(llama_model_ftype(weights_.get()))},
          {"context", context_},
          {"threads", threads_},
          {"mode", options_.mode == GgufOptions::Mode::exact ? "exact" : "fast"},
          {"flash_attention", engine_->flash_attention()},
          {"hold", hold},
          {"gpu_layers", gpu_layers},
          {"lora", lora},
          {"control", control},
          {"temperature", options_.temperature.value_or(unasked.temperature)},
          {"top_p", options_.top_p.value_or(unasked.top_p)},
          {"min_p", options_.min_p.value_or(unasked.min_p)},
          {"max_tokens", options_.max_tokens ? Json(*options_.max_tokens) : Json()},  // null: the scenario's limit
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
  const size_t has = static_cast<size_t>(context_);
  if (prompt->tokens.size() < has) return std::optional(static_cast<int64_t>(prompt->tokens.size()));
  return Error{fmt::format(
      "gguf:{} has a context of {} tokens, too small: an episode of {} begins with {}; ctx=N asks for more.",
      for_terminal(options_.path), has, opening.spec->scenario->name, prompt->tokens.size())};
}

void GgufModel::later(std::function<void()> answer) {
  {
    std::lock_guard lock(mutex_);
    done_.push_back(std::move(answer));
  }
  arrived_.notify_one();
}

void GgufModel::submit(Request request, OnDone on_done) {
  Result<std::shared_ptr<Writing>> made = prepare(request);
  if (!made) return later([on_done = std::move(on_done), error = made.error()] { on_done(error); });
  std::shared_ptr<Writing> writing = std::move(*made);
  writing->on_done = std::move(on_done);
  EngineJob job;
  job.prompt = writing->prompt.tokens;
  job.most = writing->limit;
  job.conversation = writing->conversation;
  job.next = [this, writing](const float* logits) { return write(*writing, logits); };
  job.done = [this, writing](EngineReply reply) {
    if (writing->status && !reply.status) writing->status = reply.status;
    // Of one that was set back, what it had written was a part of what it could take over.
    writing->usage.cached_tokens = std::min(reply.cached_tokens, static_cast<int64_t>(writing->prompt.tokens.size()));
    later([this, writing] { deliver(*writing); });
  };
  engine_->submit(std::move(job));
}

Result<Prompt> GgufModel::prompt_for(const Request& request, bool at_words) {
  std::vector<Reply>& written = written_[request.spec];
  written.resize(std::min(written.size(), static_cast<size_t>(std::max(request.turn, 0))));
  Result<Prompt> prompt = at_words ? format_->prompt_at_words(*request.messages, *request.tools, written)
                                   : format_->prompt(*request.messages, *request.tools, written, options_.grammar);
  if (!prompt)
    return Error{"the model's chat template refuses the conversation: " + prompt.error().text, ErrorKind::unfinished};
  if (prompt->tokens.empty())
    return Error{"the model's chat template writes nothing for this conversation", ErrorKind::unfinished};
  if (static_cast<int>(prompt->tokens.size()) >= context_)
    return context_is_full(static_cast<int64_t>(prompt->tokens.size()), context_);
  return prompt;
}

Result<std::shared_ptr<Writing>> GgufModel::prepare(const Request& request) {
  Result<Prompt> prompt = prompt_for(request);
  if (!prompt) return prompt.error();
  const int room = context_ - static_cast<int>(prompt->tokens.size());
  Sampling sampling = request.sampling;
  sampling.temperature = options_.temperature.value_or(sampling.temperature);
  sampling.top_p = options_.top_p.value_or(sampling.top_p);
  sampling.min_p = options_.min_p.value_or(sampling.min_p);
  const int limit = std::min({room, sampling.max_tokens, options_.max_tokens.value_or(sampling.max_tokens)});
  Result<Sampler> sampler = Sampler::make(vocab_, sampling, prompt->grammar);
  if (!sampler) return sampler.error();
  auto writing = std::make_shared<Writing>();
  writing->conversation = request.spec;
  writing->prompt = std::move(*prompt);
  writing->sampler = std::move(*sampler);
  writing->limit = limit;
  writing->top = request.logprobs;
  return writing;
}

// One job for each option: they share the conversation, which is computed once, and are read beside each other.
void GgufModel::score(Request request, std::vector<Message> options, OnScored on_done) {
  struct Scoring {
    std::vector<std::vector<TokenLogprob>> scores;
    size_t left = 0;
    Status status = Done{};
    OnScored on_done;
  };
  auto scoring = std::make_shared<Scoring>();
  scoring->on_done = std::move(on_done);
  scoring->scores.resize(options.size());
  auto refuse = [&](const Error& error) { later([scoring, error] { scoring->on_done(error); }); };
  Result<Prompt> prompt = prompt_for(request);
  if (!prompt) return refuse(prompt.error());
  std::vector<EngineJob> jobs;
  for (size_t i = 0; i < options.size(); ++i) {
    Result<std::vector<llama_token>> tokens =
        format_->continuation(*prompt, *request.messages, *request.tools, written_[request.spec], options[i]);
    if (!tokens) return refuse(tokens.error());
    if (prompt->tokens.size() + tokens->size() > static_cast<size_t>(context_))
      return refuse(context_is_full(static_cast<int64_t>(prompt->tokens.size() + tokens->size()), context_));
    if (tokens->empty()) return refuse({"an option is empty", ErrorKind::unfinished});
    EngineJob job;
    job.prompt = prompt->tokens;
    // The last token shows nothing that is asked for: its logits would be of what follows it.
    job.prompt.insert(job.prompt.end(), tokens->begin(), tokens->end() - 1);
    job.common = prompt->tokens.size();
    job.seen_from = prompt->tokens.size() - 1;
    job.seen = [this, scoring, i, first = job.seen_from, option = *tokens](size_t at, const float* logits) {
      std::vector<TokenLogprob>& score = scoring->scores[i];
      score.resize(option.size());
      score[at - first] = logprob_of(vocab_, logits, option[at - first], 0);
      if (std::isnan(score[at - first].logprob))
        scoring->status = Error{"the model's logits are not numbers (NaN)", ErrorKind::unfinished};
    };
    job.done = [this, scoring](EngineReply reply) {
      if (!reply.status) scoring->status = reply.status;
      if (--scoring->left > 0) return;
      later([scoring] {
        if (scoring->status)
          scoring->on_done(std::move(scoring->scores));
        else
          scoring->on_done(scoring->status.error());
      });
    };
    jobs.push_back(std::move(job));
  }
  if (jobs.empty()) return refuse({"there are no options", ErrorKind::unfinished});
  scoring->left = jobs.size();
  for (EngineJob& job : jobs) engine_->submit(std::move(job));
}

void GgufModel::weigh(Request request, std::vector<std::string> labels, OnWeighed on_done) {
  Result<Prompt> prompt = prompt_for(request, /*at_words=*/true);
  if (!prompt) return later([on_done = std::move(on_done), error = prompt.error()] { on_done(error); });
  std::vector<std::vector<llama_token>> tokens;
  for (const std::string& label : labels) tokens.push_back(first_tokens_of(label));
  // A token with which several labels begin tells nothing.
  for (size_t i = 0; i < tokens.size(); ++i)
    std::erase_if(tokens[i], [&](llama_token token) {
      for (size_t j = 0; j < labels.size(); ++j) {
        const std::vector<llama_token>& others = first_tokens_of(labels[j]);
        if (j != i && std::find(others.begin(), others.end(), token) != others.end()) return true;
      }
      return false;
    });
  auto weights = std::make_shared<std::vector<double>>(labels.size());
  EngineJob job;
  job.prompt = std::move(prompt->tokens);
  job.next = [this, weights, tokens](const float* logits) -> std::optional<llama_token> {
    const double total = log_total(logits, llama_vocab_n_tokens(vocab_));
    for (size_t i = 0; i < tokens.size(); ++i)
      for (llama_token token : tokens[i]) (*weights)[i] += std::exp(logits[token] - total);
    return std::nullopt;
  };
  job.done = [this, weights, on_done = std::move(on_done)](EngineReply reply) {
    later([weights, on_done, status = reply.status] {
      if (!status) return on_done(status.error());
      for (double weight : *weights)
        if (!std::isfinite(weight)) return on_done(Error{"the model's logits are not numbers", ErrorKind::unfinished});
      on_done(*weights);
    });
  };
  engine_->submit(std::move(job));
}

void GgufModel::read(std::string text, int top, OnRead on_done) {
  auto refuse = [&](const std::string& why) { later([on_done, why] { on_done(Error{why}); }); };
  std::vector<llama_token> tokens = plain_tokens(vocab_, text);
  if (tokens.empty()) return refuse("the text is empty");
  const size_t mark = llama_vocab_get_add_bos(vocab_) && llama_vocab_bos(vocab_) != LLAMA_TOKEN_NULL ? 1 : 0;
  if (const size_t wanted = tokens.size() + mark; wanted > static_cast<size_t>(context_)) {
    const auto trained = static_cast<size_t>(llama_model_n_ctx_train(weights_.get()));
    return refuse(fmt::format("the text has {} tokens, and the context holds {}{}", tokens.size(),
                              static_cast<size_t>(context_) - mark,
                              wanted <= trained ? fmt::format("; ctx={} would hold them", wanted)
                                                : fmt::format(", as the model was trained on {}", trained)));
  }
  struct Reading {
    std::vector<WrittenToken> tokens;
    Status status = Done{};
    OnRead on_done;
  };
  auto reading = std::make_shared<Reading>();
  reading->on_done = std::move(on_done);
  reading->tokens.resize(tokens.size());
  EngineJob job;
  if (mark) {
    job.prompt.push_back(llama_vocab_bos(vocab_));
  } else {  // nothing tells how likely a text begins so
    static_cast<TokenLogprob&>(reading->tokens.front()) = {tokens.front(), piece_of(vocab_, tokens.front()),
                                                           std::numeric_limits<double>::quiet_NaN()};
  }
  job.prompt.insert(job.prompt.end(), tokens.begin(), tokens.end());
  job.prompt.pop_back();  // whose logits would be of what follows the text
  if (job.prompt.empty()) return later([reading] { reading->on_done(std::move(reading->tokens)); });
  job.seen_from = 0;
  job.seen = [this, reading, tokens, top, mark](size_t at, const float* logits) {
    WrittenToken& one = reading->tokens[at + 1 - mark];
    one = logprob_of(vocab_, logits, tokens[at + 1 - mark], top);
    if (std::isnan(one.logprob))
      reading->status = Error{"the model's logits are not numbers (NaN)", ErrorKind::unfinished};
  };
  job.done = [this, reading](EngineReply reply) {
    if (!reply.status) reading->status = reply.status;
    later([reading] {
      if (reading->status)
        reading->on_done(std::move(reading->tokens));
      else
        reading->on_done(reading->status.error());
    });
  };
  engine_->submit(std::move(job));
}

const std::vector<llama_token>& GgufModel::first_tokens_of(const std::string& label) {
  auto [known, fresh] = first_tokens_.try_emplace(label);
  if (fresh) known->second = first_tokens(vocab_, label);
  return known->second;
}

// On the engine's thread: one more token, or the end.
std::optional<llama_token> GgufModel::write(Writing& writing, const float* logits) const {
  Result<llama_token> token = writing.sampler->draw(logits);
  if (!token) {
    writing.status = token.error();
    return std::nullopt;
  }
  ++writing.usage.completion_tokens;
  if (writing.top >= 0) writing.logprobs.push_back(logprob_of(vocab_, logits, *token, writing.top));
  if (llama_vocab_is_eog(vocab_, *token)) {
    writing.cut = false;
    writing.ended_by_grammar = writing.sampler->ended_by_grammar();
    return std::nullopt;
  }
  writing.raw += piece_of(vocab_, *token);
  for (const std::string& stop : writing.prompt.stops) {
    const size_t at = stop.empty() ? std::string::npos : writing.raw.find(stop);
    if (at == std::string::npos) continue;
    writing.raw.resize(at);
    writing.cut = false;
    return std::nullopt;
  }
  if (writing.usage.completion_tokens == writing.limit) return std::nullopt;
  return *token;
}

void GgufModel::poll(std::chrono::milliseconds wait) {
  engine_->go();
  std::vector<std::function<void()>> ready;
  {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, wait, [&] { return !done_.empty(); });
    ready.swap(done_);
  }
  for (const auto& answer : ready) answer();
}

void GgufModel::deliver(Writing& writing) {
  if (!writing.status) return writing.on_done(writing.status.error());
  Reply reply = format_->read(writing.prompt, writing.raw, writing.cut);
  if (writing.ended_by_grammar && reply.stop == StopReason::end) reply.stop = StopReason::grammar;
  reply.usage = writing.usage;
  reply.usage.prompt_tokens = static_cast<int64_t>(writing.prompt.tokens.size());
  reply.logprobs = std::move(writing.logprobs);
  written_[writing.conversation].push_back(reply);
  writing.on_done(std::move(reply));
}

void GgufModel::ended(const EpisodeSpec& spec) {
  written_.erase(&spec);
  engine_->end(&spec);
}

}  // namespace

Result<std::unique_ptr<Model>> open_gguf(const GgufOptions& options) {
  Result<GgufFile> file = check_gguf(options.path);
  if (!file) return file.error();
  return open_gguf(options, *file);
}

Result<std::unique_ptr<Model>> open_gguf(const GgufOptions& options, const GgufFile& file) {
  auto model = std::make_unique<GgufModel>(options, file);
  try {
    if (Status status = model->load(); !status) return status.error();
  } catch (const std::bad_alloc&) {
    return Error{fmt::format("gguf:{} cannot be loaded: the memory does not suffice.", for_terminal(options.path))};
  } catch (const std::exception& e) {
    return Error{
        fmt::format("gguf:{} cannot be loaded: {}.", for_terminal(options.path), clipped(for_terminal(e.what()), 200))};
  }
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace assay
