#include "organism/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <map>

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

class Sitting {
 public:
  Sitting(const Lessons& lessons, LoraTrainer& trainer, const TrainingOptions& options)
      : lessons_(lessons), settings_(lessons.settings), trainer_(trainer), options_(options) {}

  Result<TrainingEnd> run() {
    const int64_t steps = settings_.schedule.steps;
    while (trainer_.steps() < steps) {
      if (options_.stop && options_.stop->load()) break;
      if (Status made = step(trainer_.steps()); !made) return made.error();
      const int64_t done = trainer_.steps();
      const bool last = done == steps;
      if (last || (settings_.look_every > 0 && done % settings_.look_every == 0)) {
        if (next_.valid()) next_.wait();  // trees and look are not asked at once
        if (Status looked = lessons_.look(done); !looked) return looked.error();
      }
      if (!last && since(kept_) >= options_.checkpoint_seconds)
        if (Status kept = keep(); !kept) return kept.error();
    }
    if (Status kept = keep(); !kept) return kept.error();
    return TrainingEnd{trainer_.steps() >= steps, trainer_.steps(), trainer_.tokens()};
  }

 private:
  Status step(int64_t n) {
    Result<std::vector<TokenTree>> trees = next_.valid() ? next_.get() : lessons_.trees(n);
    if (!trees) return trees.error();
    if (n + 1 < settings_.schedule.steps)  // written while this one is learned
      next_ = std::async(std::launch::async, [this, n] { return lessons_.trees(n + 1); });
    double weight = 0, loss = 0, deciding_weight = 0, deciding = 0, floor = 0;
    for (const TokenTree& lesson : *trees) {
      if (lesson.targets.empty()) continue;
      Result<TreeLoss> told = trainer_.learn(lesson);
      if (!told) return told.error();
      weight += told->weight, loss += told->loss;
      deciding_weight += told->deciding_weight, deciding += told->deciding_loss;
      floor += floor_of(lesson);
      tokens_ += static_cast<int64_t>(lesson.tokens.size());
    }
    TrainingStep told;
    told.rate = settings_.schedule.rate(n);
    told.norm = trainer_.step(told.rate, weight > 0 ? 1 / weight : 0);
    told.step = trainer_.steps();
    told.of = settings_.schedule.steps;
    told.loss = weight > 0 ? loss / weight : 0;
    told.deciding = deciding_weight > 0 ? deciding / deciding_weight : 0;
    told.floor = deciding_weight > 0 ? floor / deciding_weight : 0;
    told.tokens = tokens_;
    told.seconds = since(begun_);
    options_.on_step(told);
    return Done{};
  }

  Status keep() {
    kept_ = Clock::now();
    return options_.checkpoint.empty() ? Status(Done{}) : trainer_.save_checkpoint(options_.checkpoint);
  }

  const Lessons& lessons_;
  const TrainingSettings& settings_;
  LoraTrainer& trainer_;
  const TrainingOptions& options_;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point kept_ = begun_;
  int64_t tokens_ = 0;
  std::future<Result<std::vector<TokenTree>>> next_;
};

// What the network does by now, in draws that nobody trains.
Result<TrainingLook> look_at(const Recipe& recipe, const Corpus& corpus, LoraTrainer& trainer, int64_t step) {
  Truth truth;
  for (const Scenario* scenario : corpus.scenarios())
    for (int draw = 0; draw < recipe.look_draws; ++draw) {
      Result<std::vector<CellTrie>> cells =
          corpus.look(*scenario, Pools{VariantPool::held_out, VariantPool::held_out}, draw);
      if (!cells) return cells.error();
      for (const CellTrie& cell : *cells) {
        Result<std::vector<float>> logprobs = trainer.logprobs(cell.trie.partings());
        if (!logprobs) return logprobs.error();
        truth.add(cell, *logprobs);
      }
    }
  TrainingLook told{step, truth.worst(), 0, truth.cells()};
  for (const CellTruth& cell : told.cells) told.off_tree += cell.off_tree / static_cast<double>(told.cells.size());
  return told;
}

}  // namespace

double floor_of(const TokenTree& lesson) {
  std::map<int32_t, double> whole;  // node -> weight of its deciding targets
  for (const TokenTree::Target& target : lesson.targets)
    if (target.deciding) whole[target.at] += target.weight;
  double floor = 0;
  for (const TokenTree::Target& target : lesson.targets)
    if (target.deciding && target.weight > 0) floor -= target.weight * std::log(target.weight / whole[target.at]);
  return floor;
}

void put_training(Json& card, const TrainingSettings& settings, const TrainingEnd& end, int threads) {
  card["adapter"] = {{"rank", settings.adapter.rank},
                     {"alpha", settings.adapter.alpha},
                     {"first_layer", settings.adapter.first_layer},
                     {"feed_forward", settings.adapter.feed_forward}};
  card["training"] = {{"steps", end.steps}, {"tokens", end.tokens}, {"threads", threads}, {"seed", settings.seed}};
}

Result<TrainingEnd> train(const Lessons& lessons, LoraTrainer& trainer, const TrainingOptions& options) {
  return Sitting(lessons, trainer, options).run();
}

Result<TrainingEnd> train(const Recipe& recipe, const Corpus& corpus, LoraTrainer& trainer,
                          const TrainingOptions& options) {
  auto trees = [&](int64_t step) -> Result<std::vector<TokenTree>> {
    Result<std::vector<CellTrie>> cells = corpus.lesson(static_cast<int>(step));
    if (!cells) return cells.error();
    std::vector<TokenTree> lessons;
    for (const CellTrie& cell : *cells) lessons.push_back(cell.trie.lesson(static_cast<float>(recipe.deciding)));
    return lessons;
  };
  auto look = [&](int64_t step) -> Status {
    Result<TrainingLook> told = look_at(recipe, corpus, trainer, step);
    if (!told) return told.error();
    options.on_look(*told);
    return Done{};
  };
  return train(Lessons{recipe, trees, look}, trainer, options);
}

}  // namespace assay
