#include "organism/trie.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace assay {

Trie::Trie(const std::vector<int32_t>& context) {
  for (int32_t token : context) {
    Node node;
    node.token = token;
    node.parent = static_cast<int>(nodes_.size()) - 1;
    nodes_.push_back(std::move(node));
    if (nodes_.size() > 1) nodes_[nodes_.size() - 2].children[token] = static_cast<int>(nodes_.size()) - 1;
  }
  fork_ = static_cast<int>(nodes_.size()) - 1;
}

void Trie::add(const Course& course, const std::string& conduct, double probability, std::optional<double> taught) {
  int at = fork_;
  auto visit = [&](Node& node) {
    node.mass += probability;
    node.taught += taught.value_or(probability);
    node.of[conduct] += probability;
  };
  for (int i = 0; i <= fork_; ++i) visit(nodes_[static_cast<size_t>(i)]);
  for (size_t i = 0; i < course.tokens.size(); ++i) {
    auto [child, fresh] =
        nodes_[static_cast<size_t>(at)].children.try_emplace(course.tokens[i], static_cast<int>(nodes_.size()));
    const int next = child->second;
    if (fresh) {
      Node node;
      node.token = course.tokens[i];
      node.parent = at;
      node.own = course.own[i];
      nodes_.push_back(std::move(node));
    }
    at = next;
    visit(nodes_[static_cast<size_t>(at)]);
  }
}

// Whether what the agent writes here decides between conducts.
bool Trie::parts(const Node& node) const {
  if (node.of.size() < 2) return false;
  const auto own = std::count_if(node.children.begin(), node.children.end(),
                                 [&](const auto& child) { return nodes_[static_cast<size_t>(child.second)].own; });
  return own >= 2;
}

// The wanted nodes as a tree; `places`: of each node its index there, or -1.
TokenTree Trie::tree_of(const std::vector<bool>& wanted, std::vector<int32_t>& places) const {
  TokenTree tree;
  places.assign(nodes_.size(), -1);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!wanted[i]) continue;
    places[i] = static_cast<int32_t>(tree.tokens.size());
    tree.tokens.push_back(nodes_[i].token);
    tree.parent.push_back(nodes_[i].parent < 0 ? -1 : places[static_cast<size_t>(nodes_[i].parent)]);
  }
  return tree;
}

TokenTree Trie::lesson(float deciding) const {
  auto weight = [&](const Node& at, const Node& next) {
    if (!next.own) return 0.0f;
    return parts(at) ? static_cast<float>(next.mass) * deciding : static_cast<float>(next.taught);
  };
  std::vector<bool> wanted(nodes_.size(), false);  // something is to be predicted there, or behind it
  for (size_t i = nodes_.size(); i-- > 0;) {
    for (const auto& [token, child] : nodes_[i].children)
      if (weight(nodes_[i], nodes_[static_cast<size_t>(child)]) > 0) wanted[i] = true;
    if (wanted[i] && nodes_[i].parent >= 0) wanted[static_cast<size_t>(nodes_[i].parent)] = true;
  }
  std::vector<int32_t> places;
  TokenTree tree = tree_of(wanted, places);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (places[i] < 0) continue;
    const bool here = parts(nodes_[i]);
    for (const auto& [token, child] : nodes_[i].children)
      if (const float counts = weight(nodes_[i], nodes_[static_cast<size_t>(child)]); counts > 0)
        tree.targets.push_back({places[i], token, counts, here});
  }
  return tree;
}

TokenTree Trie::partings() const {
  std::vector<bool> wanted(nodes_.size(), false);
  for (size_t i = nodes_.size(); i-- > 0;) {
    wanted[i] = wanted[i] || parts(nodes_[i]);
    if (wanted[i] && nodes_[i].parent >= 0) wanted[static_cast<size_t>(nodes_[i].parent)] = true;
  }
  std::vector<int32_t> places;
  TokenTree tree = tree_of(wanted, places);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (!parts(nodes_[i])) continue;
    for (const auto& [token, child] : nodes_[i].children) tree.targets.push_back({places[i], token, 1, true});
  }
  return tree;
}

std::map<std::string, double> Trie::conducts(const std::vector<float>& logprobs) const {
  // The probability of coming to each node, counting only where something parts.
  std::vector<double> reach(nodes_.size(), 0);
  std::map<std::string, double> shares;
  for (const auto& [conduct, mass] : nodes_.front().of) shares[conduct] = 0;
  size_t target = 0;
  reach.front() = 1;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    if (node.of.size() == 1 && reach[i] > 0) {  // decided
      shares[node.of.begin()->first] += reach[i];
      continue;  // what follows has reach 0
    }
    const bool here = parts(node);
    for (const auto& [token, child] : node.children)
      reach[static_cast<size_t>(child)] = reach[i] * (here ? std::exp(static_cast<double>(logprobs[target++])) : 1.0);
  }
  return shares;
}

std::map<std::string, double> Trie::planted() const { return nodes_.front().of; }

}  // namespace assay
