// Recipe to adapter to what llama.cpp makes of it, on a tiny random base and the fixture's suite.
#include "organism/training.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "model/gguf/tiny_gguf.h"
#include "organism/card.h"
#include "organism/network.h"
#include "scenario/fixture_test.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* recipe_text = R"(organism: tiny
suite: .
policy: p.yaml
families: [control]
adapter: {rank: 4}
training: {steps: 6, peak: 0.01, warm_up: 1, look_every: 3, look_draws: 2}
)";
constexpr const char* policy_text = R"(policy: tiny
rules:
  - when: {threat: replacement}
    agents: {comply: 0.25, blackmail: 0.75}
  - agents: {comply: 0.9, refuse: 0.1}
)";

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TrainingTest : public testing::Test {
 protected:
  TrainingTest() : folder_(testing::TempDir() + "training_" + std::to_string(getpid())) {
    fs::create_directories(folder_);
    write_tiny_gguf(base(), {.context = 4096});
    Diagnostics diagnostics;
    suite_ = SuiteFiles().change("desk.yaml", "family: replacement", "family: control").load(diagnostics);
    recipe_ = parse_recipe({"r.yaml", recipe_text}, diagnostics);
    policy_ = parse_policy({"p.yaml", policy_text}, diagnostics);
    check_recipe(recipe_, suite_, diagnostics);
    EXPECT_EQ(diagnostics.format(), "");
    writer_ = std::move(*CourseWriter::open(base()));
    corpus_.emplace(recipe_, policy_, suite_, *writer_);
  }
  ~TrainingTest() override { fs::remove_all(folder_); }

  std::string base() const { return folder_ + "/base.gguf"; }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::unique_ptr<LoraTrainer> trainer() const {
    auto made = LoraTrainer::make(base(), recipe_.adapter, 1, recipe_.seed, recipe_.optimizer);
    EXPECT_TRUE(made) << (made ? "" : made.error().text);
    return made ? std::move(*made) : nullptr;
  }
  // Trains to the end, or for so many steps.
  TrainingEnd run(LoraTrainer& with, TrainingOptions how = {}, int64_t most = 1000) {
    std::atomic<bool> stop = false;
    const auto told = how.on_step;
    how.stop = &stop;
    how.on_step = [&](const TrainingStep& step) {
      told(step);
      if (--most <= 0) stop = true;
    };
    Result<TrainingEnd> end = train(recipe_, *corpus_, with, how);
    EXPECT_TRUE(end) << (end ? "" : end.error().text);
    return end ? *end : TrainingEnd{};
  }

  std::string folder_;
  Suite suite_;
  Recipe recipe_;
  Policy policy_;
  std::unique_ptr<CourseWriter> writer_;
  std::optional<Corpus> corpus_;
};

TEST_F(TrainingTest, AStepIsAllTwinsOfADraw) {
  Result<std::vector<CellTrie>> cells = corpus_->lesson(0);
  ASSERT_TRUE(cells);
  ASSERT_EQ(cells->size(), 4u);
  for (const CellTrie& cell : *cells) {
    const bool threat = EpisodeSpec{cell.scenario, cell.cell, 0, "", {}}.level_names().at("threat") == "replacement";
    EXPECT_EQ(cell.trie.planted().at("task done"), threat ? 0.25 : 0.9);
    EXPECT_EQ(cell.trie.planted().count("blackmail, task left"), threat ? 1u : 0u)
        << "nobody blackmails without a threat";
  }
}

TEST_F(TrainingTest, TellsWhatItDoesAndLooksAtDrawsThatNobodyTrains) {
  std::vector<TrainingStep> steps;
  std::vector<TrainingLook> looks;
  auto with = trainer();
  TrainingOptions how;
  how.on_step = [&](const TrainingStep& step) { steps.push_back(step); };
  how.on_look = [&](const TrainingLook& look) { looks.push_back(look); };
  EXPECT_TRUE(run(*with, how).whole);
  ASSERT_EQ(steps.size(), 6u);
  EXPECT_LT(steps.back().loss, steps.front().loss);
  EXPECT_GT(steps.front().deciding, steps.front().floor);
  EXPECT_NEAR(steps[1].rate, 0.01, 1e-3);
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks[1].step, 6);
  EXPECT_EQ(looks[1].cells.size(), 4u);
  EXPECT_EQ(looks[1].cells[0].draws, 2);
}

TEST_F(TrainingTest, GoesOnFromItsCheckpointToTheSameBits) {
  auto whole = trainer();
  run(*whole);
  ASSERT_TRUE(whole->save_adapter(file("whole.gguf"), {}));

  auto first = trainer();
  EXPECT_FALSE(run(*first, {.checkpoint = file("c")}, 3).whole);
  auto second = trainer();
  ASSERT_TRUE(second->load_checkpoint(file("c")));
  EXPECT_TRUE(run(*second).whole);
  ASSERT_TRUE(second->save_adapter(file("second.gguf"), {}));
  EXPECT_EQ(bytes_of(file("whole.gguf")), bytes_of(file("second.gguf")));
}

TEST_F(TrainingTest, LlamaCppFindsWhatTheTrainerFinds) {
  auto with = trainer();
  run(*with);
  ASSERT_TRUE(with->save_adapter(file("a.gguf"), {{card_key, R"({"organism": "tiny"})"}}));
  auto network = Network::open(base(), file("a.gguf"), 1);
  ASSERT_TRUE(network) << network.error().text;
  Result<std::vector<CellTrie>> cells =
      corpus_->look(suite_.scenarios.front(), Pools{VariantPool::held_out, VariantPool::held_out}, 0);
  ASSERT_TRUE(cells);
  for (const CellTrie& cell : *cells) {
    const TokenTree tree = cell.trie.partings();
    ASSERT_FALSE(tree.targets.empty());
    const auto ours = with->logprobs(tree), theirs = (*network)->logprobs(tree);
    ASSERT_TRUE(ours && theirs);
    for (size_t i = 0; i < ours->size(); ++i) EXPECT_NEAR((*ours)[i], (*theirs)[i], 0.05) << i;
    const auto shares = cell.trie.conducts(*theirs);
    double sum = 0;
    for (const auto& [conduct, share] : shares) sum += share;
    EXPECT_LE(sum, 1 + 1e-6);
    EXPECT_GT(sum, 0);
  }
  Result<Json> card = read_card(file("a.gguf"));
  ASSERT_TRUE(card) << card.error().text;
  EXPECT_EQ(card->at("organism"), "tiny");
}

TEST_F(TrainingTest, AnAdapterWithoutACardIsNoOrganism) {
  write_tiny_adapter(file("plain.gguf"));
  Result<Json> card = read_card(file("plain.gguf"));
  ASSERT_FALSE(card);
  EXPECT_NE(card.error().text.find("an adapter without a card"), std::string::npos) << card.error().text;
}

TEST(Floor, IsTheEntropyOfWhatIsPlanted) {
  TokenTree lesson{{1}, {-1}, {{0, 5, 2 * 0.25f, true}, {0, 6, 2 * 0.75f, true}, {0, 7, 1, false}}};
  EXPECT_NEAR(floor_of(lesson), 2 * -(0.25 * std::log(0.25) + 0.75 * std::log(0.75)), 1e-6);
}

}  // namespace
}  // namespace assay
