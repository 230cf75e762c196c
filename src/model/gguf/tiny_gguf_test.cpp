// No test: what tiny_gguf.h declares. Its name keeps it out of the library.
#include "model/gguf/tiny_gguf.h"

#include <ggml.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "base/rng.h"

namespace assay {
namespace {

constexpr int width = 32, heads = 2, layers = 2, inner = 64;

std::string utf8(int code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

// GPT-2's spelling of the 256 bytes: printable ones stand for themselves, the others for characters from U+0100 on.
std::vector<std::string> vocabulary() {
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    tokens.push_back(utf8(printable ? byte : next++));
  }
  return tokens;
}

class Writer {
 public:
  explicit Writer(const TinyGguf& model) : model_(model), rng_(model.seed), tokens_(vocabulary()) {
    memory_.reset(ggml_init({.mem_size = 16 << 20, .mem_buffer = nullptr, .no_alloc = false}));
    file_.reset(gguf_init_empty());
  }

  void write(const std::string& path) {
    keys();
    if (model_.weights) tensors();
    model_.edit(file_.get());
    if (!gguf_write_to_file(file_.get(), path.c_str(), false)) throw std::runtime_error("cannot write " + path);
  }

 private:
  struct Free {
    void operator()(gguf_context* file) const { gguf_free(file); }
    void operator()(ggml_context* memory) const { ggml_free(memory); }
  };

  void keys() {
    gguf_context* f = file_.get();
    gguf_set_val_str(f, "general.architecture", "llama");
    gguf_set_val_str(f, "general.name", "tiny");
    gguf_set_val_u32(f, "llama.context_length", model_.context);
    gguf_set_val_u32(f, "llama.embedding_length", width);
    gguf_set_val_u32(f, "llama.block_count", layers);
    gguf_set_val_u32(f, "llama.feed_forward_length", inner);
    gguf_set_val_u32(f, "llama.attention.head_count", heads);
    gguf_set_val_u32(f, "llama.attention.head_count_kv", heads);
    gguf_set_val_f32(f, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    gguf_set_val_u32(f, "llama.rope.dimension_count", width / heads);
    gguf_set_val_f32(f, "llama.rope.freq_base", 10000);
    gguf_set_val_u32(f, "llama.vocab_size", tokens_.size());
    gguf_set_val_str(f, "tokenizer.ggml.model", "gpt2");
    gguf_set_val_str(f, "tokenizer.ggml.pre", "smollm");
    std::vector<const char*> spelled;
    std::vector<int32_t> types;
    for (const std::string& token : tokens_) {
      types.push_back(types.size() < 3 ? 3 : 1);  // control, normal
      spelled.push_back(token.c_str());
    }
    gguf_set_arr_str(f, "tokenizer.ggml.tokens", spelled.data(), spelled.size());
    gguf_set_arr_data(f, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
    const char* merges[] = {"e r"};  // llama.cpp wants some; without the token "er" it does nothing
    gguf_set_arr_str(f, "tokenizer.ggml.merges", merges, 1);
    gguf_set_val_u32(f, "tokenizer.ggml.bos_token_id", 1);
    gguf_set_val_u32(f, "tokenizer.ggml.eos_token_id", 2);
    gguf_set_val_bool(f, "tokenizer.ggml.add_bos_token", false);
    if (!model_.chat_template.empty()) gguf_set_val_str(f, "tokenizer.chat_template", model_.chat_template.c_str());
  }

  float random() {  // about normal, by the sum of uniforms
    float sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>(rng_.uniform());
    return sum - 6;
  }

  float* tensor(const std::string& name, int columns, int rows, float spread) {
    ggml_tensor* t = rows ? ggml_new_tensor_2d(memory_.get(), GGML_TYPE_F32, columns, rows)
                          : ggml_new_tensor_1d(memory_.get(), GGML_TYPE_F32, columns);
    ggml_set_name(t, (name + ".weight").c_str());
    float* data = static_cast<float*>(t->data);
    for (int64_t i = 0; i < ggml_nelements(t); ++i) data[i] = model_.scale * (rows ? spread * random() : 1);
    gguf_add_tensor(file_.get(), t);
    return data;
  }

  void tensors() {
    const int n = static_cast<int>(tokens_.size());
    const float spread = 1 / std::sqrt(float(width));
    float* embedding = tensor("token_embd", width, n, 1);
    tensor("output_norm", width, 0, 1);
    float* output = tensor("output", width, n, spread);
    // The first component is the same for every token, so its output weight is a constant liking for a token.
    for (int i = 0; i < n; ++i) {
      embedding[i * width] = 10;
      auto liked = model_.liking.find(tokens_[i]);
      output[i * width] = liked == model_.liking.end() ? 0 : liked->second / 4;
    }
    for (int layer = 0; layer < layers; ++layer) {
      std::string block = "blk." + std::to_string(layer) + ".";
      tensor(block + "attn_norm", width, 0, 1);
      for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output"}) tensor(block + part, width, width, spread);
      tensor(block + "ffn_norm", width, 0, 1);
      tensor(block + "ffn_gate", width, inner, spread);
      tensor(block + "ffn_up", width, inner, spread);
      tensor(block + "ffn_down", inner, width, spread);
    }
  }

  const TinyGguf& model_;
  Rng rng_;
  std::vector<std::string> tokens_;
  std::unique_ptr<ggml_context, Free> memory_;
  std::unique_ptr<gguf_context, Free> file_;
};

}  // namespace

void write_tiny_gguf(const std::string& path, const TinyGguf& model) { Writer(model).write(path); }

}  // namespace assay
