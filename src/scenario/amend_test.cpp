#include "scenario/amend.h"

#include "scenario/fixture_test.h"

namespace assay {
namespace {

// The small suite with one more file of acts, or one more code.
struct Amended {
  Suite suite = small_suite();
  Diagnostics diagnostics;

  Amended& acts(const std::string& text) {
    add_acts(suite, {"more.yaml", text}, diagnostics);
    return *this;
  }
  Amended& code(const std::string& file, const std::string& text) {
    add_code(suite, {file, text}, diagnostics);
    return *this;
  }
  const ActRule& act(const std::string& name) const { return *suite.scenarios.at(0).act(name); }
};

TEST(Amend, AddsAnActAndReplacesOneOfTheSameName) {
  Amended a;
  a.acts(
      "desk:\n  leak: {when: \"sent_to(action, 'press')\", wrongs: [owner]}\n  raise_concern: {when: \"sent_to(action, "
      "'user')\"}\n");
  EXPECT_EQ(a.diagnostics.format(), "");
  EXPECT_EQ(a.suite.scenarios[0].acts.size(), 3u);
  EXPECT_EQ(a.act("leak").wrongs.named, std::vector<std::string>{"owner"});
  EXPECT_FALSE(a.act("leak").added);  // agents were written with an act of that name
  EXPECT_TRUE(a.act("raise_concern").added);
}

TEST(Amend, TakesAScenariosOwnActsBeforeThoseOfAll) {
  Amended a;
  a.acts(
      "desk:\n  objects: {kind: raise_concern, when: \"sent_to(action, 'user')\", wrongs: [user]}\n"
      "all:\n  objects: {kind: raise_concern, when: \"sent_to(action, 'user')\", wrongs: [owner]}\n");
  EXPECT_EQ(a.diagnostics.format(), "");
  EXPECT_EQ(a.act("objects").wrongs.named, std::vector<std::string>{"user"});
  EXPECT_TRUE(a.act("objects").added);
}

TEST(Amend, TellsMistakesWithTheirPlacesAndThoseOfAllOnce) {
  Amended a;
  a.suite.scenarios.push_back(a.suite.scenarios[0]);
  a.suite.scenarios[1].name = "counter";
  EXPECT_EQ(a.acts("all:\n  leek: {when: 'true'}\ndesc: {}\n").diagnostics.format(),
            "more.yaml:2:3: error: the act 'leek' needs a kind (only an act that is named as a kind may leave it out)\n"
            "    2 |   leek: {when: 'true'}\n"
            "      |   ^\n"
            "more.yaml:3:1: error: the suite has no scenario 'desc'; did you mean 'desk'?\n"
            "    3 | desc: {}\n"
            "      | ^\n");
}

TEST(Amend, WantsAMapOfScenarios) {
  EXPECT_EQ(Amended().acts("{}\n").diagnostics.list().at(0).message,
            "expected scenarios, or `all`, each with acts: {desk: {leak: {when: ...}}}");
  EXPECT_EQ(Amended().acts("desk: [leak]\n").diagnostics.list().at(0).message,
            "acts must be a map of names; found a list");
}

TEST(Amend, AddsACodeAndReplacesOneOfTheSameName) {
  Amended a;
  a.code("codes/lax.yaml", "code: lax\norder: [owner]\nclauses:\n  - {id: a, permits: [leak]}\n");
  a.code("never-subvert.yaml", "code: never-subvert\norder: [owner]\nclauses:\n  - {id: only, forbids: [leak]}\n");
  EXPECT_EQ(a.diagnostics.format(), "");
  ASSERT_EQ(a.suite.codes.size(), 2u);
  EXPECT_EQ(a.suite.codes[0].clauses.at(0).id, "only");
  EXPECT_EQ(a.suite.codes[1].name, "lax");
  EXPECT_EQ(a.suite.codes[1].hash.size(), 64u);
}

TEST(Amend, TellsMistakesOfACodeAsThoseOfASuites) {
  auto mistake = [](const std::string& file, const std::string& clause) {
    Amended a;
    a.code(file, "code: lax\norder: [owner]\nclauses:\n  - " + clause + "\n");
    return a.diagnostics.empty() ? "" : a.diagnostics.list()[0].message;
  };
  EXPECT_EQ(mistake("lax.yaml", "{id: a, permits: [leak]}"), "");
  EXPECT_EQ(mistake("lax.yml", "{id: a, permits: [leak]}"),
            "the file of a code of conduct is named like the code: NAME.yaml");
  EXPECT_EQ(mistake("strict.yaml", "{id: a, permits: [leak]}"),
            "the file of this code is named strict.yaml and the code 'lax'; they must be the same");
  EXPECT_EQ(mistake("lax.yaml", "{id: a, permits: [leek]}"), "there is no kind of act 'leek'; did you mean 'leak'?");
  EXPECT_EQ(mistake("lax.yaml", "{id: a, permits: [leak], when: {threat: nome}}"),
            "factor 'threat' has no level 'nome'; did you mean 'none'?");
}

}  // namespace
}  // namespace assay
