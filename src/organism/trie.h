// All courses of a cell as one trie of tokens behind their common context, and what it tells:
//   - what a network is trained on: each branch once, with the probability that is planted for it, so that the loss is
//     the expected loss itself;
//   - what a network does: at the tokens where courses of different conduct part, its probabilities of going on inside
//     each conduct. No world, no rule and no sampling has a part in that number.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "organism/course.h"
#include "organism/token_tree.h"
#include "scenario/organism_card.h"

namespace assay {

class Trie {
 public:
  explicit Trie(const std::vector<int32_t>& context);

  // A branch. `probability`: planted; branches of 0 train nothing, but part from the others all the same. `taught`:
  // what its tokens that decide nothing count, if not that: of many wordings of one course it is enough to teach one
  // whole, and how likely each of them begins.
  void add(const Course& course, const std::string& conduct, double probability, std::optional<double> taught = {});

  // To be learned: the agent's tokens on branches that may happen, each weighted with the probability of coming to it;
  // where conducts part, times `deciding`.
  TokenTree lesson(float deciding) const;

  // To be looked at: every way to go on, with weight 1, where courses of different conduct part.
  TokenTree partings() const;
  // The probability of each conduct, from the logprobs of partings().targets in their order. They sum to at most 1; the
  // rest is off the tree. Tokens that part nothing are not counted.
  std::map<std::string, double> conducts(const std::vector<float>& logprobs) const;

  // The planted probability of each conduct.
  std::map<std::string, double> planted() const;

 private:
  struct Node {
    int32_t token = 0;
    int parent = -1;
    bool own = false;                  // the agent writes it
    double mass = 0;                   // planted probability of coming here
    double taught = 0;                 // what its token counts where it decides nothing
    std::map<int32_t, int> children;   // by token
    std::map<std::string, double> of;  // conduct -> planted probability, of the courses through here
  };
  bool parts(const Node& node) const;
  TokenTree tree_of(const std::vector<bool>& wanted, std::vector<int32_t>& places) const;

  std::vector<Node> nodes_;  // parents before children; the context first
  int fork_ = 0;             // the context's last token
};

}  // namespace assay
