// The vocabulary of the engine's stories: a tiny random model, jobs that sample or are told what to say, and what they
// saw. For tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>

#include "base/rng.h"
#include "model/gguf/engine.h"
#include "model/gguf/tiny_gguf.h"
#include "model/gguf/weights.h"

namespace assay {

using Tokens = std::vector<llama_token>;

inline constexpr int letters = 200;  // tokens 3 .. 202 are plain bytes

// Random tokens, the same for the same seed.
inline Tokens text(uint64_t seed, size_t n) {
  Rng rng(seed);
  Tokens tokens;
  for (size_t i = 0; i < n; ++i) tokens.push_back(3 + static_cast<llama_token>(rng.uniform() * letters));
  return tokens;
}

inline Tokens operator+(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What became of one job: the tokens that it wrote, and every bit of the logits that it saw.
struct Written {
  Tokens tokens;
  std::vector<std::vector<float>> logits;
  EngineReply reply;
};

inline bool same_bits(const Written& a, const Written& b) {
  if (a.tokens != b.tokens || a.logits.size() != b.logits.size()) return false;
  for (size_t i = 0; i < a.logits.size(); ++i)
    if (std::memcmp(a.logits[i].data(), b.logits[i].data(), a.logits[i].size() * sizeof(float)) != 0) return false;
  return true;
}

// How far apart two jobs' logits were, at most; infinite where they saw them behind other tokens.
inline float apart(const Written& a, const Written& b) {
  if (a.tokens != b.tokens || a.logits.size() != b.logits.size()) return std::numeric_limits<float>::infinity();
  float most = 0;
  for (size_t i = 0; i < a.logits.size(); ++i)
    for (size_t j = 0; j < a.logits[i].size(); ++j) most = std::max(most, std::abs(a.logits[i][j] - b.logits[i][j]));
  return most;
}

class EngineTest : public testing::Test {
 protected:
  ~EngineTest() override {
    engine.reset();
    weights.reset();
    std::filesystem::remove(path);
  }

  void make(EngineOptions options, TinyGguf tiny = {}) {
    tiny.context = 4096;
    write_tiny_gguf(path, tiny);
    Result<SharedWeights> loaded = load_weights(path, 0);
    ASSERT_TRUE(loaded) << loaded.error().text;
    weights = *loaded;
    options.memory = options.memory == (int64_t(2) << 30) ? 64 << 20 : options.memory;
    Result<std::unique_ptr<Engine>> made = Engine::make(weights.get(), options);
    ASSERT_TRUE(made) << made.error().text;
    engine = std::move(*made);
    words = llama_vocab_n_tokens(llama_model_get_vocab(weights.get()));
  }

  // A job that samples `n` tokens by a seed of its own, and keeps what it saw.
  EngineJob job(Tokens prompt, int n, uint64_t seed, Written& into, const void* conversation = nullptr) {
    ++open;
    EngineJob made;
    made.prompt = std::move(prompt);
    made.most = n;
    made.conversation = conversation;
    made.next = [this, n, &into, rng = Rng(seed)](const float* logits) mutable -> std::optional<llama_token> {
      into.logits.emplace_back(logits, logits + words);
      if (static_cast<int>(into.tokens.size()) == n) return std::nullopt;
      double total = 0;
      for (int i = 3; i < 3 + letters; ++i) total += std::exp(logits[i]);
      double left = rng.uniform() * total;
      llama_token chosen = 3;
      for (; chosen < 2 + letters; ++chosen)
        if ((left -= std::exp(logits[chosen])) < 0) break;
      into.tokens.push_back(chosen);
      return chosen;
    };
    made.done = [this, &into](EngineReply reply) {
      into.reply = std::move(reply);
      --open;
    };
    return made;
  }
  // A job that writes these words, whatever the logits that it saw.
  EngineJob told(Tokens prompt, Tokens say, Written& into, const void* conversation = nullptr) {
    EngineJob made = job(std::move(prompt), static_cast<int>(say.size()), 0, into, conversation);
    made.next = [this, &into, say = std::move(say)](const float* logits) -> std::optional<llama_token> {
      into.logits.emplace_back(logits, logits + words);
      if (into.tokens.size() == say.size()) return std::nullopt;
      into.tokens.push_back(say[into.tokens.size()]);
      return into.tokens.back();
    };
    return made;
  }
  void wait() {
    engine->go();
    for (int i = 0; open > 0 && i < 60000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(open, 0);
  }
  Written one(Tokens prompt, int n, uint64_t seed, const void* conversation = nullptr) {
    Written written;
    engine->submit(job(std::move(prompt), n, seed, written, conversation));
    wait();
    return written;
  }

  static std::string story() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ranges::replace(name, '/', '-');  // before a parameter
    return name;
  }

  const std::string path = testing::TempDir() + "/engine-" + std::to_string(::getpid()) + "-" + story() + ".gguf";
  SharedWeights weights;
  std::unique_ptr<Engine> engine;
  std::atomic<int> open{0};
  int words = 0;
};

}  // namespace assay
