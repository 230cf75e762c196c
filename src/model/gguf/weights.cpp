#include "model/gguf/weights.h"

#include <common/common.h>
#include <fmt/format.h>
#include <ggml-backend.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <tuple>

#include "base/text.h"
#include "model/gguf/llama_log.h"

namespace assay {
namespace {

std::string because(const std::string& why) { return why.empty() ? "." : ": " + why + "."; }

}  // namespace

Result<SharedWeights> load_weights(const std::string& path, int gpu_layers, bool exact) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, int, bool>, std::weak_ptr<llama_model>> loaded;
  std::lock_guard lock(mutex);
  std::error_code failed;
  const auto real = std::filesystem::canonical(path, failed);
  // A file that was written anew is another one.
  const auto written = std::filesystem::last_write_time(path, failed).time_since_epoch().count();
  std::weak_ptr<llama_model>& entry = loaded[{fmt::format("{}@{}", real.string(), written), gpu_layers, exact}];
  if (SharedWeights there = entry.lock()) return there;

  capture_llama_log();
  take_llama_error();
  llama_model_params how = llama_model_default_params();
  how.n_gpu_layers = gpu_layers;
  ggml_backend_dev_t none[] = {nullptr};
  if (exact) how.devices = none, how.use_extra_bufts = false;
  SharedWeights weights(llama_model_load_from_file(path.c_str(), how), [](llama_model* m) {
    if (m) llama_model_free(m);
  });
  if (!weights) return Error{"cannot be loaded" + because(take_llama_error())};
  entry = weights;
  return weights;
}

bool has_accelerator() {
  for (size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    const auto type = ggml_backend_dev_type(ggml_backend_dev_get(i));
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU) return true;
  }
  return false;
}

Result<llama_adapter_lora*> load_adapter(const SharedWeights& weights, const std::string& path) {
  auto refuse = [&](const std::string& why) { return Error{fmt::format("lora={}: {}", for_terminal(path), why)}; };
  take_llama_error();
  llama_adapter_lora* adapter = nullptr;
  try {
    adapter = llama_adapter_lora_init(weights.get(), path.c_str());
  } catch (const std::exception& e) {
    return refuse(fmt::format("it cannot be loaded: {}.", clipped(for_terminal(e.what()), 200)));
  }
  if (!adapter) return refuse("it cannot be loaded as an adapter of this model" + because(take_llama_error()));
  return adapter;
}

Result<std::vector<float>> load_control(const SharedWeights& weights, const std::string& path, double scale) {
  auto refuse = [&](const std::string& why) { return Error{fmt::format("control={}: {}", for_terminal(path), why)}; };
  if (!std::ifstream(path, std::ios::binary)) return refuse("there is no such file, or it cannot be read.");
  take_llama_error();
  common_control_vector_data loaded{-1, {}};
  try {
    loaded = common_control_vector_load({{static_cast<float>(scale), path}});
  } catch (const std::exception& e) {
    return refuse(fmt::format("it cannot be loaded: {}.", clipped(for_terminal(e.what()), 200)));
  }
  if (loaded.n_embd < 0) return refuse("it is no control vector" + because(take_llama_error()));
  const int width = llama_model_n_embd(weights.get()), layers = llama_model_n_layer(weights.get());
  if (loaded.n_embd != width)
    return refuse(
        fmt::format("its directions have {} numbers, and this model's residual stream has {}.", loaded.n_embd, width));
  if (loaded.data.size() > static_cast<size_t>(width) * static_cast<size_t>(std::max(layers - 1, 0)))
    return refuse(fmt::format("it has directions for more layers than this model's {}.", layers));
  return std::move(loaded.data);
}

}  // namespace assay
