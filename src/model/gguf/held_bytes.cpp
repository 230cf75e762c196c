#include "model/gguf/held_bytes.h"

#include <llama-cpp.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace assay {
namespace {

// A number of the model's architecture, such as "attention.key_length"; `otherwise` where the file does not give it.
int64_t size_of(const llama_model* model, const std::string& key, int64_t otherwise) {
  char architecture[64] = "", value[32] = "";
  llama_model_meta_val_str(model, "general.architecture", architecture, sizeof architecture);
  const int length = llama_model_meta_val_str(model, (architecture + ("." + key)).c_str(), value, sizeof value);
  const int64_t size = length > 0 ? std::atoll(value) : 0;
  return size > 0 ? size : otherwise;
}

HeldBytes of_attention(const llama_model* model) {
  const int64_t heads = std::max(1, llama_model_n_head(model)), kv_heads = std::max(1, llama_model_n_head_kv(model));
  const int64_t usual = llama_model_n_embd(model) / heads;
  const int64_t numbers =
      size_of(model, "attention.key_length", usual) + size_of(model, "attention.value_length", usual);
  return {.token = 2 * llama_model_n_layer(model) * kv_heads * numbers};
}

HeldBytes weighed(llama_model* model) {
  llama_context_params how = llama_context_default_params();
  how.n_ctx = how.n_batch = how.n_ubatch = 256;
  how.n_seq_max = 1;
  how.no_perf = true;
  const llama_context_ptr context(llama_init_from_model(model, how));
  int64_t bytes[2] = {};  // with one token, with two
  for (int64_t& now : bytes) {
    llama_token token = 0;
    if (!context || llama_decode(context.get(), llama_batch_get_one(&token, 1)) != 0) return {};  // the engine will say
    now = static_cast<int64_t>(llama_state_seq_get_size(context.get(), 0));
  }
  const int64_t token = bytes[1] - bytes[0];
  return {token, bytes[0] - token};
}

}  // namespace

HeldBytes held_bytes(llama_model* model) {
  const bool running = llama_model_is_recurrent(model) || llama_model_is_hybrid(model);
  return running ? weighed(model) : of_attention(model);
}

}  // namespace assay
