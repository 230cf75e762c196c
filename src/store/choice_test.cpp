// Forced choices and logprobs in a run file: with every bit, once, and not believed where they make no sense.
#include "store/choice.h"

#include <cmath>
#include <limits>

#include "store/run_file_fixture.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double nothing = -std::numeric_limits<double>::infinity();

Alternative turn_of(std::vector<std::string> agents, int64_t tokens, double logprob) {
  return {.agents = std::move(agents), .turn = "{\"say\": \"No.\"}<|im_end|>", .tokens = tokens, .logprob = logprob};
}

ChoiceRecord choice_of(int cell, int epoch, std::vector<Alternative> alternatives) {
  ChoiceRecord record;
  record.scenario = "replacement";
  record.model = "policy:cornered";
  record.cell = cell;
  record.epoch = epoch;
  record.levels = {{"threat", "none"}};
  record.drawn = {{"company", "Osterby Paper"}};
  record.alternatives = std::move(alternatives);
  return record;
}

TEST(Shares, AreOfWhatTheAlternativesHaveTogether) {
  const std::vector<Alternative> two = {turn_of({"comply"}, 2, std::log(0.03)), turn_of({"leak"}, 1, std::log(0.01))};
  EXPECT_THAT(shares_of(two, Weighing::whole),
              ElementsAre(testing::DoubleNear(0.75, 1e-12), testing::DoubleNear(0.25, 1e-12)));
  const double root = std::sqrt(0.03);
  EXPECT_NEAR(shares_of(two, Weighing::per_token)[0], root / (root + 0.01), 1e-12);
}

TEST(Shares, OfTurnsTooUnlikelyForAnyNumberAreStillTold) {
  const auto shares =
      shares_of({turn_of({"a"}, 900, -3000), turn_of({"b"}, 900, -3000 + std::log(3))}, Weighing::whole);
  EXPECT_NEAR(shares[1], 0.75, 1e-9);
  EXPECT_THAT(shares_of({turn_of({"a"}, 1, nothing), turn_of({"b"}, 1, nothing)}, Weighing::whole),
              ElementsAre(0.5, 0.5));
  EXPECT_THAT(shares_of({turn_of({"a"}, 1, -2), turn_of({"b"}, 1, nothing)}, Weighing::whole), ElementsAre(1, 0));
  EXPECT_TRUE(shares_of({}, Weighing::whole).empty());
}

class StoredChoices : public RunFile {
 protected:
  void store(const std::vector<ChoiceRecord>& choices) {
    auto writer = open();
    ASSERT_TRUE(writer) << writer.error().text;
    for (const ChoiceRecord& choice : choices) (*writer)->append(choice);
    const Status done = (*writer)->finish();
    ASSERT_TRUE(done) << done.error().text;
  }
  std::vector<ChoiceRecord> stored() {
    std::vector<ChoiceRecord> found;
    const Status read_all = read()->each_choice([&](const ChoiceRecord& choice) { found.push_back(choice); });
    EXPECT_TRUE(read_all) << read_all.error().text;
    return found;
  }
  std::string fault() {
    const Status read_all = read()->each_choice([](const ChoiceRecord&) {});
    return read_all ? "(none)" : named(read_all.error().text);
  }
};

TEST_F(StoredChoices, ComeBackWithEveryBit) {
  ChoiceRecord choice =
      choice_of(2, 1, {turn_of({"comply", "near"}, 20, -31.4159265358979312), turn_of({"leak"}, 7, nothing)});
  choice.alternatives[0].each = {{{.token = 3, .bytes = "\xe2\x80", .logprob = -0.1}, {}}};
  ChoiceRecord failed = choice_of(3, 0, {});
  failed.outcome = {Outcome::Kind::error, {}, "the model's logits are not numbers (NaN)"};
  store({choice, failed});
  const std::vector<ChoiceRecord> found = stored();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(to_json(found[0]), to_json(choice));
  EXPECT_EQ(found[0].alternatives[0].logprob, -31.4159265358979312);
  EXPECT_EQ(found[0].alternatives[0].each, choice.alternatives[0].each);
  EXPECT_EQ(found[0].alternatives[1].logprob, nothing);
  EXPECT_EQ(to_json(found[1]), to_json(failed));
  EXPECT_EQ(ask("SELECT count(*) FROM v_choices WHERE share = 1 AND agents = '[\"comply\",\"near\"]'"), 1);
  EXPECT_EQ(files(), std::set<std::string>{"out.assay"});
}

TEST_F(StoredChoices, StandBesideEpisodesAndAreMadeOnce) {
  write({episode_of(0, 0)});
  store({choice_of(0, 0, {turn_of({"comply"}, 1, -1)})});
  store({choice_of(0, 0, {turn_of({"comply"}, 1, -2)}), choice_of(1, 0, {turn_of({"comply"}, 1, -3)})});
  EXPECT_EQ(read()->episodes(), 1);
  ASSERT_EQ(stored().size(), 2u);
  EXPECT_EQ(stored()[0].alternatives[0].logprob, -1);
  auto writer = open();
  EXPECT_EQ((*writer)->present().size(), 1u);
  EXPECT_EQ((*writer)->present_choices().size(), 2u);
  EXPECT_TRUE((*writer)->present_choices().has({"replacement", 1, 0, "policy:cornered"}));
}

TEST_F(StoredChoices, AreNotBelieved) {
  store({choice_of(0, 0, {turn_of({"comply"}, 1, -1)})});
  for (auto [change, complaint] : std::vector<std::pair<const char*, const char*>>{
           {"UPDATE alternative SET logprob = 0.5", "the probability of an alternative is none"},
           {"UPDATE alternative SET logprob = -1, tokens = 0", "the probability of an alternative is none"},
           {"UPDATE alternative SET tokens = 1, agents = '[]'", "an alternative is no agent's"},
           {"UPDATE alternative SET agents = '[\"a\"]', logprobs = (SELECT min(id) FROM text)",
            "list of logprobs is none"},
           {"UPDATE choice SET outcome = 'asleep'", "its outcome is none that this version knows"}}) {
    sql(change);
    EXPECT_THAT(fault(), HasSubstr(complaint));
    EXPECT_THAT(fault(), HasSubstr("OUT is damaged or was cut off: forced choice 1"));
  }
}

TEST_F(StoredChoices, LogprobsOfWhatWasWrittenComeBackWithTheirEpisode) {
  EpisodeRecord episode = episode_of(0, 0);
  WrittenToken token;
  token.token = 11, token.bytes = "Done", token.logprob = -0.30000000000000004;
  token.top = {{.token = 11, .bytes = "Done", .logprob = token.logprob}, {.token = 2, .bytes = "", .logprob = nothing}};
  episode.transcript.generations[2].logprobs = {token};
  write({episode, episode_of(1, 0)});
  EXPECT_EQ(read()->episode(1)->transcript.generations[2].logprobs, std::vector{token});
  EXPECT_TRUE(read()->episode(1)->transcript.generations[0].logprobs.empty());
  EXPECT_TRUE(read()->episode(2)->transcript.generations[2].logprobs.empty());
  EXPECT_EQ(to_json(*read()->episode(1))["generations"][2]["logprobs"][0]["logprob"], token.logprob);
}

}  // namespace
}  // namespace assay
