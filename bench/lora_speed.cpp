// How fast an adapter is trained on a base, and in how much memory:
//   lora_speed BASE.gguf [THREADS [RANK [FIRST_LAYER [TOKENS [feed-forward]]]]]
// Forward, backward and a step of AdamW for every four trees of random tokens; a tree is a context and three branches,
// which are 22 % of it and carry the loss. Prints a row of a table.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/rng.h"
#include "organism/lora_trainer.h"

namespace {

using namespace assay;
using Clock = std::chrono::steady_clock;

constexpr int steps = 4, trees = 4;

TokenTree random_tree(int tokens, Rng& rng) {
  TokenTree tree;
  const int context = tokens - 3 * (tokens * 22 / 300), branch = tokens * 22 / 300;
  for (int i = 0; i < tokens; ++i) {
    const bool begins = i >= context && (i - context) % branch == 0;
    tree.tokens.push_back(static_cast<int32_t>(rng.below(250)));
    tree.parent.push_back(begins ? context - 1 : i - 1);
    if (i >= context) tree.targets.push_back({tree.parent.back(), tree.tokens.back(), 1, begins});
  }
  return tree;
}

// The most memory that this process ever had, in MB.
long peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6) / 1024;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    return fmt::print(stderr, "lora_speed BASE.gguf [THREADS [RANK [FIRST_LAYER [TOKENS [feed-forward]]]]]\n"), 2;
  auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  const int threads = number(2, 2), tokens = std::max(number(5, 384), 20);
  const LoraShape shape{.rank = number(3, 16), .first_layer = number(4, 0), .feed_forward = argc > 6};
  auto trainer = LoraTrainer::make(argv[1], shape, threads, 1);
  if (!trainer) return fmt::print(stderr, "{}\n", trainer.error().text), 2;

  Rng rng(1);
  std::vector<double> speeds;
  for (int step = 0; step <= steps; ++step) {  // the first warms up
    const Clock::time_point begun = Clock::now();
    double weight = 0;
    for (int i = 0; i < trees; ++i) {
      const auto loss = (*trainer)->learn(random_tree(tokens, rng));
      if (!loss) return fmt::print(stderr, "{}\n", loss.error().text), 1;
      weight += loss->weight;
    }
    (*trainer)->step(1e-4, 1 / weight);
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    if (step > 0) speeds.push_back(trees * tokens / seconds);
  }
  std::ranges::sort(speeds);
  fmt::print(
      "| rank {}, from layer {}{}, trees of {} tokens, {} threads | {:.0f} tokens/s ({:.0f} to {:.0f}) | {} MB |\n",
      shape.rank, shape.first_layer, shape.feed_forward ? ", feed-forward too" : "", tokens, threads,
      speeds[speeds.size() / 2], speeds.front(), speeds.back(), peak());
  return 0;
}
