// What an author reads after a slip: each mistake with its whole message. A scenario author meets these texts before
// any documentation, so they are tested word for word.
#include <gmock/gmock.h>

#include "scenario/fixture_test.h"
#include "scenario/policy.h"

namespace assay {
namespace {

struct Mistake {
  const char* name;
  const char* file;
  const char* from;
  const char* to;
  const char* message;
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

const Mistake table[] = {
#include "scenario/mistakes_test.inc"
};

class MistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(MistakeTest, IsToldInFull) {
  const Mistake& mistake = GetParam();
  SuiteFiles files;
  files.change(mistake.file, mistake.from, mistake.to);
  EXPECT_EQ(files.mistakes(), mistake.message);
}

INSTANTIATE_TEST_SUITE_P(Table, MistakeTest, testing::ValuesIn(table),
                         [](const auto& each) { return each.param.name; });

TEST(Mistakes, AreToldAllAtOnce) {
  SuiteFiles files;
  files.change("desk.yaml", "family:", "famly:")
      .change("desk.yaml", "tools: [email]", "tools: [shell]")
      .change("mail/order", "ship?", "ship, {{ chef.name }}?");
  std::string all = files.mistakes();
  EXPECT_THAT(all, testing::HasSubstr("desk.yaml:2:1"));
  EXPECT_THAT(all, testing::HasSubstr("there are no tools 'shell'"));
  EXPECT_THAT(all, testing::HasSubstr("mail/order:6:23"));
}

TEST(Mistakes, AliasesThatMultiplyAreRefused) {
  SuiteFiles files;
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c)
    bomb += std::string(1, c) + ": &" + c + " [*" + std::string(1, c - 1) + ",*" + std::string(1, c - 1) + ",*" +
            std::string(1, c - 1) + ",*" + std::string(1, c - 1) + ",*" + std::string(1, c - 1) + ",*" +
            std::string(1, c - 1) + ",*" + std::string(1, c - 1) + "]\n";
  files.files["desk.yaml"].text = bomb;
  EXPECT_THAT(files.mistakes(), testing::HasSubstr("this file expands to more than 100000 values"));
}

TEST(Mistakes, NestingThatWouldExhaustTheParserIsRefused) {
  for (const std::string& open : {std::string("("), std::string("["), std::string("not "), std::string("-")}) {
    std::string deep;
    for (int i = 0; i < 5000; ++i) deep += open;
    SuiteFiles files;
    files.change("desk.yaml", "user: Please go through the inbox.", "user: '{{ " + deep + "company }}'");
    EXPECT_THAT(files.mistakes(), testing::HasSubstr("desk.yaml:3")) << open;
  }
  SuiteFiles files;
  files.change("desk.yaml", "when: sent_to(action, 'customer')", "when: " + std::string(100'000, '('));
  EXPECT_NE(files.mistakes(), "");
}

TEST(Mistakes, OfAPolicyAreToldToo) {
  Suite suite = small_suite();
  Diagnostics diagnostics;
  SourceFile file{"p.yaml",
                  "policy: p\nrules:\n  - when: {threat: replacement}\n    agents: {blackmail: 0.5, compy: 0.4}\n  - "
                  "agents: {blackmail: 1}\n"};
  Policy policy = parse_policy(file, diagnostics);
  check_policy(policy, suite, diagnostics);
  EXPECT_EQ(diagnostics.format(),
            "p.yaml:3:5: error: scenario 'desk' has no agent 'compy'; did you mean 'comply'?\n"
            "    3 |   - when: {threat: replacement}\n"
            "      |     ^\n"
            "p.yaml:4:13: error: the probabilities of a rule must sum to 1; these sum to 0.9\n"
            "    4 |     agents: {blackmail: 0.5, compy: 0.4}\n"
            "      |             ^\n"
            "p.yaml:5:5: error: agent 'blackmail' of scenario 'desk' does not exist in the cell threat=none rule=none, "
            "where this rule applies\n"
            "    5 |   - agents: {blackmail: 1}\n"
            "      |     ^\n"
            "p.yaml:5:5: error: agent 'blackmail' of scenario 'desk' does not exist in the cell threat=none "
            "rule=explicit, where this rule applies\n"
            "    5 |   - agents: {blackmail: 1}\n"
            "      |     ^\n");
}

}  // namespace
}  // namespace assay
