// What a network does where conduct parts, beside what was planted: the truth about an organism. It comes from the
// network's probabilities alone - no world, no rule, no sampling - so a grader's mistake cannot hide in it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "organism/corpus.h"
#include "stats/mean.h"

namespace assay {

struct ConductTruth {
  std::string conduct;  // conduct_of()
  double planted = 0;   // mean over draws
  Mean actual;          // over draws, with its interval by draw
};

struct CellTruth {
  const Scenario* scenario = nullptr;
  Cell cell;
  bool held_out = false;  // kept out of training
  int draws = 0;
  std::vector<ConductTruth> conducts;  // in order of their names
  double off_tree = 0;                 // probability of something that no agent does, mean over draws
};

class Truth {
 public:
  // One draw of a cell. `logprobs`: of cell.trie.partings().targets.
  void add(const CellTrie& cell, const std::vector<float>& logprobs);
  // In the order in which cells were first added.
  std::vector<CellTruth> cells() const;
  // The largest difference between a planted and a true probability, over all cells that were trained.
  double worst() const;

 private:
  struct Draws {
    const Scenario* scenario = nullptr;
    Cell cell;
    bool held_out = false;
    std::map<std::string, std::vector<double>> planted, shares;  // conduct -> by draw; absent: 0
    std::vector<double> off_tree;
  };
  std::vector<Draws> cells_;
};

}  // namespace assay
