#include "organism/lora_base.h"

#include <fmt/format.h>
#include <ggml-cpp.h>
#include <ggml.h>
#include <gguf.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "base/text.h"
#include "model/gguf/gguf_file.h"

namespace assay::lora {
namespace {

constexpr int64_t most = 1 << 20;  // of anything that a key of the file counts

void dequantize(ggml_type type, const void* from, float* to, int64_t n) {
  if (type == GGML_TYPE_F32)
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  else
    ggml_get_type_traits(type)->to_float(from, to, n);
}

}  // namespace

// Reads one file; the first fault stays, and everything after it is skipped.
class BaseLoader {
 public:
  explicit BaseLoader(const std::string& path) : path_(path), file_(path, std::ios::binary) {}

  Result<std::unique_ptr<LoraBase>> load(int first_layer) {
    const Result<GgufFile> checked = check_gguf(path_);
    if (!checked) return checked.error();
    ggml_context* tensors = nullptr;
    gguf_.reset(gguf_init_from_file(path_.c_str(), {.no_alloc = true, .ctx = &tensors}));
    tensors_.reset(tensors);
    if (!gguf_ || !file_) return Error{fmt::format("gguf:{} cannot be read.", for_terminal(path_))};
    base_->sha256 = checked->sha256;
    keys();
    if (fault_.empty()) matrices(first_layer);
    if (fault_.empty()) nothing_else();
    if (!fault_.empty())
      return Error{fmt::format("gguf:{}: no adapter can be trained on it: {}.", for_terminal(path_), fault_)};
    return std::move(base_);
  }

 private:
  void fail(const std::string& why) {
    if (fault_.empty()) fault_ = why;
  }

  int64_t key(const std::string& name, gguf_type type) const {
    const int64_t id = gguf_find_key(gguf_.get(), name.c_str());
    return id >= 0 && gguf_get_kv_type(gguf_.get(), id) == type ? id : -1;
  }
  bool has(const std::string& name) const { return gguf_find_key(gguf_.get(), name.c_str()) >= 0; }
  // A count from 1 to `most`; `otherwise` where there is none.
  int64_t count(const std::string& name, std::optional<int64_t> otherwise = {}) {
    if (!has(name) && otherwise) return *otherwise;
    const int64_t id = key(name, GGUF_TYPE_UINT32);
    const int64_t value = id < 0 ? 0 : gguf_get_val_u32(gguf_.get(), id);
    if (id < 0 || value < 1 || value > most) fail(fmt::format("{} is missing or not one sensible number", name));
    return std::max<int64_t>(value, 1);
  }
  float number(const std::string& name, std::optional<float> otherwise = {}) {
    if (!has(name) && otherwise) return *otherwise;
    const int64_t id = key(name, GGUF_TYPE_FLOAT32);
    const float value = id < 0 ? -1 : gguf_get_val_f32(gguf_.get(), id);
    if (!(value >= 0) || !std::isfinite(value)) fail(fmt::format("{} is missing or not a sensible number", name));
    return value;
  }

  void keys() {
    LoraBase& b = *base_;
    const std::string architecture = gguf_get_val_str(gguf_.get(), gguf_find_key(gguf_.get(), "general.architecture"));
    if (architecture != "llama")
      return fail(fmt::format("its architecture is '{}', and only 'llama' is known here",
                              clipped(for_terminal(architecture), 40)));
    if (const int64_t id = key("llama.expert_count", GGUF_TYPE_UINT32);
        id >= 0 && gguf_get_val_u32(gguf_.get(), id) > 0)
      return fail("it is a mixture of experts");
    layers_ = count("llama.block_count");
    b.width = count("llama.embedding_length");
    b.inner = count("llama.feed_forward_length");
    b.heads = count("llama.attention.head_count");
    b.key_heads = count("llama.attention.head_count_kv", b.heads);
    b.head_size = count("llama.attention.key_length", std::max<int64_t>(b.width / b.heads, 1));
    b.context = count("llama.context_length");
    b.epsilon = number("llama.attention.layer_norm_rms_epsilon");
    if (!fault_.empty()) return;
    if (layers_ > 1024) fail(fmt::format("it claims to have {} layers", layers_));
    if (b.heads % b.key_heads != 0) fail("its heads cannot be shared out among its key heads");
    if (count("llama.attention.value_length", b.head_size) != b.head_size) fail("its keys and values differ in size");
    if (count("llama.rope.dimension_count", b.head_size) != b.head_size || b.head_size % 2 != 0)
      fail("its positions turn only a part of each head");
    frequencies();
  }

  void frequencies() {
    LoraBase& b = *base_;
    std::string scaling = "linear";
    if (const int64_t id = key("llama.rope.scaling.type", GGUF_TYPE_STRING); id >= 0)
      scaling = gguf_get_val_str(gguf_.get(), id);
    if (scaling != "linear" && scaling != "none")
      return fail(fmt::format("its positions are scaled by '{}', and only 'linear' is known here",
                              clipped(for_terminal(scaling), 40)));
    if (number("llama.rope.scaling.attn_factor", 1) != 1)
      return fail("llama.rope.scaling.attn_factor is not known here");
    float factor = number("llama.rope.scaling.factor", number("llama.rope.scale_linear", 0));
    if (factor == 0 || scaling == "none") factor = 1;
    const double base = number("llama.rope.freq_base", 10000);
    std::vector<float> divisors(static_cast<size_t>(b.head_size / 2), 1);
    if (gguf_find_tensor(gguf_.get(), "rope_freqs.weight") >= 0)
      divisors = vector("rope_freqs.weight", b.head_size / 2);
    for (int64_t i = 0; i < b.head_size / 2 && fault_.empty(); ++i)
      b.frequencies.push_back(
          static_cast<float>(std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(b.head_size)) /
                             divisors[static_cast<size_t>(i)] / factor));
  }

  // The bytes of a tensor of columns x rows numbers, or nothing.
  std::vector<unsigned char> bytes(const std::string& name, int64_t columns, int64_t rows, ggml_type& type) {
    if (!fault_.empty()) return {};
    const int64_t id = gguf_find_tensor(gguf_.get(), name.c_str());
    const ggml_tensor* info = id < 0 ? nullptr : ggml_get_tensor(tensors_.get(), name.c_str());
    if (!info) return fail(fmt::format("it has no tensor {}", name)), std::vector<unsigned char>{};
    if (info->ne[0] != columns || info->ne[1] != rows || info->ne[2] != 1 || info->ne[3] != 1)
      return fail(fmt::format("{} is {} x {} and not {} x {}", name, info->ne[0], info->ne[1], columns, rows)),
             std::vector<unsigned char>{};
    type = info->type;
    if (type != GGML_TYPE_F32 && !ggml_get_type_traits(type)->to_float)
      return fail(fmt::format("{} is of type {}, which cannot be read back", name, ggml_type_name(type))),
             std::vector<unsigned char>{};
    known_.insert(name);
    std::vector<unsigned char> data(ggml_nbytes(info));
    file_.seekg(
        static_cast<std::streamoff>(gguf_get_data_offset(gguf_.get()) + gguf_get_tensor_offset(gguf_.get(), id)));
    if (!file_.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size())))
      fail(fmt::format("{} cannot be read", name));
    return data;
  }
  // The same as floats, added behind `to`.
  void floats(const std::string& name, int64_t columns, int64_t rows, std::vector<float>& to) {
    ggml_type type = GGML_TYPE_F32;
    const std::vector<unsigned char> data = bytes(name, columns, rows, type);
    if (!fault_.empty()) return;
    const size_t before = to.size();
    to.resize(before + static_cast<size_t>(columns * rows));
    dequantize(type, data.data(), to.data() + before, columns * rows);
  }
  std::vector<float> vector(const std::string& name, int64_t n) {
    std::vector<float> to;
    floats(name, n, 1, to);
    if (!fault_.empty()) to.assign(static_cast<size_t>(n), 1);
    return to;
  }

  struct Part {
    std::string name;
    int64_t outputs;
  };
  // Matrices with the same input, one below the other.
  Frozen frozen(const std::vector<Part>& parts, int64_t inputs, bool back) {
    std::vector<float> rows;
    int64_t outputs = 0;
    for (const Part& part : parts) {
      floats(part.name, inputs, part.outputs, rows);
      outputs += part.outputs;
    }
    if (!fault_.empty()) return {};
    const Panels::Kind kind = base_->kind;
    return {Panels(kind, outputs, inputs, rows.data(), false),
            back ? Panels(kind, inputs, outputs, rows.data(), true) : Panels()};
  }

  void matrices(int first_layer) {
    LoraBase& b = *base_;
    for (ggml_tensor* t = ggml_get_first_tensor(tensors_.get()); t; t = ggml_get_next_tensor(tensors_.get(), t))
      if (ggml_n_dims(t) > 1 && t->type != GGML_TYPE_F32 && Panels::cpu_multiplies_bf16()) b.kind = Panels::Kind::bf16;

    const ggml_tensor* embedding = ggml_get_tensor(tensors_.get(), "token_embd.weight");
    if (!embedding) return fail("it has no tensor token_embd.weight");
    b.vocabulary = embedding->ne[1];
    ggml_type type = GGML_TYPE_F32;
    b.embedding_ = bytes("token_embd.weight", b.width, b.vocabulary, type);
    b.embedding_type_ = type;
    b.output_norm = vector("output_norm.weight", b.width);
    const bool untied = gguf_find_tensor(gguf_.get(), "output.weight") >= 0;
    b.head = frozen({{untied ? "output.weight" : "token_embd.weight", b.vocabulary}}, b.width, true);

    const int64_t queries = b.heads * b.head_size, keys = b.key_heads * b.head_size;
    for (int64_t i = 0; i < layers_ && fault_.empty(); ++i) {
      auto name = [&](const char* what) { return fmt::format("blk.{}.{}.weight", i, what); };
      const bool back = i >= first_layer;
      FrozenLayer& layer = b.layers.emplace_back();
      layer.attention_norm = vector(name("attn_norm"), b.width);
      layer.feed_forward_norm = vector(name("ffn_norm"), b.width);
      layer.qkv =
          frozen({{name("attn_q"), queries}, {name("attn_k"), keys}, {name("attn_v"), keys}}, b.width, i > first_layer);
      layer.attention_out = frozen({{name("attn_output"), b.width}}, queries, back);
      layer.gate_up = frozen({{name("ffn_gate"), b.inner}, {name("ffn_up"), b.inner}}, b.width, back);
      layer.down = frozen({{name("ffn_down"), b.width}}, b.inner, back);
    }
  }

  // A tensor that nobody asked for would change what the model computes.
  void nothing_else() {
    for (int64_t i = 0; i < gguf_get_n_tensors(gguf_.get()); ++i)
      if (const std::string name = gguf_get_tensor_name(gguf_.get(), i); !known_.contains(name))
        fail(fmt::format("its tensor {} is not known here", clipped(for_terminal(name), 60)));
  }

  const std::string path_;
  std::ifstream file_;
  gguf_context_ptr gguf_;
  ggml_context_ptr tensors_;
  int64_t layers_ = 0;
  std::set<std::string> known_;
  std::string fault_;
  std::unique_ptr<LoraBase> base_ = std::make_unique<LoraBase>();
};

Result<std::unique_ptr<LoraBase>> LoraBase::load(const std::string& path, int first_layer) {
  return BaseLoader(path).load(first_layer);
}

void LoraBase::embed(int32_t token, float* to) const {
  const auto type = static_cast<ggml_type>(embedding_type_);
  dequantize(type, embedding_.data() + static_cast<size_t>(token) * ggml_row_size(type, width), to, width);
}

}  // namespace assay::lora
