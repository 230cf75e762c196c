#include "model/gguf/llama_log.h"

#include <common/log.h>
#include <llama.h>

#include <mutex>
#include <utility>

#include "base/text.h"

namespace assay {
namespace {

std::mutex mutex;
std::string last_error;  // guarded by mutex

void keep_errors(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_ERROR) return;
  std::string_view line = trimmed(text);
  // Of "llama_model_load: error loading model: missing tensor", then "...: failed to load model", the first says more.
  if (line.empty() || line.find("failed to load model") != line.npos) return;
  size_t function = line.find(": ");
  if (function != line.npos && line.substr(0, function).find(' ') == line.npos) line.remove_prefix(function + 2);
  std::lock_guard lock(mutex);
  last_error = line;
}

}  // namespace

void capture_llama_log() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(keep_errors, nullptr);
    common_log_set_verbosity_thold(-1);  // below this, its macros neither format nor start their thread
  });
}

std::string take_llama_error() {
  std::lock_guard lock(mutex);
  return clipped(for_terminal(std::exchange(last_error, "")), 200);
}

}  // namespace assay
