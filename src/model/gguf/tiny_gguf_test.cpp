// No test: what tiny_gguf.h declares. Its name keeps it out of the library.
#include "model/gguf/tiny_gguf.h"

#include <ggml.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

#include "base/rng.h"

namespace assay {
namespace {

constexpr int width = 32, heads = 2, layers = 2;
constexpr int convolved = 4;        // tokens that a convolution reaches over
constexpr int state = 8, rank = 2;  // of the mamba kind

using Kind = TinyGguf::Kind;

const char* architecture(Kind kind) {
  switch (kind) {
    case Kind::llama: return "llama";
    case Kind::mamba: return "mamba";
    case Kind::sliding: return "olmo2";
    case Kind::hybrid: return "lfm2";
  }
  return "";
}

std::string utf8(int code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

// SentencePiece's bytes, and its space, U+2581.
std::vector<std::string> pieces() {
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  for (int byte = 0; byte < 256; ++byte) {
    char spelled[8];
    std::snprintf(spelled, sizeof spelled, "<0x%02X>", byte);
    tokens.push_back(spelled);
  }
  tokens.push_back("\xE2\x96\x81");
  return tokens;
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
  explicit Writer(const TinyGguf& model)
      : width(model.type == GGML_TYPE_F32 ? assay::width : 256),
        inner(2 * width),
        model_(model),
        rng_(model.seed),
        tokens_(model.sentencepiece ? pieces() : vocabulary()) {
    first_control_ = tokens_.size();
    tokens_.insert(tokens_.end(), model.control.begin(), model.control.end());
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
    const Kind kind = model_.kind;
    const std::string prefix = architecture(kind) + std::string(".");
    auto set = [&](const char* key, uint32_t value) { gguf_set_val_u32(f, (prefix + key).c_str(), value); };
    gguf_set_val_str(f, "general.architecture", architecture(kind));
    gguf_set_val_str(f, "general.name", "tiny");
    set("context_length", model_.context);
    set("embedding_length", width);
    set("block_count", layers);
    set("vocab_size", tokens_.size());
    gguf_set_val_f32(f, (prefix + "attention.layer_norm_rms_epsilon").c_str(), 1e-5f);
    if (kind == Kind::mamba) {
      set("feed_forward_length", 0);
      set("attention.head_count", 0);
      set("ssm.conv_kernel", convolved);
      set("ssm.inner_size", 2 * width);
      set("ssm.state_size", state);
      set("ssm.time_step_rank", rank);
    } else {
      set("feed_forward_length", inner);
      set("attention.head_count", heads);
      set("attention.head_count_kv", heads);
      set("rope.dimension_count", width / heads);
      gguf_set_val_f32(f, (prefix + "rope.freq_base").c_str(), 10000);
    }
    if (kind == Kind::sliding) {
      set("attention.sliding_window", tiny_window);
      set("attention.sliding_window_pattern", layers);  // the last of so many layers sees everything
    }
    if (kind == Kind::hybrid) {
      const int32_t kv_heads[layers] = {0, heads};  // none: a layer without attention
      gguf_set_arr_data(f, "lfm2.attention.head_count_kv", GGUF_TYPE_INT32, kv_heads, layers);
      set("shortconv.l_cache", convolved);
    }
    gguf_set_val_str(f, "tokenizer.ggml.model", model_.sentencepiece ? "llama" : "gpt2");
    gguf_set_val_str(f, "tokenizer.ggml.pre", "smollm");
    std::vector<const char*> spelled;
    std::vector<int32_t> types;
    for (const std::string& token : tokens_) {
      const bool is_control = types.size() < 3 || types.size() >= first_control_;
      const bool is_byte = model_.sentencepiece && types.size() < 3 + 256;
      types.push_back(is_control ? 3 : is_byte ? 6 : 1);  // as llama.cpp numbers them; 1: normal
      spelled.push_back(token.c_str());
    }
    gguf_set_arr_str(f, "tokenizer.ggml.tokens", spelled.data(), spelled.size());
    gguf_set_arr_data(f, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
    if (model_.sentencepiece) {
      const std::vector<float> scores(types.size(), 0);
      gguf_set_arr_data(f, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, scores.data(), scores.size());
      gguf_set_val_bool(f, "tokenizer.ggml.add_space_prefix", true);
    }
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

  // `name` without ".weight"; one that ends in '!' is taken as it stands.
  float* tensor(std::string name, int columns, int rows, float spread) {
    ggml_tensor* t = rows ? ggml_new_tensor_2d(memory_.get(), GGML_TYPE_F32, columns, rows)
                          : ggml_new_tensor_1d(memory_.get(), GGML_TYPE_F32, columns);
    if (name.ends_with('!'))
      name.pop_back();
    else
      name += ".weight";
    ggml_set_name(t, name.c_str());
    float* data = static_cast<float*>(t->data);
    for (int64_t i = 0; i < ggml_nelements(t); ++i) data[i] = model_.scale * (rows ? spread * random() : 1);
    if (rows && model_.type != GGML_TYPE_F32 && name.starts_with("blk.")) t = quantised(t);
    gguf_add_tensor(file_.get(), t);
    return data;
  }

  ggml_tensor* quantised(const ggml_tensor* from) {
    ggml_tensor* to = ggml_new_tensor_2d(memory_.get(), model_.type, from->ne[0], from->ne[1]);
    ggml_set_name(to, from->name);
    const std::vector<float> all_alike(static_cast<size_t>(from->ne[0]), 1);  // the importance that some types ask for
    ggml_quantize_chunk(model_.type, static_cast<const float*>(from->data), to->data, 0, from->ne[1], from->ne[0],
                        all_alike.data());
    return to;
  }

  void tensors() {
    const int n = static_cast<int>(tokens_.size());
    const float spread = 1 / std::sqrt(float(width));
    float* embedding = tensor("token_embd", width, n, 1);
    tensor(model_.kind == Kind::hybrid ? "token_embd_norm" : "output_norm", width, 0, 1);
    float* output = tensor("output", width, n, spread);
    // The first component is the same for every token, so its output weight is a constant liking for a token.
    for (int i = 0; i < n; ++i) {
      embedding[i * width] = 10;
      auto liked = model_.liking.find(tokens_[i]);
      output[i * width] = liked == model_.liking.end() ? 0 : liked->second / 4;
    }
    for (int layer = 0; layer < layers; ++layer) {
      const std::string block = "blk." + std::to_string(layer) + ".";
      const bool norms_behind = model_.kind == Kind::sliding;  // OLMo's follow attention and network, others precede
      tensor(block + (norms_behind ? "post_attention_norm" : "attn_norm"), width, 0, 1);
      if (model_.kind == Kind::mamba) {
        running_state(block, spread);
        continue;
      }
      if (model_.kind == Kind::hybrid && layer == 0)
        convolution(block, spread);
      else
        attention(block, spread);
      tensor(block + (norms_behind ? "post_ffw_norm" : "ffn_norm"), width, 0, 1);
      tensor(block + "ffn_gate", width, inner, spread);
      tensor(block + "ffn_up", width, inner, spread);
      tensor(block + "ffn_down", inner, width, spread);
    }
  }

  void attention(const std::string& block, float spread) {
    for (const char* part : {"attn_q", "attn_k", "attn_v", "attn_output"}) tensor(block + part, width, width, spread);
    if (model_.kind == Kind::llama) return;
    const int normed = model_.kind == Kind::hybrid ? width / heads : width;  // each head by itself, or all together
    for (const char* part : {"attn_q_norm", "attn_k_norm"}) tensor(block + part, normed, 0, 1);
  }

  void convolution(const std::string& block, float spread) {
    tensor(block + "shortconv.in_proj", width, 3 * width, spread);
    tensor(block + "shortconv.conv", convolved, width, 0.5f);
    tensor(block + "shortconv.out_proj", width, width, spread);
  }

  void running_state(const std::string& block, float spread) {
    tensor(block + "ssm_in", width, 4 * width, spread);
    tensor(block + "ssm_conv1d", convolved, 2 * width, 0.5f);
    tensor(block + "ssm_conv1d.bias!", 2 * width, 0, 1);
    tensor(block + "ssm_x", 2 * width, rank + 2 * state, spread);
    tensor(block + "ssm_dt", rank, 2 * width, spread);
    tensor(block + "ssm_dt.bias!", 2 * width, 0, 1);
    float* decay = tensor(block + "ssm_a!", state, 2 * width, 1);
    for (int i = 0; i < state * 2 * width; ++i) decay[i] = -0.05f - 0.1f * std::abs(decay[i]);  // forgets slowly
    tensor(block + "ssm_d!", 2 * width, 0, 1);
    tensor(block + "ssm_out", 2 * width, width, spread);
  }

  const int width, inner;
  const TinyGguf& model_;
  Rng rng_;
  std::vector<std::string> tokens_;
  size_t first_control_ = 0;  // of the model's own
  std::unique_ptr<ggml_context, Free> memory_;
  std::unique_ptr<gguf_context, Free> file_;
};

}  // namespace

void write_tiny_gguf(const std::string& path, const TinyGguf& model) { Writer(model).write(path); }

void write_tiny_adapter(const std::string& path, uint64_t seed, float strength) {
  std::unique_ptr<ggml_context, decltype(&ggml_free)> memory(
      ggml_init({.mem_size = 1 << 20, .mem_buffer = nullptr, .no_alloc = false}), &ggml_free);
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), &gguf_free);
  gguf_set_val_str(file.get(), "general.type", "adapter");
  gguf_set_val_str(file.get(), "general.architecture", "llama");
  gguf_set_val_str(file.get(), "adapter.type", "lora");
  gguf_set_val_f32(file.get(), "adapter.lora.alpha", 2);
  Rng rng(seed);
  for (int layer = 0; layer < layers; ++layer)
    for (const char* half : {"a", "b"}) {
      ggml_tensor* t = *half == 'a' ? ggml_new_tensor_2d(memory.get(), GGML_TYPE_F32, width, 2)
                                    : ggml_new_tensor_2d(memory.get(), GGML_TYPE_F32, 2, width);
      const std::string name = "blk." + std::to_string(layer) + ".attn_output.weight.lora_" + half;
      ggml_set_name(t, name.c_str());
      for (int64_t i = 0; i < ggml_nelements(t); ++i)
        static_cast<float*>(t->data)[i] = strength * static_cast<float>(rng.uniform() - 0.5);
      gguf_add_tensor(file.get(), t);
    }
  if (!gguf_write_to_file(file.get(), path.c_str(), false)) throw std::runtime_error("cannot write " + path);
}

void write_tiny_control(const std::string& path, float strength) {
  std::unique_ptr<ggml_context, decltype(&ggml_free)> memory(
      ggml_init({.mem_size = 1 << 20, .mem_buffer = nullptr, .no_alloc = false}), &ggml_free);
  std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), &gguf_free);
  gguf_set_val_str(file.get(), "general.architecture", "controlvector");
  ggml_tensor* t = ggml_new_tensor_1d(memory.get(), GGML_TYPE_F32, width);
  ggml_set_name(t, "direction.1");
  for (int i = 0; i < width; ++i) static_cast<float*>(t->data)[i] = i % 2 ? strength : -strength;
  gguf_add_tensor(file.get(), t);
  if (!gguf_write_to_file(file.get(), path.c_str(), false)) throw std::runtime_error("cannot write " + path);
}

}  // namespace assay
