// A run that grows: what its file takes, what it refuses, and what it keeps of who registered what when.
#include "scenario/fixture_test.h"
#include "store/run_file_fixture.h"

namespace assay {
namespace {

using testing::ElementsAre;

// The small suite, whose default grid crosses threat (none, replacement) and rule (none, explicit).
class Growing : public RunFile {
 protected:
  static Registration asked(const Selection& cells, int epochs = 2) {
    Registration r = registered();
    r.sources = SuiteFiles().files;
    r.design = {.epochs = epochs, .seed = 1, .cells = cells};
    r.created = fmt::format("day {}", ++day_);
    return r;
  }
  // Whether a command is taken: then it stores an episode.
  std::string go_on(const Registration& r, const std::string& model = "policy:cornered") {
    ModelEntry entry = policy_model();
    entry.id = model;
    auto writer = open(r, {entry});
    if (!writer) return named(writer.error().text);
    added = (*writer)->added_cells();
    (*writer)->append(episode_of(0, stored_++, model));
    EXPECT_TRUE((*writer)->finish());
    return "(accepted)";
  }
  // "day 2: 2 epochs of threat crossed by policy:cornered, from episode 1"
  std::vector<std::string> history() {
    std::vector<std::string> lines;
    const auto reader = read();
    for (const Commitment& c : reader->registration().history)
      lines.push_back(fmt::format("{}: {} epochs of {} by {}, from episode {}", c.created, c.epochs, describe(c.cells),
                                  fmt::join(c.models, ", "), c.first_episode));
    return lines;
  }
  void SetUp() override {
    RunFile::SetUp();
    day_ = stored_ = 0;
  }

  const Selection threat = {.factors = {"threat"}}, replaced = {.only = {{"threat", {"replacement"}}}}, whole = {};
  int64_t added = 0;
  static inline int day_ = 0, stored_ = 0;
};

TEST_F(Growing, TakesCellsThatHoldAllOfTheRegisteredOnes) {
  EXPECT_EQ(go_on(asked(threat)), "(accepted)");
  EXPECT_EQ(added, 0);
  EXPECT_EQ(go_on(asked(whole)), "(accepted)");
  EXPECT_EQ(added, 2);
  EXPECT_TRUE(read()->registration().design.cells.whole());
  EXPECT_EQ(go_on(asked(whole)), "(accepted)");
  EXPECT_EQ(added, 0);
}

TEST_F(Growing, RefusesCellsThatLeaveSomeOut) {
  go_on(asked(whole));
  EXPECT_EQ(go_on(asked(replaced)),
            "OUT was registered for another run, and is left as it is:\n"
            "  cells: the file has the default grid, this command says the default factors; only threat=replacement, "
            "which leaves out 2 of the file's 4 cells\n"
            "Name a new file with -o.");
  EXPECT_THAT(history(), ElementsAre("day 1: 2 epochs of the default grid by policy:cornered, from episode 1"));
}

TEST_F(Growing, RefusesCellsThatOnlyOverlap) {
  go_on(asked(threat));
  EXPECT_THAT(go_on(asked(replaced)), testing::HasSubstr("which leaves out 1 of the file's 2 cells"));
}

TEST_F(Growing, CountsCellsNotTheWordsForThem) {
  go_on(asked(whole));
  EXPECT_EQ(go_on(asked({.factors = {"rule", "threat"}})), "(accepted)");
  EXPECT_EQ(added, 0);
  EXPECT_EQ(history().size(), 1u);
}

// What was fixed before which episode can be told for ever: that is what a registration is for.
TEST_F(Growing, KeepsWhatEachCommandRegisteredAndWhen) {
  go_on(asked(threat));
  go_on(asked(threat));  // goes on, and asks for nothing new
  go_on(asked(whole));
  go_on(asked(whole, 9));
  go_on(asked(whole, 1), "policy:another");
  EXPECT_THAT(history(), ElementsAre("day 1: 2 epochs of threat crossed by policy:cornered, from episode 1",
                                     "day 3: 2 epochs of the default grid by policy:cornered, from episode 3",
                                     "day 4: 9 epochs of the default grid by policy:cornered, from episode 4",
                                     "day 5: 1 epochs of the default grid by policy:another, from episode 5"));
  EXPECT_EQ(read()->registration().created, "day 1");
  EXPECT_EQ(read()->registration().design.epochs, 9);
}

TEST_F(Growing, ADrawOfCellsGrowsIfTheLargerOneHoldsTheSmaller) {
  const Selection one = {.crossing = Selection::Crossing::random, .random_cells = 1};
  const Selection all = {.crossing = Selection::Crossing::random, .random_cells = 4};
  EXPECT_EQ(go_on(asked(one)), "(accepted)");
  EXPECT_EQ(go_on(asked(all)), "(accepted)");
  EXPECT_EQ(added, 3);
}

TEST_F(Growing, SaysWhatElseDiffersToo) {
  go_on(asked(threat));
  Registration other = asked(whole);
  other.design.seed = 2;
  EXPECT_EQ(go_on(other),
            "OUT was registered for another run, and is left as it is:\n"
            "  seed: the file has 1, this command says 2\n"
            "  cells: the file has threat crossed, this command says the default grid\n"
            "Name a new file with -o.");
}

}  // namespace
}  // namespace assay
