#include "organism/training_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace assay {
namespace {

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void whole(const Fields& fields, const char* key, int low, int high, int& into, Diagnostics& diagnostics) {
  if (auto* node = fields.get(key)) into = as_integer(*node, key, low, high, diagnostics).value_or(into);
}

void read_adapter(const YamlNode& node, LoraShape& into, Diagnostics& diagnostics) {
  Fields fields(node, "adapter", {"rank", "alpha", "from_layer", "feed_forward"}, {}, diagnostics);
  whole(fields, "rank", 1, 256, into.rank, diagnostics);
  double alpha = 2.0 * into.rank;
  read_number(fields, "alpha", 0.001, 10000, alpha, diagnostics);
  into.alpha = static_cast<float>(alpha);
  whole(fields, "from_layer", 0, 1000, into.first_layer, diagnostics);
  if (auto* n = fields.get("feed_forward"))
    into.feed_forward = as_truth(*n, "feed_forward", diagnostics).value_or(false);
}

void read_training(const YamlNode& node, const std::vector<std::string>& more, TrainingSettings& into,
                   Diagnostics& diagnostics) {
  std::vector<std::string> keys = {"steps", "peak", "warm_up", "clip", "decay"};
  keys.insert(keys.end(), more.begin(), more.end());
  keys.insert(keys.end(), {"look_every", "look_draws"});
  Fields fields(node, "training", keys, {}, diagnostics);
  int steps = static_cast<int>(into.schedule.steps), warm_up = static_cast<int>(into.schedule.warm_up);
  whole(fields, "steps", 1, 1'000'000, steps, diagnostics);
  whole(fields, "warm_up", 0, 100'000, warm_up, diagnostics);
  into.schedule.steps = steps, into.schedule.warm_up = warm_up;
  read_number(fields, "peak", 1e-7, 1, into.schedule.peak, diagnostics);
  read_number(fields, "clip", 1e-6, 1e6, into.optimizer.clip, diagnostics);
  read_number(fields, "decay", 0, 1, into.optimizer.decay, diagnostics);
  whole(fields, "look_every", 0, 1'000'000, into.look_every, diagnostics);
  whole(fields, "look_draws", 1, 1000, into.look_draws, diagnostics);
}

}  // namespace

double Schedule::rate(int64_t step) const {
  if (step < warm_up) return peak * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  const double done = static_cast<double>(step - warm_up) / static_cast<double>(std::max<int64_t>(1, steps - warm_up));
  return peak * (0.01 + 0.99 * 0.5 * (1 + std::cos(std::numbers::pi * std::min(done, 1.0))));
}

void read_text(const Fields& fields, const char* key, std::string& into, Diagnostics& diagnostics) {
  if (auto* node = fields.get(key)) into = as_text(*node, key, diagnostics).value_or("");
}

void read_number(const Fields& fields, const char* key, double low, double high, double& into,
                 Diagnostics& diagnostics) {
  if (auto* node = fields.get(key)) into = as_number(*node, key, low, high, diagnostics).value_or(into);
}

void read_name(const Fields& recipe, const char* key, const std::string& what, std::string& into,
               Diagnostics& diagnostics) {
  read_text(recipe, key, into, diagnostics);
  if (auto* node = recipe.get(key); node && !is_name(into))
    complain(*node, fmt::format("{} name has letters, digits, - and _ only", what), diagnostics);
}

void read_settings(const Fields& recipe, const std::vector<std::string>& more, TrainingSettings& into,
                   Diagnostics& diagnostics) {
  if (auto* node = recipe.get("base_sha256")) {
    read_text(recipe, "base_sha256", into.base_sha256, diagnostics);
    if (into.base_sha256.size() != 64 || into.base_sha256.find_first_not_of("0123456789abcdef") != std::string::npos)
      complain(*node, "base_sha256 is the sha256 of the base's GGUF file: 64 digits 0-9a-f", diagnostics);
  }
  if (auto* node = recipe.get("adapter")) read_adapter(*node, into.adapter, diagnostics);
  if (auto* node = recipe.get("training")) read_training(*node, more, into, diagnostics);
  if (auto* node = recipe.get("seed"))
    into.seed = static_cast<uint64_t>(as_integer(*node, "seed", 0, 2'000'000'000, diagnostics).value_or(1));
}

}  // namespace assay
