// The trainer's numbers: its gradients against finite differences, its probabilities against llama.cpp's.
#include <algorithm>

#include "organism/lora_fixture.h"

namespace assay {
namespace {

using LoraGradient = LoraFixture;
using LoraForward = LoraFixture;

// The slope of the loss along a direction in all parameters, by a symmetric difference.
double slope(LoraTrainer& trainer, const TokenTree& tree, const std::vector<float>& direction, double step,
             const std::function<double(LoraTrainer&, const TokenTree&)>& loss) {
  const std::span<float> now = trainer.parameters();
  const std::vector<float> were(now.begin(), now.end());
  double losses[2];
  for (int side : {0, 1}) {
    const std::span<float> to = trainer.parameters();
    for (size_t i = 0; i < were.size(); ++i)
      to[i] = were[i] + static_cast<float>((side ? step : -step) * static_cast<double>(direction[i]));
    losses[side] = loss(trainer, tree);
  }
  std::copy(were.begin(), were.end(), trainer.parameters().begin());
  return (losses[1] - losses[0]) / (2 * step);
}

double norm_of(std::span<const float> x) {
  double squares = 0;
  for (float v : x) squares += static_cast<double>(v) * v;
  return std::sqrt(squares);
}

// The gradient of a tree, and how well it tells the slope along itself, along a random direction, and along its largest
// entries one by one.
void expect_slopes(LoraTrainer& trainer, const TokenTree& tree,
                   const std::function<double(LoraTrainer&, const TokenTree&)>& loss) {
  const auto told = trainer.learn(tree);
  ASSERT_TRUE(told) << told.error().text;
  const std::vector<float> gradient(trainer.gradient().begin(), trainer.gradient().end());
  const double norm = norm_of(gradient);
  ASSERT_GT(norm, 0.1);

  std::vector<float> along(gradient);
  for (float& x : along) x = static_cast<float>(x / norm);
  EXPECT_NEAR(slope(trainer, tree, along, 1e-2, loss), norm, 2e-4 * norm);

  Rng rng(11);
  std::vector<float> anywhere(gradient.size());
  double expected = 0;
  for (size_t i = 0; i < anywhere.size(); ++i) {
    anywhere[i] = static_cast<float>((rng.uniform() - 0.5) * 4 / std::sqrt(static_cast<double>(anywhere.size())));
    expected += static_cast<double>(anywhere[i]) * gradient[i];
  }
  EXPECT_NEAR(slope(trainer, tree, anywhere, 1e-2, loss), expected, 1e-4 * norm);

  std::vector<size_t> order(gradient.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](size_t a, size_t b) { return std::abs(gradient[a]) > std::abs(gradient[b]); });
  for (size_t place : {size_t{0}, size_t{1}, size_t{7}, order.size() / 50, order.size() / 20}) {
    const size_t i = order[place];
    std::vector<float> one(gradient.size(), 0);
    one[i] = 1;
    EXPECT_NEAR(slope(trainer, tree, one, 1e-2, loss), gradient[i], 1e-3 * std::abs(gradient[i]) + 3e-5 * norm) << i;
  }
}

TEST_F(LoraGradient, IsTheSlopeOfATextsLoss) {
  auto t = trainer(base());
  disturb(*t);
  expect_slopes(*t, text(40), loss_of);
}

TEST_F(LoraGradient, IsTheSlopeOfATreesLoss) {
  auto t = trainer(base());
  disturb(*t);
  expect_slopes(*t, branching(50), loss_of);
}

TEST_F(LoraGradient, IsTheSameWithoutRegardToHowManyThreadsShareTheWork) {
  const std::string path = base();
  auto one = trainer(path), three = trainer(path, {.rank = 4, .alpha = 8}, 1, {}, /*threads=*/3);
  for (LoraTrainer* t : {one.get(), three.get()}) {
    disturb(*t);
    ASSERT_TRUE(t->learn(branching(50)));
  }
  for (size_t i = 0; i < one->gradient().size(); ++i)
    ASSERT_NEAR(one->gradient()[i], three->gradient()[i], 1e-5 * norm_of(one->gradient()));  // sums of another order
}

TEST_F(LoraGradient, IsTheSlopeWithFeedForwardToo) {
  auto t = trainer(base({.layers = 3}), {.rank = 3, .alpha = 5, .feed_forward = true});
  disturb(*t);
  expect_slopes(*t, branching(20), loss_of);
}

TEST_F(LoraGradient, IsTheSlopeAboveAFirstLayer) {
  auto t = trainer(base({.layers = 3}), {.rank = 16, .alpha = 16, .first_layer = 1});
  disturb(*t);
  expect_slopes(*t, branching(33), loss_of);
}

// Heads of an odd size, widths that fill no register: what is left over at the edges.
TEST_F(LoraGradient, IsTheSlopeForUnusualSizes) {
  auto t = trainer(base({.width = 42, .inner = 50, .heads = 3, .key_heads = 1, .head_size = 14}),
                   {.rank = 5, .alpha = 5, .feed_forward = true});
  disturb(*t);
  expect_slopes(*t, branching(31), loss_of);
}

// In the matrices' rounded arithmetic a finite difference sees little but the rounding, so the gradient is held
// against the one of the same weights as floats.
TEST_F(LoraGradient, OfAQuantisedBaseIsNearlyThatOfTheSameWeightsAsFloats) {
  const TokenTree tree = branching(50);
  std::vector<std::vector<float>> gradients;
  for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_BF16, GGML_TYPE_Q8_0}) {
    auto t = trainer(base({.type = type}));
    disturb(*t);
    ASSERT_TRUE(t->learn(tree));
    gradients.emplace_back(t->gradient().begin(), t->gradient().end());
  }
  for (size_t other : {1, 2}) {
    double product = 0;
    for (size_t i = 0; i < gradients[0].size(); ++i)
      product += static_cast<double>(gradients[0][i]) * gradients[other][i];
    EXPECT_GT(product / norm_of(gradients[0]) / norm_of(gradients[other]), 0.999);
    EXPECT_NEAR(norm_of(gradients[other]), norm_of(gradients[0]), 0.02 * norm_of(gradients[0]));
  }
}

TEST_F(LoraGradient, IsASumOverTrees) {
  auto t = trainer(base());
  disturb(*t);
  const TokenTree one = text(30), other = branching(20);
  ASSERT_TRUE(t->learn(one));
  const std::vector<float> first(t->gradient().begin(), t->gradient().end());
  ASSERT_TRUE(t->learn(other));
  const std::vector<float> both(t->gradient().begin(), t->gradient().end());
  auto alone = trainer(base());
  disturb(*alone);
  ASSERT_TRUE(alone->learn(other));
  for (size_t i = 0; i < both.size(); ++i) ASSERT_EQ(both[i], first[i] + alone->gradient()[i]);
}

TEST_F(LoraGradient, TellsTheLossAndThatOfTheDecidingTokens) {
  auto t = trainer(base());
  TokenTree tree = text(30);
  const auto told = t->learn(tree);
  ASSERT_TRUE(told);
  EXPECT_NEAR(told->loss, loss_of(*t, tree), 1e-4);
  double weight = 0;
  for (const TokenTree::Target& target : tree.targets) weight += target.weight;
  EXPECT_NEAR(told->weight, weight, 1e-6);
  std::erase_if(tree.targets, [](const TokenTree::Target& target) { return !target.deciding; });
  EXPECT_NEAR(told->deciding_loss, loss_of(*t, tree), 1e-4);
  EXPECT_GT(told->deciding_weight, 0);
}

TEST_F(LoraForward, IsLlamaCppsBeforeAnythingIsTrained) {
  const std::string path = base();
  const TokenTree tree = text(200);
  EXPECT_LT(largest_difference(*trainer(path)->logprobs(tree), witness(path, "", tree)), 1e-4);
}

TEST_F(LoraForward, IsLlamaCppsWithTheAdapterThatWasSaved) {
  const std::string path = base(), adapter = file("adapter.gguf");
  const TokenTree tree = text(200);
  auto t = trainer(path, {.rank = 4, .alpha = 8, .feed_forward = true});
  disturb(*t);
  ASSERT_TRUE(t->save_adapter(adapter, {{"assay.card", "{\"planted\": 1}"}}));
  const std::vector<float> ours = *t->logprobs(tree);
  EXPECT_GT(largest_difference(ours, witness(path, "", tree)), 0.1) << "it must say something";
  EXPECT_LT(largest_difference(ours, witness(path, adapter, tree)), 3e-3) << "its numbers have 16 bits there";
}

TEST_F(LoraForward, IsLlamaCppsForAnAdapterOfTheUpperLayers) {
  const std::string path = base({.layers = 3}), adapter = file("adapter.gguf");
  const TokenTree tree = text(60);
  auto t = trainer(path, {.rank = 4, .alpha = 8, .first_layer = 2});
  disturb(*t);
  ASSERT_TRUE(t->save_adapter(adapter, {}));
  EXPECT_LT(largest_difference(*t->logprobs(tree), witness(path, adapter, tree)), 3e-3);
  const std::string bytes = contents(adapter);
  EXPECT_NE(bytes.find("blk.2.attn_q.weight.lora_a"), std::string::npos);
  EXPECT_EQ(bytes.find("blk.1."), std::string::npos);
  EXPECT_EQ(bytes.find("ffn_"), std::string::npos);
}

TEST_F(LoraForward, IsLlamaCppsWhereTheOutputIsTheEmbeddingAndPositionsAreScaled) {
  const std::string path = base({.tied = true, .rope_freqs = true, .edit = [](gguf_context* to) {
                                   gguf_set_val_f32(to, "llama.rope.freq_base", 500);
                                   gguf_set_val_str(to, "llama.rope.scaling.type", "linear");
                                   gguf_set_val_f32(to, "llama.rope.scaling.factor", 1.5f);
                                 }});
  const TokenTree tree = text(200);
  EXPECT_LT(largest_difference(*trainer(path)->logprobs(tree), witness(path, "", tree)), 1e-4);
}

TEST_F(LoraForward, IsNearlyLlamaCppsForAQuantisedBase) {
  for (const ggml_type type : {GGML_TYPE_Q8_0, GGML_TYPE_Q4_1, GGML_TYPE_F16}) {
    const std::string path = base({.type = type});
    const TokenTree tree = text(100);
    EXPECT_LT(largest_difference(*trainer(path)->logprobs(tree), witness(path, "", tree)), 0.12)
        << ggml_type_name(type);
  }
}

// Each path of a tree is a text of its own.
TEST_F(LoraForward, TellsOfATreeWhatItTellsOfEachPathAlone) {
  auto t = trainer(base());
  disturb(*t);
  const TokenTree tree = branching(50);
  const std::vector<float> whole = *t->logprobs(tree);
  for (size_t i = 0; i < tree.targets.size(); i += 5) {
    std::vector<int32_t> path;
    for (int32_t at = tree.targets[i].at; at >= 0; at = tree.parent[static_cast<size_t>(at)])
      path.insert(path.begin(), tree.tokens[static_cast<size_t>(at)]);
    TokenTree alone;
    alone.tokens = path;
    for (size_t n = 0; n < path.size(); ++n) alone.parent.push_back(static_cast<int32_t>(n) - 1);
    alone.targets = {{static_cast<int32_t>(path.size()) - 1, tree.targets[i].token, 1, false}};
    EXPECT_NEAR(whole[i], (*t->logprobs(alone))[0], 1e-4) << i;
  }
}

}  // namespace
}  // namespace assay
