// Models remember in several ways. What was read before, beside or in place of a conversation shows in none of them.
#include <gmock/gmock.h>

#include <deque>

#include "model/gguf/engine_fixture.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

using Kind = TinyGguf::Kind;

constexpr int64_t cell = 4 * 2 * 32;  // bytes: two layers of 32 numbers, keys and values of 16 bits

bool goes_back(Kind kind) { return kind == Kind::llama || kind == Kind::sliding; }

Tokens first(const Tokens& tokens, size_t n) { return {tokens.begin(), tokens.begin() + static_cast<long>(n)}; }

// Each story is played with every kind of memory, in fast and in exact mode, and each turn of it then once more alone.
class EveryMemory : public EngineTest, public testing::WithParamInterface<std::tuple<Kind, bool>> {
 protected:
  struct Turn {
    Tokens prompt, say = {};  // read, then written
    const void* conversation = nullptr;
  };

  Kind kind() const { return std::get<0>(GetParam()); }
  bool exact() const { return std::get<1>(GetParam()); }

  void begin(EngineOptions options = {}) {
    options.exact = exact();
    make(options, {.kind = kind()});
  }
  // Beside each other.
  void play(const std::vector<Turn>& turns) {
    for (const Turn& turn : turns) {
      auto& [asked, saw] = played_.emplace_back(turn, Written());
      engine->submit(told(asked.prompt, asked.say, saw, asked.conversation));
    }
    wait();
  }
  int64_t cached() const { return played_.back().second.reply.cached_tokens; }

  // The same logits as in an engine that has seen and does nothing else: to the bit, or but for the order of sums.
  void expect_as_alone() {
    for (size_t i = 0; i < played_.size(); ++i) {
      const auto& [turn, saw] = played_[i];
      ASSERT_TRUE(saw.reply.status) << i << ": " << saw.reply.status.error().text;
      begin({.width = 1});
      Written alone;
      engine->submit(told(turn.prompt, turn.say, alone));
      wait();
      if (exact()) {
        EXPECT_TRUE(same_bits(saw, alone)) << i << ": " << apart(saw, alone);
      } else {
        EXPECT_LT(apart(saw, alone), 0.02) << i;
      }
    }
  }

 private:
  std::deque<std::pair<Turn, Written>> played_;
};

TEST_P(EveryMemory, TwinsShareTheirBeginning) {
  std::vector<Turn> twins;
  for (size_t i = 0; i < 6; ++i) twins.push_back({text(1, 300) + text(10 + i, 20 + i), text(20 + i, 8)});
  for (int width : {1, 6}) {
    begin({.width = width});
    play(twins);
    EXPECT_LT(engine->work().computed_tokens, 300 + 6 * 40) << width;
  }
  expect_as_alone();
}

TEST_P(EveryMemory, AConversationGoesOnWhereItStopped) {
  begin();
  int key = 0;
  Tokens so_far = text(1, 200);
  size_t held = 0;
  for (uint64_t turn = 0; turn < 4; ++turn) {
    const Tokens said = text(50 + turn, 30);
    play({{so_far, said, &key}});
    EXPECT_EQ(cached(), static_cast<int64_t>(held));
    held = so_far.size() + said.size();
    so_far = so_far + said + text(60 + turn, 40);
  }
  expect_as_alone();
}

TEST_P(EveryMemory, APromptMayPartFromWhatIsHeldAnywhere) {
  begin();
  const Tokens held = text(1, 700);
  play({{held, text(2, 8)}});
  for (size_t common : {690, 640, 400, 40}) {  // inside a sliding window, and before it
    play({{first(held, common) + text(common, 60), text(3, 8)}});
    if (goes_back(kind()))
      EXPECT_EQ(cached(), static_cast<int64_t>(common));
    else
      EXPECT_LE(cached(), static_cast<int64_t>(common)) << "a state from before, or none";
  }
  expect_as_alone();
}

TEST_P(EveryMemory, WhatWasReadBeforeMakesRoom) {
  begin({.context = 1024, .hold = EngineOptions::Hold::unified, .memory = 1024 * cell});
  const Tokens early = text(2, 400);
  play({{text(1, 100)}});
  play({{early}});
  play({{text(3, 600), text(4, 8)}});                     // takes the first one's place
  play({{first(early, 150) + text(5, 50), text(6, 8)}});  // parts from the second, long before its end
  play({{early + text(7, 50), text(8, 8)}, {text(9, 400)}});
  expect_as_alone();
}

TEST_P(EveryMemory, ManyWaitForRoomAndAreSetBack) {
  begin({.context = 1024, .hold = EngineOptions::Hold::unified, .memory = 1024 * cell, .width = 8});
  std::vector<Turn> turns;
  for (size_t i = 0; i < 16; ++i) turns.push_back({text(i % 2, 60) + text(10 + i, 60), text(30 + i, 160)});
  play(turns);
  expect_as_alone();
}

std::string name_of(const testing::TestParamInfo<std::tuple<Kind, bool>>& story) {
  const char* kinds[] = {"Attention", "RunningState", "SlidingWindow", "Hybrid"};
  const auto& [kind, exact] = story.param;
  return std::string(kinds[static_cast<int>(kind)]) + (exact ? "Exact" : "Fast");
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryMemory,
                         testing::Combine(testing::Values(Kind::llama, Kind::mamba, Kind::sliding, Kind::hybrid),
                                          testing::Bool()),
                         name_of);

// That the tiny model's window is one: a token before it matters to what has a wider one.
TEST_F(EngineTest, ASlidingWindowHidesWhatLiesBehindIt) {
  auto logits_behind = [&](size_t tokens, uint32_t window) {
    make({}, {.kind = Kind::sliding,
              .edit = [=](gguf_context* file) { gguf_set_val_u32(file, "olmo2.attention.sliding_window", window); }});
    EXPECT_EQ(llama_model_n_swa(weights.get()), static_cast<int32_t>(window));
    return one(text(1, tokens), 0, 1);
  };
  EXPECT_LT(apart(logits_behind(60, tiny_window), logits_behind(60, 1024)), 0.02);
  EXPECT_GT(apart(logits_behind(300, tiny_window), logits_behind(300, 1024)), 0.1);
}

class RunningState : public EngineTest, public testing::WithParamInterface<Kind> {};

TEST_P(RunningState, IsCopiedWherePromptsPart) {
  make({}, {.kind = GetParam()});
  const Tokens prefix = text(1, 400);
  std::vector<Written> written(12);
  for (size_t i = 0; i < written.size(); ++i)
    engine->submit(job(prefix + text(10 + i % 3, 100) + text(100 + i, 20), 6, i, written[i]));
  wait();
  const int64_t distinct = 400 + 3 * 100 + 12 * 20;
  EXPECT_THAT(engine->work().computed_tokens, AllOf(Ge(distinct), Le(distinct * 11 / 10)));
  for (const Written& w : written) EXPECT_EQ(w.tokens.size(), 6u);
}

TEST_P(RunningState, GoesOnAndNeverBack) {
  make({}, {.kind = GetParam()});
  int key = 0;
  const Tokens opening = text(1, 200);
  Written first_turn = one(opening, 30, 7, &key);
  Written second = one(opening + first_turn.tokens + text(2, 50), 10, 8, &key);
  EXPECT_EQ(second.reply.cached_tokens, 230);
  // Another way on from the middle: what was read up to the end of the first prompt is there, no more.
  Written third = one(opening + text(3, 50), 10, 8);
  EXPECT_EQ(third.reply.cached_tokens, 200);
  // From before that: nothing, and it is computed again.
  Written fourth = one(first(opening, 150) + text(4, 20), 10, 8);
  EXPECT_EQ(fourth.reply.cached_tokens, 0);
  EXPECT_EQ(fourth.tokens.size(), 10u);
}

// A state can be larger than thousands of keys, and each sequence has one.
TEST_P(RunningState, TakesNoMoreMemoryThanWasAskedFor) {
  for (bool exact : {false, true}) {
    make({.context = 512, .exact = exact, .memory = 512 * cell + (64 << 10)}, {.kind = GetParam()});
    const int all = engine->room().sequences;
    EXPECT_LE(engine->room().bytes, 512 * cell + (64 << 10));
    make({.context = 512, .exact = exact, .memory = 256 * cell + (4 << 10)}, {.kind = GetParam()});
    EXPECT_THAT(engine->room().sequences, AllOf(Ge(1), Le(all / 2)));
    std::vector<Written> written(12);
    for (size_t i = 0; i < written.size(); ++i) engine->submit(job(text(1, 100) + text(i, 20), 6, i, written[i]));
    wait();
    for (const Written& w : written) EXPECT_EQ(w.tokens.size(), 6u);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RunningState, testing::Values(Kind::mamba, Kind::hybrid),
                         [](const auto& story) { return story.param == Kind::mamba ? "Alone" : "BesideAttention"; });

}  // namespace
}  // namespace assay
