#include "organism/lora_trainer.h"

#include <fmt/format.h>
#include <ggml-cpu.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "organism/lora_base.h"
#include "organism/lora_files.h"
#include "organism/lora_graph.h"

namespace assay {
namespace {

using namespace lora;

// Why a tree cannot be computed, or "".
std::string fault(const TokenTree& tree, const LoraBase& base) {
  const auto n = static_cast<int64_t>(tree.tokens.size());
  if (n == 0 || tree.parent.size() != tree.tokens.size()) return "has no tokens, or not a parent for each";
  auto outside = [&](int32_t token) { return token < 0 || token >= base.vocabulary; };
  for (int64_t i = 0; i < n; ++i) {
    if (const int32_t parent = tree.parent[static_cast<size_t>(i)]; parent < -1 || parent >= i)
      return fmt::format("has at {} a token before its parent", i);
    if (outside(tree.tokens[static_cast<size_t>(i)])) return fmt::format("has at {} a token outside the vocabulary", i);
  }
  for (const TokenTree::Target& target : tree.targets)
    if (target.at < 0 || target.at >= n || outside(target.token) || !std::isfinite(target.weight))
      return "has a target that is outside of it or outside the vocabulary";
  if (n > base.context) return fmt::format("has {} tokens, and the base's context is {}", n, base.context);
  return "";
}

class Trainer : public LoraTrainer {
 public:
  Trainer(std::unique_ptr<LoraBase> base, const LoraShape& shape, int threads, uint64_t seed, const AdamW& settings)
      : base_(std::move(base)),
        adapter_(*base_, shape, seed),
        settings_(settings),
        threads_(threads),
        first_(adapter_.values.size()),
        second_(adapter_.values.size()),
        gradient_(adapter_.values.size()),
        cpu_(ggml_backend_cpu_init()),
        memory_(ggml_gallocr_new(ggml_backend_cpu_buffer_type())) {
    ggml_backend_cpu_set_n_threads(cpu_.get(), threads);
  }

  Result<TreeLoss> learn(const TokenTree& tree) override {
    if (Status fine = check(tree); !fine) return fine.error();
    if (tree.targets.empty()) return TreeLoss{};
    LoraGraph graph(*base_, adapter_, tree, true, threads_);
    if (Status done = compute(graph); !done) return done.error();
    const std::vector<LoraGraph::Gradient> gradients = graph.gradients();
    for (const LoraGraph::Gradient& part : gradients)
      if (!std::all_of(part.values, part.values + part.group->size, [](float x) { return std::isfinite(x); }))
        return no_number("gradient");
    for (const LoraGraph::Gradient& part : gradients)
      for (size_t i = 0; i < part.group->size; ++i) gradient_[part.group->begin + i] += part.values[i];
    gathered_ = true;
    tokens_ += static_cast<int64_t>(tree.tokens.size());
    TreeLoss sum;
    for (size_t i = 0; i < tree.targets.size(); ++i) {
      const double weight = tree.targets[i].weight, loss = -weight * static_cast<double>(graph.log_probs()[i]);
      sum.weight += weight, sum.loss += loss;
      if (tree.targets[i].deciding) sum.deciding_weight += weight, sum.deciding_loss += loss;
    }
    return sum;
  }

  Result<std::vector<float>> logprobs(const TokenTree& tree) override {
    if (Status fine = check(tree); !fine) return fine.error();
    if (tree.targets.empty()) return std::vector<float>();
    LoraGraph graph(*base_, adapter_, tree, false, threads_);
    if (Status done = compute(graph); !done) return done.error();
    return graph.log_probs();
  }

  double step(double rate, double scale) override {
    double squares = 0;
    for (float g : gradient_) squares += static_cast<double>(g) * g;
    const double norm = std::abs(scale) * std::sqrt(squares);
    if (settings_.clip > 0 && norm > settings_.clip) scale *= settings_.clip / norm;
    ++steps_;
    const double b1 = settings_.b1, b2 = settings_.b2;
    const double bias1 = 1 - std::pow(b1, static_cast<double>(steps_)),
                 bias2 = 1 - std::pow(b2, static_cast<double>(steps_));
    for (size_t i = 0; i < gradient_.size(); ++i) {
      const double g = gradient_[i] * scale;
      first_[i] = static_cast<float>(b1 * first_[i] + (1 - b1) * g);
      second_[i] = static_cast<float>(b2 * second_[i] + (1 - b2) * g * g);
      const double move = first_[i] / bias1 / (std::sqrt(second_[i] / bias2) + settings_.epsilon);
      adapter_.values[i] -= static_cast<float>(rate * (move + settings_.decay * adapter_.values[i]));
    }
    std::fill(gradient_.begin(), gradient_.end(), 0.0f);
    gathered_ = false;
    turned_ = false;
    return norm;
  }

  int steps() const override { return static_cast<int>(steps_); }
  int64_t tokens() const override { return tokens_; }

  Status save_adapter(const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& metadata) override {
    turn();
    return write_whole(path, adapter_.file(metadata));
  }

  Status save_checkpoint(const std::string& path) override {
    return write_whole(path, Checkpoint{made_for(), steps_, tokens_, gathered_, adapter_.values, first_, second_,
                                        gathered_ ? gradient_ : std::vector<float>()}
                                 .bytes());
  }

  Status load_checkpoint(const std::string& path) override {
    Result<std::string> bytes = read_whole(path);
    if (!bytes) return bytes.error();
    Result<Checkpoint> read = Checkpoint::read(*bytes);
    if (!read) return Error{fmt::format("{} {}.", for_terminal(path), read.error().text)};
    if (read->made_for != made_for())
      return Error{fmt::format("{} belongs to another training ({}), and this one is {}.", for_terminal(path),
                               clipped(for_terminal(read->made_for), 300), made_for())};
    const size_t n = adapter_.values.size();
    if (read->values.size() != n || read->first.size() != n || read->second.size() != n ||
        read->gradient.size() != (read->gathered ? n : 0))
      return Error{fmt::format("{} is a checkpoint that is damaged.", for_terminal(path))};
    steps_ = read->steps, tokens_ = read->tokens, gathered_ = read->gathered;
    adapter_.values = std::move(read->values);
    first_ = std::move(read->first), second_ = std::move(read->second);
    gradient_ = std::move(read->gradient);
    gradient_.resize(n, 0);
    turned_ = false;
    return Done{};
  }

  std::span<float> parameters() override {
    turned_ = false;
    return adapter_.values;
  }
  std::span<const float> gradient() const override { return gradient_; }

 private:
  static Error no_number(const std::string& what) {
    return {fmt::format("The {} is not a number any more: the rate is too high, or the base is broken.", what),
            ErrorKind::unfinished};
  }

  Status check(const TokenTree& tree) const {
    if (const std::string why = fault(tree, *base_); !why.empty())
      return Error{fmt::format("A tree of tokens {}.", why)};
    return Done{};
  }

  void turn() {
    if (!turned_) adapter_.turn();
    turned_ = true;
  }

  Status compute(LoraGraph& graph) {
    turn();
    if (!graph.compute(memory_.get(), cpu_.get()))
      return Error{"There is not enough memory for a tree of this size.", ErrorKind::unfinished};
    for (float p : graph.log_probs())
      if (!std::isfinite(p)) return no_number("loss");
    return Done{};
  }

  std::string made_for() const {
    const LoraShape& s = adapter_.shape();
    return fmt::format("base {}, rank {}, alpha {}, from layer {}{}, AdamW {} {} {} {} {}", base_->sha256, s.rank,
                       s.alpha, s.first_layer, s.feed_forward ? " with feed-forward" : "", settings_.b1, settings_.b2,
                       settings_.epsilon, settings_.decay, settings_.clip);
  }

  const std::unique_ptr<LoraBase> base_;
  Adapter adapter_;
  const AdamW settings_;
  const int threads_;
  bool turned_ = true, gathered_ = false;
  int64_t steps_ = 0, tokens_ = 0;
  std::vector<float> first_, second_, gradient_;  // AdamW's moments
  ggml_backend_ptr cpu_;
  ggml_gallocr_ptr memory_;
};

}  // namespace

Result<std::unique_ptr<LoraTrainer>> LoraTrainer::make(const std::string& base_gguf, const LoraShape& shape,
                                                       int threads, uint64_t seed, const AdamW& settings) {
  if (shape.rank < 1 || shape.rank > 1024)
    return Error{fmt::format("An adapter's rank is 1 to 1024, not {}.", shape.rank)};
  if (!std::isfinite(shape.alpha) || shape.alpha <= 0) return Error{"An adapter's alpha is a number above 0."};
  if (shape.first_layer < 0) return Error{"An adapter's first layer is 0 or a later one."};
  Result<std::unique_ptr<LoraBase>> base = LoraBase::load(base_gguf, shape.first_layer);
  if (!base) return base.error();
  if (shape.first_layer >= static_cast<int>((*base)->layers.size()))
    return Error{fmt::format("The adapter begins at layer {}, and the base has the layers 0 to {}.", shape.first_layer,
                             (*base)->layers.size() - 1)};
  return std::unique_ptr<LoraTrainer>(
      std::make_unique<Trainer>(std::move(*base), shape, std::max(threads, 1), seed, settings));
}

}  // namespace assay
