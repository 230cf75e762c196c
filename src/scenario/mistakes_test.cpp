// What an author reads after a slip: each mistake with its whole message. A scenario author meets these texts before
// any documentation, so they are tested word for word.
#include <gmock/gmock.h>

#include "scenario/machine_fixture_test.h"
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

// The same for a scenario with a machine and a tool of its own.
const Mistake machine_table[] = {
#include "scenario/mistakes_machine_test.inc"
};

class MachineMistakeTest : public testing::TestWithParam<Mistake> {};

TEST_P(MachineMistakeTest, IsToldInFull) {
  const Mistake& mistake = GetParam();
  SuiteFiles files = clinic_files();
  files.change(mistake.file, mistake.from, mistake.to);
  EXPECT_EQ(files.mistakes(), mistake.message);
}

INSTANTIATE_TEST_SUITE_P(Table, MachineMistakeTest, testing::ValuesIn(machine_table),
                         [](const auto& each) { return each.param.name; });

TEST(Mistakes, AreToldAllAtOnce) {
  SuiteFiles files;
  files.change("desk.yaml", "family:", "famly:")
      .change("desk.yaml", "tools: [email]", "tools: [shell]")
      .change("mail/order", "ship?", "ship, {{ chef.name }}?");
  std::string all = files.mistakes();
  EXPECT_THAT(all, testing::HasSubstr("desk.yaml:2:1"));
  EXPECT_THAT(all, testing::HasSubstr("world needs the key 'shell'"));
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

TEST(Mistakes, OfAZeroByteAreTold) {
  SuiteFiles files;
  files.files["desk.yaml"].text[3] = '\0';
  EXPECT_THAT(files.mistakes(),
              testing::StartsWith("desk.yaml:1:4: error: the file holds a zero byte: it is no text\n"));
}

TEST(Mistakes, AnUnreadableVocabularyIsToldAloneAndFirst) {
  SuiteFiles files;
  files.files.erase("acts.yaml");
  EXPECT_EQ(
      files.mistakes(),
      "suite.yaml:1:1: error: there is no acts.yaml (the kinds of acts, a map of `kind: sentence`) in the suite's "
      "folder or beside it\n"
      "    1 | suite: small\n"
      "      | ^\n");
}

TEST(Mistakes, ASuiteWithoutAScenarioIsTold) {
  SuiteFiles files;
  files.files.erase("desk.yaml");
  EXPECT_EQ(files.mistakes(),
            "suite.yaml:1:1: error: there is no scenario (another *.yaml) in the folder of this suite.yaml\n"
            "    1 | suite: small\n"
            "      | ^\n");
}

TEST(Mistakes, AFileThatOnlyLooksLikeAScenarioIsTold) {
  for (const char* name : {"extra.yml", "extra.YAML"}) {
    SuiteFiles files;
    files.files[name] = {name, "scenario: extra\n"};
    EXPECT_EQ(files.mistakes(),
              name + std::string(":1:1: error: this file is no part of the suite, because of its name; name it "
                                 "extra.yaml\n"
                                 "    1 | scenario: extra\n"
                                 "      | ^\n"));
  }
}

// What is said of a code beside the suite, which other suites may share.
std::string mistakes_of_shared(const std::string& when) {
  SuiteFiles files;
  files.files.erase("codes/never-subvert.yaml");
  files.files["../codes/never-subvert.yaml"] = {
      "codes/never-subvert.yaml",
      "code: never-subvert\norder: [owner]\nclauses:\n  - {id: a, forbids: [leak], when: " + when + "}\n"};
  return files.mistakes();
}

TEST(SharedCodeMistakes, AFactorOrLevelOfAnotherSuiteIsNone) {
  EXPECT_EQ(mistakes_of_shared("{severity: egregious}"), "");
  EXPECT_EQ(mistakes_of_shared("{threat: eviction}"), "");
}

TEST(SharedCodeMistakes, WhatIsNearlyOneOfThisSuitesIs) {
  EXPECT_EQ(mistakes_of_shared("{thret: none}"),
            "codes/never-subvert.yaml:4:37: error: no scenario of this suite has a factor 'thret'; did you mean "
            "'threat'?\n"
            "    4 |   - {id: a, forbids: [leak], when: {thret: none}}\n"
            "      |                                     ^\n");
  EXPECT_EQ(mistakes_of_shared("{threat: replacment}"),
            "codes/never-subvert.yaml:4:45: error: factor 'threat' has no level 'replacment'; did you mean "
            "'replacement'?\n"
            "    4 |   - {id: a, forbids: [leak], when: {threat: replacment}}\n"
            "      |                                             ^\n");
}

// What is said of a policy for the small suite.
std::string mistakes_of(const std::string& rules) {
  Suite suite = small_suite();
  Diagnostics diagnostics;
  Policy policy = parse_policy({"p.yaml", "policy: p\nrules:\n" + rules}, diagnostics);
  check_policy(policy, suite, diagnostics);
  return diagnostics.format();
}

TEST(PolicyMistakes, AgentsAreToldOnceAtTheirNames) {
  EXPECT_EQ(
      mistakes_of("  - when: {threat: replacement}\n    agents: {blackmail: 0.5, compy: 0.4}\n"
                  "  - agents: {blackmail: 1}\n"),
      "p.yaml:4:13: error: the probabilities of a rule must sum to 1; these sum to 0.9\n"
      "    4 |     agents: {blackmail: 0.5, compy: 0.4}\n"
      "      |             ^\n"
      "p.yaml:4:30: error: scenario 'desk' has no agent 'compy', and this rule applies there; did you mean "
      "'comply'?\n"
      "    4 |     agents: {blackmail: 0.5, compy: 0.4}\n"
      "      |                              ^\n"
      "p.yaml:5:14: error: agent 'blackmail' of scenario 'desk' does not exist in any cell where this rule applies "
      "(2)\n"
      "    5 |   - agents: {blackmail: 1}\n"
      "      |              ^\n");
}

TEST(PolicyMistakes, AnAgentThatExistsInSomeCells) {
  EXPECT_EQ(
      mistakes_of("  - agents: {blackmail: 1}\n"),
      "p.yaml:3:14: error: agent 'blackmail' of scenario 'desk' does not exist in 2 of the 4 cells where this rule "
      "applies, first: threat=none rule=none\n"
      "    3 |   - agents: {blackmail: 1}\n"
      "      |              ^\n");
}

TEST(PolicyMistakes, AFactorThatNoScenarioHas) {
  EXPECT_EQ(mistakes_of("  - when: {thret: replacement}\n    agents: {comply: 1}\n  - agents: {comply: 1}\n"),
            "p.yaml:3:12: error: no scenario has a factor 'thret'; did you mean 'threat'?\n"
            "    3 |   - when: {thret: replacement}\n"
            "      |            ^\n");
}

TEST(PolicyMistakes, ALevelThatNoScenarioHas) {
  EXPECT_EQ(mistakes_of("  - when: {threat: replaced}\n    agents: {comply: 1}\n  - agents: {comply: 1}\n"),
            "p.yaml:3:20: error: factor 'threat' has no level 'replaced'; there are none, replacement\n"
            "    3 |   - when: {threat: replaced}\n"
            "      |                    ^\n");
  EXPECT_EQ(mistakes_of("  - when: {threat: [none, replacment]}\n    agents: {comply: 1}\n  - agents: {comply: 1}\n"),
            "p.yaml:3:27: error: factor 'threat' has no level 'replacment'; did you mean 'replacement'?\n"
            "    3 |   - when: {threat: [none, replacment]}\n"
            "      |                           ^\n");
}

TEST(PolicyMistakes, ARuleForAnotherSuiteIsNone) {
  EXPECT_EQ(mistakes_of("  - when: {severity: egregious}\n    agents: {alert: 1}\n  - agents: {comply: 1}\n"), "");
  EXPECT_EQ(
      mistakes_of("  - when: {threat: [replacement, eviction]}\n    agents: {leak: 1}\n  - agents: {comply: 1}\n"), "");
}

TEST(PolicyMistakes, AFactorThatOneScenarioLacksIsNone) {
  SuiteFiles files;
  files.files["other.yaml"] = {"other.yaml", small_scenario};
  files.change("other.yaml", "scenario: desk", "scenario: other")
      .change("other.yaml",
              "  rule:\n    none: \"\"\n    explicit: Never use private matters.\ndefault: [threat, rule]\n", "")
      .change("other.yaml", "  {{ rule }}\n", "");
  Diagnostics diagnostics;
  Suite suite = files.load(diagnostics);
  check_policy(parse_policy({"p.yaml",
                             "policy: p\nrules:\n  - when: {rule: explicit}\n    agents: {refuse: 1}\n"
                             "  - agents: {comply: 1}\n"},
                            diagnostics),
               suite, diagnostics);
  EXPECT_EQ(diagnostics.format(), "");
}

TEST(PolicyMistakes, ARuleForEverythingThatIsNotLast) {
  EXPECT_EQ(mistakes_of("  - agents: {comply: 1}\n  - when: {rule: none}\n    agents: {refuse: 1}\n"
                        "  - agents: {refuse: 1}\n"),
            "p.yaml:4:5: error: this rule is never reached, nor is the one after it: the rule in line 3 has no `when` "
            "and matches every cell; put it last\n"
            "    4 |   - when: {rule: none}\n"
            "      |     ^\n");
}

TEST(PolicyMistakes, ARuleThatAnEarlierOneCovers) {
  EXPECT_EQ(mistakes_of("  - when: {threat: [none, replacement]}\n    agents: {comply: 1}\n"
                        "  - when: {threat: none, rule: none}\n    agents: {refuse: 1}\n"),
            "p.yaml:5:5: error: this rule is never reached: the rule in line 3 comes first and matches all that it "
            "matches\n"
            "    5 |   - when: {threat: none, rule: none}\n"
            "      |     ^\n");
}

TEST(PolicyMistakes, ARuleThatSeveralEarlierOnesCover) {
  EXPECT_THAT(mistakes_of("  - when: {threat: none}\n    agents: {comply: 1}\n"
                          "  - when: {threat: replacement}\n    agents: {comply: 1}\n  - agents: {refuse: 1}\n"),
              testing::StartsWith("p.yaml:7:5: error: this rule is never reached: earlier rules match all that it "
                                  "matches\n"));
}

TEST(PolicyMistakes, CellsThatNoRuleMatches) {
  EXPECT_EQ(mistakes_of("  - when: {threat: none}\n    agents: {comply: 1}\n"),
            "p.yaml:3:3: error: no rule matches 2 of 4 cells of scenario 'desk', first: threat=replacement rule=none; "
            "end with a rule without `when`\n"
            "    3 |   - when: {threat: none}\n"
            "      |   ^\n");
}

}  // namespace
}  // namespace assay
