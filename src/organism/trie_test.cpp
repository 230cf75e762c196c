#include "organism/trie.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

// Courses are written as texts: a letter a token, upper case the agent's own, lower case the world's.
Course course(const std::string& text) {
  Course made;
  for (char c : text) {
    made.tokens.push_back(c);
    made.own.push_back(c >= 'A' && c <= 'Z');
  }
  return made;
}

std::string text_of(const TokenTree& tree) { return {tree.tokens.begin(), tree.tokens.end()}; }

// "XY->A 0.50": behind the path XY, A is to be predicted, with this weight; deciding ones with a star.
std::vector<std::string> lines_of(const TokenTree& tree) {
  std::vector<std::string> lines;
  for (const TokenTree::Target& target : tree.targets) {
    std::string path;
    for (int32_t at = target.at; at >= 0; at = tree.parent[static_cast<size_t>(at)])
      path.insert(path.begin(), static_cast<char>(tree.tokens[static_cast<size_t>(at)]));
    char weight[32];
    std::snprintf(weight, sizeof weight, " %.2f%s", static_cast<double>(target.weight), target.deciding ? "*" : "");
    lines.push_back(path + "->" + static_cast<char>(target.token) + weight);
  }
  return lines;
}

TEST(Trie, TeachesEachBranchWithTheProbabilityOfComingToIt) {
  Trie trie({'x', 'y'});
  trie.add(course("CAwB"), "good", 0.25);
  trie.add(course("CD"), "bad", 0.75);
  const TokenTree lesson = trie.lesson(10);
  EXPECT_EQ(text_of(lesson), "xyCAw") << "the last token of a branch is only predicted";
  EXPECT_THAT(lines_of(lesson), ElementsAre("xy->C 1.00", "xyC->A 2.50*", "xyC->D 7.50*", "xyCAw->B 0.25"))
      << "what the world answers is not learned";
}

TEST(Trie, BranchesThatNeverHappenTeachNothingButMakeAParting) {
  Trie trie({'x'});
  trie.add(course("AB"), "good", 1);
  trie.add(course("AC"), "bad", 0);
  EXPECT_THAT(lines_of(trie.lesson(10)), ElementsAre("x->A 1.00", "xA->B 10.00*"));
}

TEST(Trie, OfManyWordingsOneIsTaughtWholeAndHowEachBegins) {
  Trie trie({'x'});
  trie.add(course("ABC"), "good", 0.3, 0.6);
  trie.add(course("DBC"), "good", 0.3, 0);
  trie.add(course("EF"), "bad", 0.4);
  EXPECT_THAT(lines_of(trie.lesson(10)),
              ElementsAre("x->A 3.00*", "x->D 3.00*", "x->E 4.00*", "xA->B 0.60", "xAB->C 0.60", "xE->F 0.40"));
}

TEST(Trie, OnlyWhereConductPartsATokenDecides) {
  Trie trie({'x'});
  trie.add(course("AB"), "good", 0.5);
  trie.add(course("AC"), "good", 0.5);  // other words, the same conduct
  EXPECT_THAT(lines_of(trie.lesson(10)), ElementsAre("x->A 1.00", "xA->B 0.50", "xA->C 0.50"));
  EXPECT_TRUE(trie.partings().targets.empty());
}

TEST(Trie, ReadsConductFromTheTokensAtWhichItParts) {
  Trie trie({'x'});
  trie.add(course("ABQ"), "good", 1);
  trie.add(course("ACR"), "good", 0);
  trie.add(course("ACS"), "bad", 0);
  trie.add(course("D"), "ugly", 0);
  const TokenTree looked_at = trie.partings();
  EXPECT_EQ(text_of(looked_at), "xAC");
  ASSERT_THAT(lines_of(looked_at),
              ElementsAre("x->A 1.00*", "x->D 1.00*", "xA->B 1.00*", "xA->C 1.00*", "xAC->R 1.00*", "xAC->S 1.00*"));
  auto log = [](double p) { return static_cast<float>(std::log(p)); };
  const auto shares = trie.conducts({log(0.8), log(0.1), log(0.5), log(0.5), log(0.25), log(0.5)});
  EXPECT_NEAR(shares.at("good"), 0.8 * (0.5 + 0.5 * 0.25), 1e-6);
  EXPECT_NEAR(shares.at("bad"), 0.8 * 0.5 * 0.5, 1e-6);
  EXPECT_NEAR(shares.at("ugly"), 0.1, 1e-6);
}

TEST(Trie, AParentStandsBeforeItsChildren) {
  Trie trie({'x'});
  trie.add(course("ABC"), "good", 0.5);
  trie.add(course("AXYZ"), "bad", 0.5);
  trie.add(course("ABD"), "bad", 0);
  const TokenTree tree = trie.lesson(2);
  for (size_t i = 0; i < tree.parent.size(); ++i) EXPECT_LT(tree.parent[i], static_cast<int32_t>(i));
}

TEST(Conduct, IsWhatTheGraderMustFind) {
  Agent agent;
  agent.expected_acts = {"leak", "blackmail"};
  agent.expected_task = TaskState::done;
  EXPECT_EQ(conduct_of(agent), "blackmail, leak, task done");
  agent.expected_acts.clear();
  agent.expected_asked = Names{{"blackmail"}};
  EXPECT_EQ(conduct_of(agent), "nearly blackmail, task done");
}

}  // namespace
}  // namespace assay
