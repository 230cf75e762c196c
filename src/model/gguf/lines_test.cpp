// The books of what a context holds: who shares what with whom, and who goes first.
#include "model/gguf/lines.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "model/gguf/llama_log.h"
#include "model/gguf/tiny_gguf.h"

namespace assay {
namespace {

using Tokens = std::vector<llama_token>;

TEST(CommonPrefix, CountsWhatTwoListsBeginWith) {
  EXPECT_EQ(common_prefix({}, {1}), 0u);
  EXPECT_EQ(common_prefix({1, 2, 3}, {1, 2, 4}), 2u);
  Tokens one(1000, 7), other(1000, 7);
  EXPECT_EQ(common_prefix(one, other), 1000u);
  other[777] = 8;
  EXPECT_EQ(common_prefix(one, other), 777u);
}

class LinesTest : public testing::TestWithParam<bool> {  // unified?
 protected:
  void SetUp() override {
    capture_llama_log();
    const auto path = std::filesystem::temp_directory_path() /
                      ("assay-lines-" + std::to_string(::getpid()) + (GetParam() ? "u" : "s") + ".gguf");
    write_tiny_gguf(path.string(), {});
    model_.reset(llama_model_load_from_file(path.c_str(), llama_model_default_params()));
    std::filesystem::remove(path);
    ASSERT_TRUE(model_);
    llama_context_params how = llama_context_default_params();
    how.n_ctx = 1024;
    how.n_seq_max = 4;
    how.kv_unified = GetParam();
    how.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    context_.reset(llama_init_from_model(model_.get(), how));
    ASSERT_TRUE(context_);
    lines.emplace(context_.get(), GetParam(), true);
  }

  // A line that has computed these tokens behind what it held.
  void compute(Line& line, const Tokens& tokens) {
    llama_batch batch = llama_batch_init(static_cast<int32_t>(tokens.size()), 0, 1);
    for (size_t i = 0; i < tokens.size(); ++i) {
      batch.token[i] = tokens[i];
      batch.pos[i] = static_cast<llama_pos>(line.held.size() + i);
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = line.seq;
      batch.logits[i] = i + 1 == tokens.size();
    }
    batch.n_tokens = static_cast<int32_t>(tokens.size());
    EXPECT_EQ(llama_decode(context_.get(), batch), 0);
    llama_batch_free(batch);
    lines->add(line, tokens.data(), tokens.size());
  }
  Line& line_of(const Tokens& tokens) {
    Line& line = *lines->begin();
    compute(line, tokens);
    return line;
  }
  // How far llama's own memory goes in a sequence.
  llama_pos end_of(const Line& line) const {
    return llama_memory_seq_pos_max(llama_get_memory(context_.get()), line.seq) + 1;
  }

  std::optional<Lines> lines;

 private:
  llama_model_ptr model_;
  llama_context_ptr context_;
};

TEST_P(LinesTest, TheLongestBeginningIsFound) {
  line_of({1, 2, 3});
  Line& longer = line_of({1, 2, 3, 4, 5});
  const Lines::Match match = lines->longest({1, 2, 3, 4, 9, 9}, 100);
  EXPECT_EQ(match.line, &longer);
  EXPECT_EQ(match.keep, 4u);
  EXPECT_EQ(lines->longest({1, 2, 3, 4, 9, 9}, 2).keep, 2u) << "no more than is wanted";
  EXPECT_EQ(lines->longest({9}, 100).line, nullptr);
}

TEST_P(LinesTest, OfTwoThatShareAsMuchAConversationGoesOnWithItsOwn) {
  int somebody = 0;
  Line &own = line_of({1, 2, 3}), &other = line_of({1, 2, 4});
  lines->give(own, &somebody, 3);
  lines->touch(other);
  EXPECT_EQ(lines->longest({1, 2, 9}, 9).line, &other) << "the one used last";
  EXPECT_EQ(lines->longest({1, 2, 9}, 9, &somebody).line, &own);
  EXPECT_EQ(lines->of(&somebody), &own);
  own.busy = true;
  EXPECT_EQ(lines->of(&somebody), nullptr);
}

TEST_P(LinesTest, AForkHoldsTheBeginningAndGoesItsOwnWay) {
  Line& first = line_of({1, 2, 3, 4});
  Line& second = *lines->fork(first, 2);
  compute(second, {7, 8});
  EXPECT_EQ(second.held, (Tokens{1, 2, 7, 8}));
  EXPECT_EQ(first.held, (Tokens{1, 2, 3, 4}));
  EXPECT_EQ(end_of(second), 4);
  EXPECT_EQ(lines->used(), GetParam() ? 6u : 8u) << "in one cache what is shared lies there once";
  EXPECT_EQ(lines->own_cells(second), GetParam() ? 2u : 4u);
}

TEST_P(LinesTest, WhatIsCutIsForgottenByLlamaToo) {
  Line& line = line_of({1, 2, 3, 4});
  EXPECT_TRUE(lines->cut(line, 1));
  EXPECT_EQ(line.held, Tokens{1});
  EXPECT_EQ(end_of(line), 1);
  EXPECT_EQ(lines->used(), 1u);
}

TEST_P(LinesTest, WhatWasLeastRecentlyUsedGoesFirstAndNeverWhatIsInUse) {
  Line &old = line_of({1}), &busy = line_of({2}), &fresh = line_of({3});
  busy.busy = true;
  lines->touch(old);
  lines->touch(fresh);
  const llama_seq_id first_out = old.seq;
  EXPECT_TRUE(lines->evict());
  EXPECT_EQ(lines->begin()->seq, first_out) << "its sequence is free again";
  EXPECT_TRUE(lines->evict());
  EXPECT_TRUE(lines->evict());
  EXPECT_FALSE(lines->evict()) << "only the busy one is left";
  EXPECT_EQ(lines->used(), 1u);
}

TEST_P(LinesTest, WhoseConversationGoesOnOutlivesWhatIsNobodys) {
  int somebody = 0;
  Line &theirs = line_of({1}), &nobodys = line_of({2});
  lines->give(theirs, &somebody, 1);
  lines->touch(nobodys);
  EXPECT_TRUE(lines->evict());
  EXPECT_EQ(lines->longest({2}, 9).line, nullptr);
  EXPECT_FALSE(lines->evict());
  EXPECT_EQ(lines->longest({1}, 9).line, &theirs);
}

TEST_P(LinesTest, TheConversationThatBeganLastIsTheFirstToBeSetBack) {
  int early = 0, late = 0, latest = 0;
  Line &first = line_of({1}), &second = line_of({2}), &third = line_of({3});
  lines->give(second, &early, 1);
  lines->give(first, &late, 1);
  lines->give(third, &latest, 1);
  third.busy = true;
  lines->give(second, &early, 1);  // its next turn: it began no later for that
  EXPECT_TRUE(lines->pauses());
  EXPECT_TRUE(lines->interrupt());
  EXPECT_EQ(lines->longest({1}, 9).line, nullptr);
  EXPECT_TRUE(lines->interrupt());
  EXPECT_FALSE(lines->interrupt()) << "who is being answered stays";
  EXPECT_FALSE(lines->pauses());
}

TEST_P(LinesTest, AConversationThatWentOnInOtherWordsHoldsOneLine) {
  int somebody = 0;
  Line &before = line_of({1, 2}), &now = line_of({1, 3});
  lines->give(before, &somebody, 2);
  lines->give(now, &somebody, 2);
  EXPECT_TRUE(lines->evict());
  EXPECT_FALSE(lines->evict());
  EXPECT_EQ(lines->longest({1, 3}, 9).line, &now);
}

TEST_P(LinesTest, AConversationThatEndedLeavesItsOpeningToOthers) {
  int somebody = 0;
  Line& line = line_of({1, 2, 3, 4, 5});
  lines->give(line, &somebody, 2);
  lines->end(&somebody);
  EXPECT_EQ(lines->longest({1, 2, 3}, 9).keep, 2u);
  EXPECT_EQ(lines->used(), 2u);
}

TEST_P(LinesTest, ThereAreNoMoreThanTheContextHasSequences) {
  for (int i = 0; i < 4; ++i) line_of({i});
  EXPECT_EQ(lines->begin(), nullptr);
  lines->clear();
  EXPECT_EQ(lines->free_sequences(), 4);
  EXPECT_EQ(lines->used(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Held, LinesTest, testing::Bool(),
                         [](const auto& held) { return held.param ? "InOneCache" : "InStreams"; });

}  // namespace
}  // namespace assay
