#include "organism/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/text.h"
#include "model/gguf/engine.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/llama_log.h"
#include "model/gguf/logprob.h"
#include "model/gguf/weights.h"

namespace assay {
namespace {

constexpr int longest = 4096;  // tokens of a path; organisms' episodes have some hundred

// The tree's paths from the root to a node behind which nothing is asked any more, and what is asked along each.
struct Path {
  std::vector<int32_t> nodes;
  size_t first_asked = 0;  // index in `nodes`
};

std::vector<Path> paths_of(const TokenTree& tree) {
  std::vector<bool> asked(tree.tokens.size(), false), goes_on(tree.tokens.size(), false);
  for (const TokenTree::Target& target : tree.targets) asked[static_cast<size_t>(target.at)] = true;
  std::vector<bool> needed = asked;
  for (size_t i = tree.tokens.size(); i-- > 0;) {
    if (!needed[i] || tree.parent[i] < 0) continue;
    needed[static_cast<size_t>(tree.parent[i])] = goes_on[static_cast<size_t>(tree.parent[i])] = true;
  }
  std::vector<bool> told(tree.tokens.size(), false);  // a node is asked in the first path that holds it
  std::vector<Path> paths;
  for (size_t i = 0; i < tree.tokens.size(); ++i) {
    if (!asked[i] || goes_on[i]) continue;
    Path path;
    for (int32_t at = static_cast<int32_t>(i); at >= 0; at = tree.parent[static_cast<size_t>(at)])
      path.nodes.push_back(at);
    std::ranges::reverse(path.nodes);
    path.first_asked = path.nodes.size();
    for (size_t n = path.nodes.size(); n-- > 0;) {
      const auto node = static_cast<size_t>(path.nodes[n]);
      if (asked[node] && !told[node]) path.first_asked = n, told[node] = true;
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace

struct Network::Inside {
  SharedWeights weights;
  llama_adapter_lora* adapter = nullptr;
  int context = 0, vocabulary = 0;
  std::unique_ptr<Engine> engine;  // last: its thread uses what stands above
};

Network::Network(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Network::~Network() = default;

Result<std::unique_ptr<Network>> Network::open(const std::string& base, const std::string& adapter, int threads) {
  capture_llama_log();
  take_llama_error();
  auto inside = std::make_unique<Inside>();
  Result<SharedWeights> weights = load_weights(base, /*gpu_layers=*/0);
  if (!weights) return Error{fmt::format("{} {}", for_terminal(base), weights.error().text)};
  inside->weights = std::move(*weights);
  if (!adapter.empty()) {
    if (Result<GgufFile> file = check_adapter(adapter); !file) return file.error();
    Result<llama_adapter_lora*> loaded = load_adapter(inside->weights, adapter);
    if (!loaded) return loaded.error();
    inside->adapter = *loaded;
  }
  inside->context = std::min(longest, llama_model_n_ctx_train(inside->weights.get()));
  inside->vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(inside->weights.get()));
  EngineOptions how;
  how.context = inside->context;
  how.threads = threads;
  how.prepare = [adapter = inside->adapter](llama_context* context) {
    llama_adapter_lora* one = adapter;
    float scale = 1;
    if (one) llama_set_adapters_lora(context, &one, 1, &scale);
  };
  Result<std::unique_ptr<Engine>> engine = Engine::make(inside->weights.get(), how);
  if (!engine) return Error{fmt::format("{} cannot be computed: {}", for_terminal(base), engine.error().text)};
  inside->engine = std::move(*engine);
  return std::unique_ptr<Network>(new Network(std::move(inside)));
}

Result<std::vector<float>> Network::logprobs(const TokenTree& tree) {
  std::vector<std::vector<size_t>> asked(tree.tokens.size());  // node -> its targets
  for (size_t i = 0; i < tree.targets.size(); ++i) asked[static_cast<size_t>(tree.targets[i].at)].push_back(i);
  std::vector<float> logprobs(tree.targets.size());
  const std::vector<Path> paths = paths_of(tree);

  std::mutex mutex;
  std::condition_variable arrived;
  size_t left = paths.size();
  Status status = Done{};
  for (const Path& path : paths) {
    if (static_cast<int>(path.nodes.size()) > inside_->context)
      return Error{
          fmt::format("a course of {} tokens is longer than the context of {}", path.nodes.size(), inside_->context),
          ErrorKind::unfinished};
    EngineJob job;
    for (int32_t node : path.nodes) job.prompt.push_back(tree.tokens[static_cast<size_t>(node)]);
    job.seen_from = path.first_asked;
    job.seen = [&, n = inside_->vocabulary](size_t i, const float* logits) {
      const std::vector<size_t>& targets = asked[static_cast<size_t>(path.nodes[i])];
      if (targets.empty()) return;
      const double total = log_total(logits, n);
      for (size_t target : targets)
        logprobs[target] = static_cast<float>(static_cast<double>(logits[tree.targets[target].token]) - total);
    };
    job.done = [&](const EngineReply& reply) {
      std::lock_guard lock(mutex);
      if (!reply.status) status = reply.status;
      if (--left == 0) arrived.notify_one();
    };
    inside_->engine->submit(std::move(job));
  }
  inside_->engine->go();
  std::unique_lock lock(mutex);
  arrived.wait(lock, [&] { return left == 0; });
  if (!status) return status.error();
  return logprobs;
}

}  // namespace assay
