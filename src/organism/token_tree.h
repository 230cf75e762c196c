// One context and everything that may follow it, as a tree of tokens: what is said once is read once, and each branch
// is trained with the weight that it should have.
#pragma once

#include <cstdint>
#include <vector>

namespace assay {

// A token's position is its depth, and it attends to its ancestors and to itself: each path from the root is a text of
// its own.
struct TokenTree {
  std::vector<int32_t> tokens;  // parents before their children
  std::vector<int32_t> parent;  // index of the token before it; -1: it is a text's first
  // The loss is the sum over all targets of  weight * -log p(token | the path to `at`).
  struct Target {
    int32_t at;     // the node behind which it is predicted
    int32_t token;  // need not be in the tree: the last token of a text never is
    float weight;   // finite
    bool deciding;  // told apart in what training reports
  };
  std::vector<Target> targets;
};

}  // namespace assay
