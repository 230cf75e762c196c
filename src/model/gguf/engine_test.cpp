// The engine with tiny random models: what it computes, what it shares, and that neither shows in what comes out.
#include "model/gguf/engine.h"

#include <gmock/gmock.h>

#include <map>
#include <mutex>

#include "model/gguf/engine_fixture.h"
#include "model/model.h"

namespace assay {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

TEST_F(EngineTest, ComputesAPrefixOnceHoweverManyShareIt) {
  make({});
  const Tokens prefix = text(1, 600);
  std::vector<Written> written(20);
  for (size_t i = 0; i < written.size(); ++i) engine->submit(job(prefix + text(100 + i, 10), 5, i, written[i]));
  wait();
  for (const Written& w : written) EXPECT_EQ(w.tokens.size(), 5u);
  EngineWork work = engine->work();
  EXPECT_EQ(work.prompt_tokens, 20 * 610);
  EXPECT_THAT(work.computed_tokens, AllOf(Ge(600 + 20 * 10), Le(600 + 20 * 10 + 20)));
  EXPECT_STREQ(engine->hold(), "unified");
}

TEST_F(EngineTest, SharesATreeOfPrefixes) {
  make({});
  // Two tasks of four cells each, eight epochs.
  std::vector<Written> written(64);
  size_t i = 0;
  for (int epoch = 0; epoch < 8; ++epoch)
    for (int task = 0; task < 2; ++task)
      for (int cell = 0; cell < 4; ++cell, ++i)
        engine->submit(job(text(1, 300) + text(10 + task, 200) + text(100 + 10 * task + cell, 80) + text(1000 + i, 20),
                           8, i, written[i]));
  wait();
  const int64_t distinct = 300 + 2 * 200 + 8 * 80 + 64 * 20;
  EXPECT_THAT(engine->work().computed_tokens, AllOf(Ge(distinct), Le(distinct * 105 / 100)));
}

TEST_F(EngineTest, HoldsWhatHasLittleInCommonInStreams) {
  make({});
  std::vector<Written> written(16);
  for (size_t i = 0; i < written.size(); ++i) engine->submit(job(text(i + 1, 400), 5, i, written[i]));
  wait();
  EXPECT_STREQ(engine->hold(), "streams");
  EXPECT_GT(engine->work().stream_steps, 0);
  EXPECT_EQ(engine->work().unified_steps, 0);
  // And back, when what comes next has much in common.
  std::vector<Written> twins(16);
  for (size_t i = 0; i < twins.size(); ++i) engine->submit(job(text(99, 400) + text(i, 5), 5, i, twins[i]));
  wait();
  EXPECT_STREQ(engine->hold(), "unified");
}

TEST_F(EngineTest, GoesOnWithAConversationWhereItStopped) {
  for (bool exact : {false, true}) {
    make({.exact = exact});
    int key = 0;
    const Tokens opening = text(1, 200);
    Written first = one(opening, 30, 7, &key);
    Written second = one(opening + first.tokens + text(2, 50), 10, 8, &key);
    EXPECT_EQ(second.reply.cached_tokens, 230);
    engine->end(&key);
    // Its opening serves the next one.
    Written other = one(opening + text(3, 40), 10, 9);
    EXPECT_EQ(other.reply.cached_tokens, 200);
  }
}

// The heart of exact mode: hundreds of conversations of two turns, at several widths and in another order, and every
// bit of every logit the same.
TEST_F(EngineTest, IsTheSameToTheBitWhateverElseIsComputedInExactMode) {
  constexpr int conversations = 120;
  std::vector<std::vector<Written>> runs;
  for (int width : {1, 7, 64}) {
    make({.exact = true, .width = width});
    std::vector<Written> written(2 * conversations);
    std::vector<int> keys(conversations);
    auto opening = [&](int i) { return text(1, 150) + text(10 + i % 5, 60) + text(100 + i, 5 + i % 40); };
    for (int i = 0; i < conversations; ++i) {
      const int which = width == 7 ? conversations - 1 - i : i;
      engine->submit(job(opening(which), 12, which, written[which], &keys[which]));
    }
    wait();
    for (int i = 0; i < conversations; ++i)
      engine->submit(
          job(opening(i) + written[i].tokens + text(1000 + i, 30), 9, 500 + i, written[conversations + i], &keys[i]));
    wait();
    runs.push_back(std::move(written));
  }
  int differ = 0;
  for (size_t i = 0; i < runs[0].size(); ++i)
    differ += !same_bits(runs[0][i], runs[1][i]) + !same_bits(runs[0][i], runs[2][i]);
  EXPECT_EQ(differ, 0) << "of " << 2 * runs[0].size();
  EXPECT_EQ(runs[0][0].tokens.size(), 12u);
}

// That the test above can fail: the fast mode's bits do depend on the batch.
TEST_F(EngineTest, IsNotTheSameToTheBitInFastMode) {
  std::vector<std::vector<Written>> runs;
  for (int width : {1, 16}) {
    make({.width = width});
    std::vector<Written> written(16);
    for (int i = 0; i < 16; ++i) engine->submit(job(text(1, 150) + text(100 + i, 5 + i), 12, i, written[i]));
    wait();
    runs.push_back(std::move(written));
  }
  int differ = 0;
  for (size_t i = 0; i < runs[0].size(); ++i) differ += !same_bits(runs[0][i], runs[1][i]);
  EXPECT_GT(differ, 0);
}

TEST_F(EngineTest, ShowsTheLogitsBehindEachTokenOfAPrompt) {
  make({.exact = true});
  const Tokens prompt = text(1, 700);
  std::vector<std::vector<float>> seen(prompt.size());
  Written unused;
  EngineJob whole = job(prompt, 0, 1, unused);
  whole.next = nullptr;
  whole.seen_from = 100;
  whole.seen = [&](size_t i, const float* logits) { seen[i].assign(logits, logits + words); };
  engine->submit(std::move(whole));
  wait();
  EXPECT_TRUE(unused.reply.status);
  EXPECT_TRUE(seen[99].empty());
  for (size_t i = 100; i < prompt.size(); ++i) ASSERT_EQ(seen[i].size(), size_t(words)) << i;
  Written alone = one(Tokens(prompt.begin(), prompt.begin() + 301), 0, 1);
  ASSERT_EQ(alone.logits.size(), 1u);
  EXPECT_EQ(alone.logits[0], seen[300]);
}

TEST_F(EngineTest, WaitsForRoomAndSetsBackTheYoungest) {
  // 1,024 cells: eight of these fit while they begin, and not when they have written.
  const int64_t cell = 4 * 2 * 32;  // bytes: two layers of 32 numbers, keys and values of 16 bits
  make({.context = 1024, .hold = EngineOptions::Hold::unified, .memory = 1024 * cell, .width = 8});
  std::vector<Written> written(8), alone(8);
  for (size_t i = 0; i < 8; ++i) engine->submit(job(text(i, 90), 200, i, written[i]));
  wait();
  EXPECT_GT(engine->work().preempted, 0);
  for (const Written& w : written) {
    EXPECT_TRUE(w.reply.status) << w.reply.status.error().text;
    EXPECT_EQ(w.tokens.size(), 200u);
  }
}

// Twelve conversations of four turns each, beside each other, where less than half have room.
TEST_F(EngineTest, FinishesConversationsRatherThanReadThemAgain) {
  constexpr int all = 12, turns = 4;
  constexpr int64_t cell = 4 * 2 * 32;  // bytes
  for (const EngineOptions::Hold hold : {EngineOptions::Hold::streams, EngineOptions::Hold::unified}) {
    make({.context = 512, .hold = hold, .memory = 3 * 512 * cell});
    struct Talk {
      Tokens so_far;
      int turn = 0;
      Written said;
    };
    std::vector<Talk> talks(all);
    std::mutex mutex;
    std::vector<Talk*> answered;
    auto ask = [&](Talk& talk) {
      talk.said = {};
      EngineJob asked = told(talk.so_far, text(100 + static_cast<uint64_t>(talk.turn), 20), talk.said, &talk);
      asked.done = [&, done = asked.done](EngineReply reply) {
        done(std::move(reply));
        std::lock_guard lock(mutex);
        answered.push_back(&talk);
      };
      engine->submit(std::move(asked));
    };
    for (size_t i = 0; i < all; ++i) {
      talks[i].so_far = text(1, 100) + text(10 + i, 100);
      ask(talks[i]);
    }
    engine->go();
    for (int ended = 0; ended < all;) {
      std::vector<Talk*> next;
      {
        std::lock_guard lock(mutex);
        next.swap(answered);
      }
      for (Talk* talk : next) {
        ASSERT_TRUE(talk->said.reply.status) << talk->said.reply.status.error().text;
        talk->so_far = talk->so_far + talk->said.tokens + text(30, 20);
        if (++talk->turn < turns) {
          ask(*talk);
        } else {
          engine->end(talk);
          ++ended;
        }
      }
      engine->go();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    // What is read: the common beginning, and of each its own, and what follows its turns but the last.
    const int64_t distinct = 100 + all * (100 + (turns - 1) * 20);
    const int64_t room = hold == EngineOptions::Hold::streams ? 0 : distinct;  // which grow into each other's
    EXPECT_GE(engine->work().computed_tokens, distinct);
    EXPECT_LE(engine->work().computed_tokens, distinct + room);
  }
}

TEST_F(EngineTest, EndsWhatOutgrowsTheContext) {
  const int64_t cell = 4 * 2 * 32;
  make({.context = 512, .hold = EngineOptions::Hold::unified, .memory = 512 * cell});
  Written written = one(text(1, 500), 100, 1);
  ASSERT_FALSE(written.reply.status);
  EXPECT_EQ(written.reply.status.error().text,
            "the conversation no longer fits the model's context: it comes to 513 tokens, and there is room for 512");
  EXPECT_EQ(one(text(2, 300), 20, 1).tokens.size(), 20u) << "and it goes on";
}

// Little memory makes a short cache; what is longer and within the context gets a longer one.
TEST_F(EngineTest, ACacheGrowsForWhatIsLongerThanItWasMadeFor) {
  const int64_t cell = 4 * 2 * 32;
  make({.context = 2048, .hold = EngineOptions::Hold::unified, .memory = 512 * cell});
  EXPECT_EQ(one(text(1, 100), 10, 1).tokens.size(), 10u);
  Written longer = one(text(2, 900), 20, 1);
  EXPECT_TRUE(longer.reply.status) << longer.reply.status.error().text;
  EXPECT_EQ(longer.tokens.size(), 20u);
}

// The residual stream behind each layer: at every position, in every chunking, what a plain reading shows.
TEST_F(EngineTest, ShowsTheResidualStreamAtChosenPositions) {
  using Seen = std::map<std::pair<int, size_t>, std::vector<float>>;
  const Tokens prompt = text(1, 700);
  auto look = [&](std::vector<int> layers, std::vector<size_t> positions, bool beside_others) {
    make({.exact = true, .captures = true});
    std::vector<Written> others(beside_others ? 6 : 0);
    for (size_t i = 0; i < others.size(); ++i)
      engine->submit(job(Tokens(prompt.begin(), prompt.begin() + 200) + text(50 + i, 30), 20, i, others[i]));
    Seen seen;
    Written unused;
    EngineJob looked = job(prompt, 0, 1, unused);
    looked.next = nullptr;
    looked.capture = Capture{std::move(layers), std::move(positions),
                             [&](int layer, size_t at, const float* v, int n) { seen[{layer, at}].assign(v, v + n); }};
    engine->submit(std::move(looked));
    wait();
    return seen;
  };
  std::vector<size_t> all(prompt.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  const Seen whole = look({0, 1}, all, false);
  ASSERT_EQ(whole.size(), 2 * prompt.size());
  for (const auto& [where, values] : whole) ASSERT_EQ(values.size(), 32u);
  EXPECT_NE(whole.at({0, 5}), whole.at({1, 5}));
  const Seen some = look({1}, {3, 511, 512, 699}, true);
  ASSERT_EQ(some.size(), 4u);
  for (const auto& [where, values] : some) EXPECT_EQ(values, whole.at(where)) << where.second;
}

}  // namespace
}  // namespace assay
