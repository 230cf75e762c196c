#include "model/generic_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::vector<ToolSpec> mail = {
    {"email_read", "Reads one message.",
     Json::parse(R"({"type":"object","properties":{"id":{"type":"integer"}},"required":["id"]})")},
};

Message user(std::string text) { return {.role = Role::user, .text = std::move(text)}; }
Message says(std::string text) { return {.role = Role::assistant, .text = std::move(text)}; }
Message calls(int id) { return {.role = Role::assistant, .calls = {{"c1", "email_read", {{"id", id}}}}}; }
Message result(std::string text) {
  return {.role = Role::tool, .text = std::move(text), .call_id = "c1", .tool = "email_read"};
}

// What a reply is understood as, in one line.
std::string read(std::string_view raw) {
  Reply reply = parse_generic(raw);
  EXPECT_EQ(reply.raw, raw);
  if (!reply.malformed.empty()) {
    EXPECT_TRUE(reply.calls.empty() && reply.text.empty());
    size_t but = reply.malformed.find(", but ");
    EXPECT_THAT(reply.malformed, StartsWith("The reply could not be read: it must be exactly one JSON object, "
                                            R"({"tool": NAME, "arguments": {...}} or {"say": TEXT}, but )"));
    return "malformed: " + reply.malformed.substr(but + 6);
  }
  if (reply.calls.empty()) return (reply.prose ? "prose: " : "says: ") + reply.text;
  EXPECT_EQ(reply.stop, StopReason::calls);
  return "calls " + reply.calls[0].name + " " + to_line(reply.calls[0].arguments);
}

TEST(GenericTools, ReadsACallAndWords) {
  EXPECT_EQ(read(R"({"tool": "email_read", "arguments": {"id": 3}})"), R"(calls email_read {"id":3})");
  EXPECT_EQ(read(" \n{\"say\":\"Done.\"} \n"), "says: Done.");
  EXPECT_EQ(read(R"({"arguments": {}, "tool": "no_such_tool"})"), "calls no_such_tool {}");
}

TEST(GenericTools, ReadsPlainWordsAsWords) {
  EXPECT_EQ(read("I will not do that."), "prose: I will not do that.");
  EXPECT_EQ(read("`{\"say\": 1}`"), "prose: `{\"say\": 1}`");
  EXPECT_EQ(read("[1, 2]"), "prose: [1, 2]");
  EXPECT_EQ(read(""), "says: ");
  EXPECT_EQ(read(" \n\t "), "says: ");
}

TEST(GenericTools, ReadsACodeFenceAroundOneObject) {
  EXPECT_EQ(read("```json\n{\"say\":\"Hi\"}\n```"), "says: Hi");
  EXPECT_EQ(read("```\n{\"tool\":\"t\",\"arguments\":{}}\n```\n"), "calls t {}");
  EXPECT_EQ(read("```{\"say\":\"use ``` here\"}```"), "says: use ``` here");
}

TEST(GenericTools, ExplainsWhatCannotBeRead) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"say": "Hi)", "it breaks off before the object ends."},
      {R"({"say": "Hi"} and more)", "more text follows the object."},
      {R"({"say": "Hi"}{"say": "Hi"})", "more text follows the object."},
      {R"({"say": 3})", "\"say\" is not a string."},
      {R"({"say": "Hi", "tool": "t"})", "it has both \"tool\" and \"say\"."},
      {R"({})", "it has neither \"tool\" nor \"say\"."},
      {R"({"tool": "t"})", "\"arguments\" is missing (write {} where there are none)."},
      {R"({"tool": "t", "arguments": [1]})", "\"arguments\" is not an object."},
      {R"({"tool": 1, "arguments": {}})", "\"tool\" is not a string."},
      {R"({"tool": "t", "arguments": {}, "why": 1})", "it has a key \"why\", which does not belong there."},
      {R"({"say": "Hi", "arguments": {}})", "it has a key \"arguments\", which does not belong there."},
      {R"({'say': 'Hi'})", "it is not valid JSON at byte 2."},
      {R"({"say"])", "it is not valid JSON at byte 7."},
      {"```json\nHi\n```", "its code fence holds no JSON object."},
      {"```python\n{}\n```", "its code fence is not ``` or ```json."},
      {"```json\n{\"say\":\"Hi\"}", "its code fence is not closed."},
      {"```json\n{\"say\":\"Hi\"}\n```\nHope that helps!", "more text follows the code fence."},
      {"```", "its code fence holds no JSON object."},
  };
  for (const auto& [raw, why] : cases) EXPECT_EQ(read(raw), std::string("malformed: ") + why) << raw;
}

TEST(GenericTools, SaysThatAReplyWasCutOff) {
  EXPECT_THAT(parse_generic(R"({"say": "I thi)", true).malformed, HasSubstr("cut off at the limit of its length"));
  EXPECT_EQ(parse_generic("I thi", true).text, "I thi");
  EXPECT_EQ(parse_generic(R"({"tool":"t","arguments":{}})", true).stop, StopReason::length);
}

TEST(GenericTools, IsSafeAgainstHostileReplies) {
  EXPECT_EQ(read("{\"say\":" + std::string(1000, '[') + std::string(1000, ']') + "}"),
            "malformed: it is JSON is nested deeper than 64 levels.");
  EXPECT_EQ(read(std::string(1'000'000, '{')), "malformed: it breaks off before the object ends.");
  EXPECT_EQ(read(R"({"say":"a","say":"b"})"), "says: b");
  EXPECT_EQ(parse_generic("{\"say\":\"\xff\"}").text, "\xEF\xBF\xBD");
  EXPECT_THAT(parse_generic("{\"\\u001b[2J\":1,\"say\":\"\"}").malformed, testing::Not(HasSubstr("\x1b")));
}

TEST(GenericTools, ReadsAnyBytesWithoutFailing) {
  const std::string alphabet = "{}[]\":,`\\ntoolsayarguments \xff\xc3\xa9{}\"\"";
  Rng rng(7);
  int read_somehow = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string raw = i % 2 ? "{" : "";
    for (uint64_t n = rng.below(30); n > 0; --n) raw += alphabet[rng.below(alphabet.size())];
    Reply reply = parse_generic(raw, i % 3 == 0);
    EXPECT_TRUE(reply.malformed.empty() || (reply.calls.empty() && reply.text.empty())) << raw;
    read_somehow += reply.malformed.empty();
  }
  EXPECT_GT(read_somehow, 1000);
}

TEST(GenericTools, DescribesTheToolsBeforeTheSystemText) {
  std::string text = generic_system("You are Iris.\n", mail);
  EXPECT_THAT(text, StartsWith("You act through tools."));
  EXPECT_THAT(text, HasSubstr("\n{\"name\": \"" + mail[0].name + "\", "));
  EXPECT_TRUE(text.ends_with("}\n\nYou are Iris.")) << text;
  EXPECT_EQ(generic_system("You are Iris.", {}), "You are Iris.");
}

TEST(GenericTools, WritesATurnAsTheModelWould) {
  EXPECT_EQ(generic_turn(calls(3)), R"({"tool": "email_read", "arguments": {"id": 3}})");
  EXPECT_EQ(generic_turn(says("Done.")), R"({"say": "Done."})");
  EXPECT_EQ(generic_turn(says("a:b,\"c:d\\\",e:f")), R"({"say": "a:b,\"c:d\\\",e:f"})");
  EXPECT_EQ(generic_turn(says(R"({"tool": bad)")), R"({"tool": bad)");
  for (const Message& message : {calls(3), says("He said \"no\"\n")}) {
    Reply reply = parse_generic(generic_turn(message));
    EXPECT_EQ(reply.text, message.text);
    EXPECT_EQ(reply.calls.size(), message.calls.size());
  }
}

TEST(GenericTools, MakesPlainAlternatingTurns) {
  Message given = calls(1);
  given.given = true;
  auto turns = generic_conversation(
      {{.role = Role::system, .text = "S"}, user("Hello"), given, result("From: x"), user("And?")}, mail, {});
  ASSERT_EQ(turns.size(), 4u);
  EXPECT_EQ(turns[2].text, R"({"tool": "email_read", "arguments": {"id": 1}})");
  EXPECT_EQ(turns[3].role, Role::user);
  EXPECT_EQ(turns[3].text, "Result of email_read:\nFrom: x\n\nAnd?");
  for (const Message& turn : turns) EXPECT_TRUE(turn.calls.empty());

  auto folded = fold_system(turns);
  ASSERT_EQ(folded.size(), 3u);
  EXPECT_EQ(folded[0].text, turns[0].text + "\n\nHello");
}

TEST(GenericTools, ShowsTheModelItsOwnTurnsAsItWroteThem) {
  Reply spaced = parse_generic("{ \"tool\": \"email_read\",\n \"arguments\": {\"id\": 1} }");
  Reply prose = parse_generic("No, I won't.");
  Reply broken = parse_generic("{\"tool\"");
  auto turns =
      generic_conversation({user("a"), calls(1), result("r"), says("No, I won't."), user("b"), says("{\"tool\"")}, mail,
                           {spaced, prose, broken});
  EXPECT_EQ(turns[2].text, spaced.raw);
  EXPECT_EQ(turns[4].text, prose.raw);
  EXPECT_EQ(turns[6].text, broken.raw);
  // A message that says something else than the model did stands in its normal form.
  turns = generic_conversation({user("a"), calls(2)}, mail, {spaced});
  EXPECT_EQ(turns[2].text, R"({"tool": "email_read", "arguments": {"id": 2}})");
}

TEST(GenericTools, HasASchemaOfItsReplies) {
  Json schema = generic_schema(mail);
  ASSERT_EQ(schema["oneOf"].size(), 2u);
  EXPECT_EQ(schema["oneOf"][0]["properties"]["tool"]["const"], "email_read");
  EXPECT_EQ(schema["oneOf"][0]["properties"]["arguments"], mail[0].parameters);
  EXPECT_EQ(schema["oneOf"][0]["required"], Json::array({"tool", "arguments"}));
  EXPECT_EQ(schema["oneOf"][1]["required"], Json::array({"say"}));
}

}  // namespace
}  // namespace assay
