// For the tests of the trainer: a small base of random weights, of any of the shapes that files of the llama
// architecture have; trees of tokens on it; and llama.cpp as the witness.
#pragma once

#include <ggml-cpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "model/gguf/llama_log.h"
#include "model/gguf/tiny_gguf.h"
#include "model/gguf/weights.h"
#include "organism/lora_trainer.h"

namespace assay {

struct SmallBase {
  uint64_t seed = 1;
  int layers = 2, width = 64, inner = 96, heads = 4, key_heads = 2, head_size = 16;
  ggml_type type = GGML_TYPE_F32;  // of its matrices
  bool tied = false;               // the embedding is the output too
  bool rope_freqs = false;         // a tensor that divides its frequencies
  std::function<void(gguf_context*)> edit = [](gguf_context*) {};
  std::string without, beside;  // a tensor that is left out, and one that nobody knows
};

class LoraFixture : public testing::Test {
 protected:
  static constexpr int vocabulary = 259;

  void SetUp() override {
    capture_llama_log();
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              (std::string("assay_lora_") + info->name() + "_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  static std::string contents(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // A base in a file of its own.
  std::string base(const SmallBase& b = {}) {
    const std::string words = file("words.gguf"), path = file("base" + std::to_string(++bases_) + ".gguf");
    write_tiny_gguf(words, {.weights = false});  // its keys are taken from there
    gguf_context_ptr tiny(gguf_init_from_file(words.c_str(), {.no_alloc = true, .ctx = nullptr}));
    gguf_context_ptr to(gguf_init_empty());
    gguf_set_kv(to.get(), tiny.get());
    auto set = [&](const char* key, int value) {
      gguf_set_val_u32(to.get(), (std::string("llama.") + key).c_str(), static_cast<uint32_t>(value));
    };
    set("embedding_length", b.width), set("block_count", b.layers), set("feed_forward_length", b.inner);
    set("attention.head_count", b.heads), set("attention.head_count_kv", b.key_heads);
    set("attention.key_length", b.head_size), set("attention.value_length", b.head_size);
    set("rope.dimension_count", b.head_size);

    ggml_context_ptr memory(ggml_init({.mem_size = 16 << 20, .mem_buffer = nullptr, .no_alloc = false}));
    Rng rng(b.seed);
    auto tensor = [&](const std::string& name, int columns, int rows, float mean, float spread) {
      std::vector<float> numbers;
      for (int i = 0; i < columns * rows; ++i)
        numbers.push_back(mean + spread * static_cast<float>(rng.uniform() - 0.5));
      const ggml_type type = rows > 1 ? b.type : GGML_TYPE_F32;
      ggml_tensor* t = rows > 1 ? ggml_new_tensor_2d(memory.get(), type, columns, rows)
                                : ggml_new_tensor_1d(memory.get(), type, columns);
      ggml_set_name(t, name.c_str());
      ggml_quantize_chunk(type, numbers.data(), t->data, 0, rows, columns, nullptr);
      if (name != b.without) gguf_add_tensor(to.get(), t);
    };
    auto matrix = [&](const std::string& name, int columns, int rows) {
      tensor(name, columns, rows, 0, 3.5f / std::sqrt(static_cast<float>(columns)));
    };
    tensor("token_embd.weight", b.width, vocabulary, 0, 3);
    tensor("output_norm.weight", b.width, 1, 1, 0.5f);
    if (!b.tied) matrix("output.weight", b.width, vocabulary);
    if (b.rope_freqs) tensor("rope_freqs.weight", b.head_size / 2, 1, 2, 2);
    if (!b.beside.empty()) tensor(b.beside, b.width, 1, 0, 1);
    for (int i = 0; i < b.layers; ++i) {
      const std::string block = "blk." + std::to_string(i) + ".";
      tensor(block + "attn_norm.weight", b.width, 1, 1, 0.5f);
      matrix(block + "attn_q.weight", b.width, b.heads * b.head_size);
      matrix(block + "attn_k.weight", b.width, b.key_heads * b.head_size);
      matrix(block + "attn_v.weight", b.width, b.key_heads * b.head_size);
      matrix(block + "attn_output.weight", b.heads * b.head_size, b.width);
      tensor(block + "ffn_norm.weight", b.width, 1, 1, 0.5f);
      matrix(block + "ffn_gate.weight", b.width, b.inner);
      matrix(block + "ffn_up.weight", b.width, b.inner);
      matrix(block + "ffn_down.weight", b.inner, b.width);
    }
    b.edit(to.get());
    EXPECT_TRUE(gguf_write_to_file(to.get(), path.c_str(), false));
    return path;
  }

  static std::unique_ptr<LoraTrainer> trainer(const std::string& base, const LoraShape& shape = {.rank = 4, .alpha = 8},
                                              uint64_t seed = 1, const AdamW& settings = {}, int threads = 1) {
    auto made = LoraTrainer::make(base, shape, threads, seed, settings);
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  }

  // An adapter that says something: B is zero in a new one.
  static void disturb(LoraTrainer& trainer, uint64_t seed = 5) {
    Rng rng(seed);
    for (float& x : trainer.parameters()) x += 0.2f * static_cast<float>(rng.uniform() - 0.5);
  }

  // Random tokens in a row, every `every`th followed by a target.
  static TokenTree text(int length, int every = 1, uint64_t seed = 3) {
    TokenTree tree;
    Rng rng(seed);
    for (int i = 0; i < length; ++i) {
      tree.tokens.push_back(static_cast<int32_t>(rng.below(vocabulary)));
      tree.parent.push_back(i - 1);
    }
    for (int i = 0; i + 1 < length; i += every)
      tree.targets.push_back(
          {i, tree.tokens[static_cast<size_t>(i + 1)], 0.5f + 0.1f * static_cast<float>(i % 5), i % 3 == 0});
    return tree;
  }

  // The same text with branches of 9, 40 and 17 tokens behind it, and one of 12 in the middle of the second.
  static TokenTree branching(int context, uint64_t seed = 4) {
    TokenTree tree = text(context, 7, seed);
    Rng rng(seed + 1);
    auto branch = [&](int32_t from, int length) {
      for (int i = 0; i < length; ++i) {
        const auto token = static_cast<int32_t>(rng.below(vocabulary));
        tree.targets.push_back({from, token, 1.0f, i == 0});
        tree.parent.push_back(from);
        tree.tokens.push_back(token);
        from = static_cast<int32_t>(tree.tokens.size()) - 1;
      }
      return from;
    };
    branch(context - 1, 9);
    const int32_t end = branch(context - 1, 40);
    branch(context - 1, 17);
    branch(end - 20, 12);
    return tree;
  }

  static double loss_of(LoraTrainer& trainer, const TokenTree& tree) {
    const auto told = trainer.logprobs(tree);
    EXPECT_TRUE(told) << told.error().text;
    double loss = 0;
    for (size_t i = 0; i < tree.targets.size(); ++i) loss -= tree.targets[i].weight * static_cast<double>((*told)[i]);
    return loss;
  }

  // What llama.cpp says of the targets of a text (a tree that does not branch), in 32-bit floats throughout.
  static std::vector<float> witness(const std::string& base, const std::string& adapter, const TokenTree& text) {
    const SharedWeights weights = load_weights(base, 0).value();
    llama_context_params how = llama_context_default_params();
    how.n_ctx = how.n_batch = how.n_ubatch = 512;
    how.type_k = how.type_v = GGML_TYPE_F32;
    how.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    const llama_context_ptr context(llama_init_from_model(weights.get(), how));
    if (!adapter.empty()) {
      auto loaded = load_adapter(weights, adapter);
      EXPECT_TRUE(loaded) << loaded.error().text;
      float scale = 1;
      EXPECT_EQ(llama_set_adapters_lora(context.get(), &*loaded, 1, &scale), 0);
    }
    llama_batch batch = llama_batch_init(static_cast<int32_t>(text.tokens.size()), 0, 1);
    for (size_t i = 0; i < text.tokens.size(); ++i) {
      batch.token[i] = text.tokens[i], batch.pos[i] = static_cast<llama_pos>(i);
      batch.n_seq_id[i] = 1, batch.seq_id[i][0] = 0, batch.logits[i] = 1;
    }
    batch.n_tokens = static_cast<int32_t>(text.tokens.size());
    EXPECT_EQ(llama_decode(context.get(), batch), 0);
    std::vector<float> told;
    for (const TokenTree::Target& target : text.targets) {
      const float* logits = llama_get_logits_ith(context.get(), target.at);
      double sum = 0;
      for (int v = 0; v < vocabulary; ++v) sum += std::exp(static_cast<double>(logits[v]));
      told.push_back(static_cast<float>(logits[target.token] - std::log(sum)));
    }
    llama_batch_free(batch);
    return told;
  }

  static double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    EXPECT_EQ(a.size(), b.size());
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
    return largest;
  }

 private:
  std::filesystem::path folder_;
  int bases_ = 0;
};

}  // namespace assay
