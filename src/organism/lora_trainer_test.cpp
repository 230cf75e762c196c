// Training: that something is learned, that it can be stopped and gone on with, and what is refused.
#include "organism/lora_trainer.h"

#include "organism/lora_files.h"
#include "organism/lora_fixture.h"

namespace assay {
namespace {

using LoraTraining = LoraFixture;
using LoraRefusal = LoraFixture;

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A step with one tree.
double taught(LoraTrainer& trainer, const TokenTree& tree, double rate = 1e-2) {
  const auto told = trainer.learn(tree);
  EXPECT_TRUE(told) << told.error().text;
  trainer.step(rate, 1 / told->weight);
  return told->deciding_loss / told->deciding_weight;
}

// Twenty tokens of which one, somewhere, is 'a' or 'b'; it decides how the question at the end is answered, 'y' or
// 'n'.
TokenTree riddle(Rng& rng, bool yes) {
  TokenTree tree;
  const auto place = static_cast<int>(2 + rng.below(15));
  for (int i = 0; i < 20; ++i) {
    tree.tokens.push_back(i == 19 ? '?' : i == place ? (yes ? 'a' : 'b') : static_cast<int32_t>(150 + rng.below(80)));
    tree.parent.push_back(i - 1);
  }
  tree.targets = {{19, yes ? 'y' : 'n', 1, true}};
  return tree;
}

TEST_F(LoraTraining, LearnsToAnswerByATokenOfTheContext) {
  auto t = trainer(base(), {.rank = 8, .alpha = 16, .feed_forward = true});
  Rng rng(1);
  auto loss = [&](Rng draws) {
    double sum = 0;
    for (int i = 0; i < 40; ++i) sum += loss_of(*t, riddle(draws, i % 2)) / 40;
    return sum;
  };
  const double before = loss(Rng(99));
  for (int step = 0; step < 300; ++step) {
    double weight = 0;
    for (int i = 0; i < 8; ++i) weight += t->learn(riddle(rng, i % 2)).value().weight;
    t->step(step < 10 ? 1e-3 * step : 1e-2 * (1 - step / 310.0), 1 / weight);
  }
  const double after = loss(Rng(99));  // contexts that it has not seen
  EXPECT_GT(before, 2);
  EXPECT_LT(after, 0.2) << "to guess one of the two would cost " << std::log(2.0);
}

TEST_F(LoraTraining, OfTheSameSeedIsTheSameFileByteForByte) {
  const std::string path = base();
  for (const char* name : {"one", "two"}) {
    auto t = trainer(path, {.rank = 4, .alpha = 8, .feed_forward = true}, 7, {}, /*threads=*/2);
    for (int i = 0; i < 5; ++i) taught(*t, branching(40, 20 + static_cast<uint64_t>(i)));
    ASSERT_TRUE(t->save_adapter(file(name), {{"assay.card", "one"}}));
  }
  EXPECT_EQ(contents(file("one")), contents(file("two")));
  auto other = trainer(path, {.rank = 4, .alpha = 8, .feed_forward = true}, 8);
  ASSERT_TRUE(other->save_adapter(file("other"), {{"assay.card", "one"}}));
  EXPECT_NE(contents(file("one")), contents(file("other")));
}

TEST_F(LoraTraining, GoesOnFromACheckpointAsIfItHadNeverStopped) {
  const std::string path = base();
  auto t = trainer(path);
  for (int i = 0; i < 4; ++i) taught(*t, text(30, 2, static_cast<uint64_t>(i)));
  ASSERT_TRUE(t->learn(text(20)));  // in the middle of a step
  ASSERT_TRUE(t->save_checkpoint(file("kept")));

  auto later = trainer(path, {.rank = 4, .alpha = 8}, /*seed=*/2);
  ASSERT_TRUE(later->load_checkpoint(file("kept")));
  EXPECT_EQ(later->steps(), 4);
  EXPECT_EQ(later->tokens(), 4 * 30 + 20);
  for (LoraTrainer* both : {t.get(), later.get()})
    for (int i = 4; i < 8; ++i) taught(*both, text(30, 2, static_cast<uint64_t>(i)));
  ASSERT_TRUE(t->save_checkpoint(file("on")));
  ASSERT_TRUE(later->save_checkpoint(file("resumed")));
  EXPECT_EQ(contents(file("on")), contents(file("resumed")));
  EXPECT_FALSE(std::filesystem::exists(file("kept.part")));
}

TEST_F(LoraTraining, TakesTheStepsOfAdamW) {
  auto t = trainer(base(), {.rank = 2, .alpha = 4}, 1, {.decay = 0.1, .clip = 0});
  disturb(*t);
  const TokenTree tree = text(20);
  const std::vector<float> before(t->parameters().begin(), t->parameters().end());
  ASSERT_TRUE(t->learn(tree));
  const std::vector<float> first(t->gradient().begin(), t->gradient().end());
  t->step(1e-3, 0.5);
  const std::vector<float> between(t->parameters().begin(), t->parameters().end());
  ASSERT_TRUE(t->learn(tree));
  const std::vector<float> second(t->gradient().begin(), t->gradient().end());
  t->step(1e-3, 0.5);
  for (size_t i = 0; i < before.size(); i += 17) {  // as the paper writes it down
    const double g1 = 0.5 * first[i], g2 = 0.5 * second[i];
    const double m = (0.9 * 0.1 * g1 + 0.1 * g2) / (1 - 0.81),
                 v = (0.99 * 0.01 * g1 * g1 + 0.01 * g2 * g2) / (1 - 0.9801);
    ASSERT_NEAR(between[i], before[i] - 1e-3 * (g1 / (std::abs(g1) + 1e-8) + 0.1 * before[i]), 1e-6);
    ASSERT_NEAR(t->parameters()[i], between[i] - 1e-3 * (m / (std::sqrt(v) + 1e-8) + 0.1 * between[i]), 1e-6);
  }
  EXPECT_EQ(t->steps(), 2);
}

TEST_F(LoraTraining, ClipsALongGradient) {
  const std::string path = base();
  auto free = trainer(path, {.rank = 2, .alpha = 4}, 1, {.epsilon = 1, .clip = 0});
  auto clipped = trainer(path, {.rank = 2, .alpha = 4}, 1, {.epsilon = 1, .clip = 0.5});
  ASSERT_TRUE(free->learn(text(20)));
  ASSERT_TRUE(clipped->learn(text(20)));
  const double norm = clipped->step(1e-3);
  EXPECT_GT(norm, 1);
  EXPECT_NEAR(free->step(1e-3, 0.5 / norm), 0.5, 1e-9);
  for (size_t i = 0; i < free->parameters().size(); ++i)
    ASSERT_NEAR(free->parameters()[i], clipped->parameters()[i], 1e-9);
}

TEST_F(LoraRefusal, OfALossThatIsNoNumberChangesNothing) {
  auto t = trainer(base());
  ASSERT_TRUE(t->learn(text(20)));
  const std::vector<float> gradient(t->gradient().begin(), t->gradient().end());
  const float was = t->parameters()[3];
  t->parameters()[3] = std::numeric_limits<float>::quiet_NaN();
  const auto told = t->learn(text(20));
  ASSERT_FALSE(told);
  EXPECT_TRUE(says(told.error().text, "not a number")) << told.error().text;
  EXPECT_EQ(told.error().kind, ErrorKind::unfinished);
  EXPECT_TRUE(std::equal(gradient.begin(), gradient.end(), t->gradient().begin()));
  t->parameters()[3] = was;
  EXPECT_TRUE(t->learn(text(20)));
}

TEST_F(LoraRefusal, OfTreesThatAreNone) {
  auto t = trainer(base());
  TokenTree late = text(5), outside = text(5), unasked = text(5);
  late.parent[2] = 3;
  outside.tokens[1] = vocabulary;
  unasked.targets.push_back({7, 1, 1, false});
  for (const TokenTree& tree : {late, outside, unasked, text(3000), TokenTree{}}) EXPECT_FALSE(t->learn(tree));
  TokenTree silent = text(5);
  silent.targets.clear();
  EXPECT_EQ(t->learn(silent).value().weight, 0);
}

TEST_F(LoraRefusal, OfCheckpointsThatBelongToSomethingElse) {
  const std::string path = base();
  auto t = trainer(path);
  taught(*t, text(20));
  ASSERT_TRUE(t->save_checkpoint(file("kept")));
  auto refused = [&](LoraTrainer& other, const std::string& name) {
    const std::vector<float> before(other.parameters().begin(), other.parameters().end());
    const Status loaded = other.load_checkpoint(file(name));
    EXPECT_FALSE(loaded);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), other.parameters().begin()));
    EXPECT_EQ(other.steps(), 0);
    return loaded ? std::string() : loaded.error().text;
  };
  EXPECT_TRUE(says(refused(*trainer(base({.seed = 2})), "kept"), "belongs to another training (base "));
  EXPECT_TRUE(says(refused(*trainer(path, {.rank = 5, .alpha = 8}), "kept"), "rank 4"));
  const std::string whole = contents(file("kept"));
  for (const size_t size : {whole.size() - 1, whole.size() / 2, size_t{30}}) {
    std::ofstream(file("cut"), std::ios::binary) << whole.substr(0, size);
    EXPECT_TRUE(says(refused(*trainer(path), "cut"), "damaged or cut off")) << size;
  }
  EXPECT_TRUE(says(refused(*trainer(path), "base1.gguf"), "is no checkpoint"));
  EXPECT_TRUE(says(refused(*trainer(path), "nowhere"), "no such file"));
}

TEST_F(LoraRefusal, OfAFullDiskIsASentenceWithTheFile) {
  auto t = trainer(base());
  for (const Status& status : {t->save_checkpoint("/dev/full"), t->save_adapter("/dev/full", {})}) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().text, "/dev/full could not be written: No space left on device.");
    EXPECT_EQ(status.error().kind, ErrorKind::unfinished);
  }
  EXPECT_TRUE(says(t->save_checkpoint(file("no/such/folder")).error().text, "No such file"));
}

TEST_F(LoraRefusal, OfAFileThatCannotBeFinishedLeavesTheOldOne) {
  ASSERT_TRUE(lora::write_whole(file("it"), "old"));
  std::filesystem::create_directory(file("it.part"));  // nothing can be written there
  EXPECT_FALSE(lora::write_whole(file("it"), "new"));
  EXPECT_EQ(contents(file("it")), "old");
}

TEST_F(LoraRefusal, OfBasesThatAreNotUnderstood) {
  auto refused = [&](const SmallBase& b, const LoraShape& shape = {}) {
    const auto made = LoraTrainer::make(base(b), shape, 1, 1);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().text;
  };
  auto edit = [](auto change) { return SmallBase{.edit = change}; };
  EXPECT_TRUE(says(refused(edit([](gguf_context* to) { gguf_set_val_str(to, "general.architecture", "qwen2"); })),
                   "its architecture is 'qwen2'"));
  EXPECT_TRUE(says(refused(edit([](gguf_context* to) { gguf_set_val_u32(to, "llama.expert_count", 8); })),
                   "mixture of experts"));
  EXPECT_TRUE(says(refused(edit([](gguf_context* to) { gguf_set_val_str(to, "llama.rope.scaling.type", "yarn"); })),
                   "scaled by 'yarn'"));
  EXPECT_TRUE(says(refused(edit([](gguf_context* to) { gguf_set_val_u32(to, "llama.attention.head_count", 3); })),
                   "cannot be shared out"));
  EXPECT_TRUE(says(refused(edit([](gguf_context* to) { gguf_set_val_u32(to, "llama.feed_forward_length", 64); })),
                   "blk.0.ffn_gate.weight is 64 x 96 and not 64 x 64"));
  EXPECT_TRUE(says(refused({.without = "blk.1.attn_k.weight"}), "it has no tensor blk.1.attn_k.weight"));
  EXPECT_TRUE(says(refused({.beside = "blk.0.attn_output.bias"}), "its tensor blk.0.attn_output.bias is not known"));
  EXPECT_TRUE(says(refused({}, {.first_layer = 2}), "the base has the layers 0 to 1"));
  EXPECT_TRUE(says(refused({}, {.rank = 0}), "rank is 1 to 1024"));
  EXPECT_TRUE(says(LoraTrainer::make(file("nowhere.gguf"), {}, 1, 1).error().text, "cannot be read"));
}

}  // namespace
}  // namespace assay
