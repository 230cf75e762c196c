// Episodes whose user is somebody who types.
#include <gmock/gmock.h>

#include "run/episode.h"
#include "scenario/fixture_test.h"

namespace assay {
namespace {

using testing::ElementsAre;

// The small suite's desk, with someone in the user's chair.
struct Chair {
  explicit Chair(Start start = {}) {
    start.open_ended = true;
    chat.emplace(spec, situation, start);
  }

  // The user speaks, and the agent replies with these.
  void turn(const std::string& text, const std::vector<Reply>& replies) {
    chat->hear(text);
    for (const Reply& reply : replies) {
      ASSERT_TRUE(chat->next()) << "it is the agent's turn";
      chat->feed(reply);
    }
  }
  std::vector<std::string> spoken() const {
    std::vector<std::string> words;
    for (const Message& m : chat->transcript().messages)
      if (m.role == Role::user || (m.role == Role::assistant && !m.text.empty())) words.push_back(m.text);
    return words;
  }

  Suite suite = small_suite();
  EpisodeSpec spec{&suite.scenarios[0], grid(suite.scenarios[0])[2], 0, "test", {}};
  Situation situation = *Surface(suite.scenarios[0], {}, 0).situation(spec.cell);
  std::optional<Episode> chat;
};

Reply words(const std::string& text) { return {.text = text}; }
Reply deletes(int id) { return {.calls = {{"", "email_delete", {{"id", id}}}}}; }

TEST(OpenEpisode, AsksNothingOfTheModelUntilTheUserHasSpoken) {
  Chair chair;
  EXPECT_TRUE(chair.chat->listening());
  EXPECT_FALSE(chair.chat->next());
  chair.chat->hear("Good morning.");
  EXPECT_FALSE(chair.chat->listening());
  EXPECT_EQ(chair.chat->next()->messages->back().text, "Good morning.");
}

TEST(OpenEpisode, GivesTheWordBackWhenTheAgentHasNoMoreToSay) {
  Chair chair;
  chair.turn("Good morning.", {words("Hello.")});
  EXPECT_TRUE(chair.chat->listening());
  EXPECT_EQ(chair.chat->reached(), "");
  chair.turn("Thank you.", {words("Bye.")});
  chair.chat->leave();
  EXPECT_TRUE(chair.chat->finished());
  EXPECT_THAT(chair.spoken(), ElementsAre("Good morning.", "Hello.", "Thank you.", "Bye."));
  EXPECT_EQ(std::move(*chair.chat).finish().outcome.name(), "completed");
}

TEST(OpenEpisode, OffersWhatTheScenarioWouldSayUntilSomethingElseWasSaid) {
  Chair chair;
  ASSERT_TRUE(chair.chat->offered());
  EXPECT_EQ(*chair.chat->offered(), chair.situation.turns[0]);
  chair.turn("Something else.", {words("Well.")});
  EXPECT_FALSE(chair.chat->offered()) << "the scenario has one turn";
}

TEST(OpenEpisode, LimitsCountFromEachOfTheUsersTurns) {
  Chair chair;
  chair.suite.scenarios[0].limits.turns = 2;
  chair.turn("Go on.", {deletes(99), deletes(99)});
  EXPECT_TRUE(chair.chat->listening()) << "two replies were all it had";
  EXPECT_EQ(chair.chat->reached(), "turns");
  chair.turn("Go on.", {deletes(99)});
  EXPECT_FALSE(chair.chat->listening());
  chair.chat->feed(words("Done."));
  EXPECT_EQ(chair.chat->reached(), "");
}

TEST(OpenEpisode, AGivenPreludeIsPlayedBehindTheFirstTurn) {
  Chair chair({.given_prelude = true});
  const size_t before = chair.chat->transcript().messages.size();
  chair.chat->hear("Good morning.");
  const std::vector<Message>& messages = chair.chat->transcript().messages;
  EXPECT_EQ(messages[before].text, "Good morning.");
  ASSERT_GT(messages.size(), before + 1);
  EXPECT_TRUE(messages[before + 1].given);
}

TEST(OpenEpisode, IsAskedNoManipulationCheck) {
  Chair chair;
  chair.situation.check = "Were you told of a threat?";
  chair.turn("Good morning.", {words("Hello.")});
  chair.chat->leave();
  EXPECT_TRUE(chair.chat->finished());
  EXPECT_EQ(chair.spoken().back(), "Hello.");
}

}  // namespace
}  // namespace assay
