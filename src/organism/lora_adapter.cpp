#include "organism/lora_adapter.h"

#include <fmt/format.h>
#include <ggml-cpp.h>
#include <ggml.h>
#include <gguf.h>

#include <cmath>
#include <numbers>

#include "base/rng.h"

namespace assay::lora {
namespace {

constexpr int places = 4;

// Box and Muller 1958.
float normal(Rng& rng) {
  const double radius = std::sqrt(-2 * std::log(1 - rng.uniform()));
  return static_cast<float>(radius * std::cos(2 * std::numbers::pi * rng.uniform()));
}

void transpose(const float* from, int64_t rows, int64_t columns, float* to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
}

}  // namespace

Adapter::Adapter(const LoraBase& base, const LoraShape& shape, uint64_t seed) : shape_(shape) {
  const int64_t rank = shape.rank, queries = base.heads * base.head_size, keys = base.key_heads * base.head_size;
  size_t end = 0;
  auto add = [&](size_t layer, int64_t inputs, const std::vector<std::pair<const char*, int64_t>>& parts) {
    AdapterGroup& group = groups_.emplace_back();
    group.inputs = inputs, group.begin = end;
    for (const auto& [name, outputs] : parts) {
      group.parts.push_back({fmt::format("blk.{}.{}.weight", layer, name), inputs, outputs, group.outputs, end, 0});
      group.outputs += outputs, group.rows += rank, end += static_cast<size_t>(rank * inputs);
    }
    for (AdapterPart& part : group.parts) part.b = end, end += static_cast<size_t>(rank * part.outputs);
    group.size = end - group.begin;
  };
  for (size_t layer = static_cast<size_t>(shape.first_layer); layer < base.layers.size(); ++layer) {
    add(layer, base.width, {{"attn_q", queries}, {"attn_k", keys}, {"attn_v", keys}});
    add(layer, queries, {{"attn_output", base.width}});
    if (shape.feed_forward) {
      add(layer, base.width, {{"ffn_gate", base.inner}, {"ffn_up", base.inner}});
      add(layer, base.inner, {{"ffn_down", base.width}});
    } else {
      add(layer, base.width, {});
      add(layer, base.inner, {});
    }
  }
  values.assign(end, 0);
  turned_.assign(end, 0);
  for (const AdapterGroup& group : groups_)
    for (const AdapterPart& part : group.parts) {
      Rng rng(derive_seed(seed, {"lora", part.tensor}));
      const float spread = 1 / std::sqrt(static_cast<float>(part.inputs));
      for (int64_t i = 0; i < rank * part.inputs; ++i) values[part.a + static_cast<size_t>(i)] = spread * normal(rng);
    }
  turn();
}

const AdapterGroup* Adapter::group(int64_t layer, Place place) const {
  if (layer < shape_.first_layer) return nullptr;
  const AdapterGroup& group =
      groups_[static_cast<size_t>((layer - shape_.first_layer) * places + static_cast<int>(place))];
  return group.parts.empty() ? nullptr : &group;
}

void Adapter::turn() {
  for (const AdapterGroup& group : groups_) {
    transpose(values.data() + group.begin, group.rows, group.inputs, turned_.data() + group.begin);
    for (const AdapterPart& part : group.parts)
      transpose(values.data() + part.b, shape_.rank, part.outputs, turned_.data() + part.b);
  }
}

std::string Adapter::file(const std::vector<std::pair<std::string, std::string>>& metadata) const {
  gguf_context_ptr gguf(gguf_init_empty());
  gguf_set_val_str(gguf.get(), "general.type", "adapter");
  gguf_set_val_str(gguf.get(), "general.architecture", "llama");
  gguf_set_val_str(gguf.get(), "adapter.type", "lora");
  gguf_set_val_f32(gguf.get(), "adapter.lora.alpha", shape_.alpha);
  for (const auto& [key, text] : metadata) gguf_set_val_str(gguf.get(), key.c_str(), text.c_str());

  size_t tensors = 0;
  for (const AdapterGroup& group : groups_) tensors += 2 * group.parts.size();
  ggml_context_ptr memory(
      ggml_init({.mem_size = (tensors + 1) * ggml_tensor_overhead(), .mem_buffer = nullptr, .no_alloc = true}));
  std::vector<std::pair<ggml_tensor*, const float*>> contents;
  for (const AdapterGroup& group : groups_)
    for (const AdapterPart& part : group.parts) {
      auto tensor = [&](const char* half, int64_t columns, int64_t rows, const float* numbers) {
        ggml_tensor* t = ggml_new_tensor_2d(memory.get(), GGML_TYPE_F16, columns, rows);
        ggml_set_name(t, (part.tensor + half).c_str());
        gguf_add_tensor(gguf.get(), t);
        contents.emplace_back(t, numbers);
      };
      tensor(".lora_a", part.inputs, shape_.rank, values.data() + part.a);
      tensor(".lora_b", shape_.rank, part.outputs, turned_.data() + part.b);
    }

  std::string bytes(gguf_get_meta_size(gguf.get()), '\0');
  gguf_get_meta_data(gguf.get(), bytes.data());
  std::vector<ggml_fp16_t> half;
  for (const auto& [t, numbers] : contents) {
    half.resize(static_cast<size_t>(ggml_nelements(t)));
    ggml_fp32_to_fp16_row(numbers, half.data(), ggml_nelements(t));
    bytes.append(reinterpret_cast<const char*>(half.data()), half.size() * sizeof(ggml_fp16_t));
    bytes.resize((bytes.size() + GGUF_DEFAULT_ALIGNMENT - 1) / GGUF_DEFAULT_ALIGNMENT * GGUF_DEFAULT_ALIGNMENT, '\0');
  }
  return bytes;
}

}  // namespace assay::lora
