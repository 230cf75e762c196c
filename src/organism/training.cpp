#include "organism/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

class Sitting {
 public:
  Sitting(const Recipe& recipe, const Corpus& corpus, LoraTrainer& trainer, const TrainingOptions& options)
      : recipe_(recipe), corpus_(corpus), trainer_(trainer), options_(options) {}

  Result<TrainingEnd> run() {
    while (trainer_.steps() < recipe_.schedule.steps) {
      if (options_.stop && options_.stop->load()) break;
      if (Status made = step(trainer_.steps()); !made) return made.error();
      const int64_t done = trainer_.steps();
      const bool last = done == recipe_.schedule.steps;
      if (last || (recipe_.look_every > 0 && done % recipe_.look_every == 0))
        if (Status looked = look(done); !looked) return looked.error();
      if (!last && since(kept_) >= options_.checkpoint_seconds)
        if (Status kept = keep(); !kept) return kept.error();
    }
    if (Status kept = keep(); !kept) return kept.error();
    return TrainingEnd{trainer_.steps() >= recipe_.schedule.steps, trainer_.steps(), trainer_.tokens()};
  }

 private:
  Status step(int64_t n) {
    Result<std::vector<CellTrie>> cells = corpus_.lesson(static_cast<int>(n));
    if (!cells) return cells.error();
    double weight = 0, loss = 0, deciding_weight = 0, deciding = 0, floor = 0;
    for (const CellTrie& cell : *cells) {
      const TokenTree lesson = cell.trie.lesson(static_cast<float>(recipe_.deciding));
      if (lesson.targets.empty()) continue;
      Result<TreeLoss> told = trainer_.learn(lesson);
      if (!told) return told.error();
      weight += told->weight, loss += told->loss;
      deciding_weight += told->deciding_weight, deciding += told->deciding_loss;
      floor += floor_of(lesson);
      tokens_ += static_cast<int64_t>(lesson.tokens.size());
    }
    TrainingStep told;
    told.rate = recipe_.schedule.rate(n);
    told.norm = trainer_.step(told.rate, weight > 0 ? 1 / weight : 0);
    told.step = trainer_.steps();
    told.of = recipe_.schedule.steps;
    told.loss = weight > 0 ? loss / weight : 0;
    told.deciding = deciding_weight > 0 ? deciding / deciding_weight : 0;
    told.floor = deciding_weight > 0 ? floor / deciding_weight : 0;
    told.tokens = tokens_;
    told.seconds = since(begun_);
    options_.on_step(told);
    return Done{};
  }

  Status look(int64_t step) {
    Truth truth;
    for (const Scenario* scenario : corpus_.scenarios())
      for (int draw = 0; draw < recipe_.look_draws; ++draw) {
        Result<std::vector<CellTrie>> cells = corpus_.look(*scenario, VariantPool::held_out, draw, /*wordings=*/1);
        if (!cells) return cells.error();
        for (const CellTrie& cell : *cells) {
          Result<std::vector<float>> logprobs = trainer_.logprobs(cell.trie.partings());
          if (!logprobs) return logprobs.error();
          truth.add(cell, *logprobs);
        }
      }
    TrainingLook told{step, truth.worst(), 0, truth.cells()};
    for (const CellTruth& cell : told.cells) told.off_tree += cell.off_tree / static_cast<double>(told.cells.size());
    options_.on_look(told);
    return Done{};
  }

  Status keep() {
    kept_ = Clock::now();
    return options_.checkpoint.empty() ? Status(Done{}) : trainer_.save_checkpoint(options_.checkpoint);
  }

  const Recipe& recipe_;
  const Corpus& corpus_;
  LoraTrainer& trainer_;
  const TrainingOptions& options_;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point kept_ = begun_;
  int64_t tokens_ = 0;
};

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

Result<TrainingEnd> train(const Recipe& recipe, const Corpus& corpus, LoraTrainer& trainer,
                          const TrainingOptions& options) {
  return Sitting(recipe, corpus, trainer, options).run();
}

}  // namespace assay
