// Tools that a scenario declares, and worlds joined with others.
#include "world/custom.h"

#include <gmock/gmock.h>

#include "world/email.h"
#include "world/joint.h"

namespace assay {
namespace {

using testing::HasSubstr;
using From = TextPart::From;

BlankText words(const std::string& text) { return {{From::text, text}}; }
BlankText argument(const std::string& name) { return {{From::argument, name}}; }

// A desk at which letters are answered with one of three replies, each letter once.
CustomSetup desk() {
  CustomTool answer;
  answer.spec = {"answer",
                 "Answer a letter.",
                 {{"type", "object"},
                  {"properties",
                   {{"letter", {{"type", "integer"}, {"minimum", 1}, {"maximum", 9}}},
                    {"reply", {{"type", "string"}, {"enum", {"thanks", "later"}}}},
                    {"tags", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                    {"note", {{"type", "string"}}}}},
                  {"required", {"letter", "reply"}},
                  {"additionalProperties", false}}};
  answer.refusals = {{{From::state, "answered"}, true, {{}, argument("letter")}, words("It has been answered.")}};
  answer.changes = {{StateChange::Kind::append, "answered", 1, {{}, argument("letter")}},
                    {StateChange::Kind::add, "count", 2, {}},
                    {StateChange::Kind::set, "note", 1, {{}, argument("note")}}};
  answer.reply = {{From::text, "Sent "}, {From::argument, "reply"}, {From::text, " to "}, {From::state, "answered"},
                  {From::text, "; "},    {From::argument, "note"},  {From::text, "."}};
  return {{{"answered", Json::array()}, {"count", 0}, {"note", ""}, {"closed", false}}, {answer}};
}

struct Desk : testing::Test {
  std::unique_ptr<World> world = make_custom_world(desk());
  ToolOutcome last;

  std::string call(Json arguments) {
    last = world->call({"", "answer", std::move(arguments)});
    EXPECT_TRUE(last.dispatched) << last.result;
    return last.result;
  }
  // What a call is told that must be refused, and must change nothing.
  std::string refusal(Json arguments, const std::string& tool = "answer") {
    Json before = world->state();
    last = world->call({"", tool, std::move(arguments)});
    EXPECT_FALSE(last.dispatched);
    EXPECT_EQ(last.effect, Json::object());
    EXPECT_EQ(world->state(), before);
    return last.result;
  }
};

TEST_F(Desk, ChangesTheStateAndTellsWhatItChanged) {
  EXPECT_EQ(call({{"letter", 3}, {"reply", "later"}, {"note", "hm"}}), "Sent later to 3; hm.");
  EXPECT_EQ(last.effect.dump(), R"({"state":{"answered":[3],"count":2,"note":"hm"}})");
  EXPECT_EQ(call({{"letter", "4"}, {"reply", "thanks"}}), "Sent thanks to 3, 4; .");
  EXPECT_EQ(last.effect.dump(), R"({"state":{"answered":[3,4],"count":4}})") << "no note was given: it stays";
  EXPECT_EQ(world->state().dump(), R"({"answered":[3,4],"count":4,"note":"hm","closed":false})");
}

TEST_F(Desk, RefusesByItsOwnRule) {
  call({{"letter", 3}, {"reply", "later"}});
  EXPECT_EQ(refusal({{"letter", 3}, {"reply", "thanks"}}), "It has been answered.");
}

TEST_F(Desk, WhatAModelWritesIsNeverFilledInAgain) {
  EXPECT_EQ(call({{"letter", 1}, {"reply", "later"}, {"note", "{{ state.count }} \x01 state.count \x02"}}),
            "Sent later to 1; {{ state.count }} \x01 state.count \x02.");
}

TEST_F(Desk, WrongArgumentsAreNamed) {
  EXPECT_EQ(refusal({{"letter", 1}}),
            "error: missing argument 'reply'; answer takes letter, reply, tags (optional), "
            "note (optional)");
  EXPECT_EQ(refusal({{"letter", 1}, {"reply", "no"}}),
            "error: argument 'reply' must be one of thanks, later, not 'no'");
  EXPECT_EQ(refusal({{"letter", 10}, {"reply", "later"}}), "error: argument 'letter' must be at most 9, not 10");
  EXPECT_EQ(refusal({{"letter", 0}, {"reply", "later"}}), "error: argument 'letter' must be at least 1, not 0");
  EXPECT_EQ(refusal({{"letter", 1}, {"reply", "later"}, {"tags", {"a", 3}}}),
            "error: argument 'tags[1]' must be a string, not a number");
  EXPECT_EQ(refusal({{"letter", 1}, {"reply", "later"}, {"tags", "a"}}),
            "error: argument 'tags' must be an array, not 'a'");
  EXPECT_EQ(refusal({{"letter", 1}, {"reply", "later"}, {"tags", Json(std::vector<int>(1001, 1))}}),
            "error: argument 'tags' has more than 1000 items");
  EXPECT_EQ(refusal({}, "ask"), "error: no tool 'ask'; the tools are answer");
}

TEST_F(Desk, WhatWouldGrowTooLargeIsRefusedWhole) {
  CustomSetup full = desk();
  full.state["answered"] = Json(std::vector<int>(most_state_items, 0));
  world = make_custom_world(full);
  EXPECT_EQ(refusal({{"letter", 1}, {"reply", "later"}}), "error: 'answered' holds 1000 items and takes no more");
  CustomSetup high = desk();
  high.state["count"] = int64_t{1} << 53;
  world = make_custom_world(high);
  EXPECT_EQ(refusal({{"letter", 1}, {"reply", "later"}}), "error: 'count' would be too large");
}

TEST_F(Desk, ALongReplyIsCutAndSaysSo) {
  CustomSetup loud = desk();
  loud.tools[0].reply = {{From::argument, "note"}, {From::argument, "note"}, {From::argument, "note"}};
  world = make_custom_world(loud);
  std::string reply = call({{"letter", 1}, {"reply", "later"}, {"note", std::string(60'000, 'x')}});
  EXPECT_THAT(reply, HasSubstr("more bytes were cut]"));
  EXPECT_LT(reply.size(), longest_reply + 100);
}

TEST(JointWorld, HasTheToolsOfAllItsParts) {
  std::vector<WorldPart> parts;
  parts.push_back({"email", make_email_world({.me = "a@b.example"})});
  parts.push_back({"state", make_custom_world(desk())});
  std::unique_ptr<World> world = make_joint_world(std::move(parts));
  EXPECT_EQ(world->tools().size(), 8u);
  EXPECT_EQ(world->tools().back().name, "answer");
  EXPECT_EQ(world->call({"", "email_list", {}}).result, "The inbox is empty.");
  EXPECT_TRUE(world->call({"", "answer", {{"letter", 1}, {"reply", "later"}}}).dispatched);
  EXPECT_EQ(world->call({"", "shell", {}}).result,
            "error: no tool 'shell'; the tools are email_list, email_read, email_send, email_reply, email_forward, "
            "email_delete, email_contacts, answer");
  Json state = world->state();
  EXPECT_EQ(state["email"]["me"], "a@b.example");
  EXPECT_EQ(state["state"]["count"], 2);
}

TEST(EmailContacts, SayWhoIsOutside) {
  EmailSetup setup{
      .me = "a@b.example",
      .contacts = {{"Ann", "ann@b.example", false}, {"Press", "tips@c.example", true}, {"X", "x@d.example"}}};
  EXPECT_EQ(make_email_world(setup)->call({"", "email_contacts", {}}).result,
            "Ann <ann@b.example> (internal)\nPress <tips@c.example> (external)\nX <x@d.example>");
}

}  // namespace
}  // namespace assay
