#include "chat/chat.h"

#include <gtest/gtest.h>

#include <limits>

namespace assay {
namespace {

TEST(Chat, EveryRoleIsFoundByItsName) {
  for (Role role : {Role::system, Role::user, Role::assistant, Role::tool}) EXPECT_EQ(role_named(name_of(role)), role);
  EXPECT_EQ(role_named("developer"), std::nullopt);
}

TEST(Chat, ACallKeepsWhateverArgumentsTheModelSent) {
  EXPECT_EQ(to_line(to_json(ToolCall{"c1", "email_read", {{"id", 3}}})),
            R"({"id":"c1","tool":"email_read","args":{"id":3}})");
  EXPECT_EQ(to_line(to_json(ToolCall{"", "x", Json::array({"a", 1})})), R"({"id":"","tool":"x","args":["a",1]})");
  EXPECT_EQ(to_line(to_json(ToolCall{"", "x", nullptr})), R"({"id":"","tool":"x","args":null})");
}

TEST(Chat, TokensComeBackWithEveryBitOfTheirLogprobs) {
  WrittenToken half;
  half.token = 7, half.bytes = "\xe2\x80", half.logprob = -0.1 - 1e-17;
  half.top = {{.token = 7, .bytes = "\xe2\x80", .logprob = half.logprob},
              {.token = 9, .bytes = std::string("\0", 1), .logprob = -std::numeric_limits<double>::infinity()}};
  const Json json = to_json(std::vector<WrittenToken>{half});
  EXPECT_EQ(json[0]["token"], "\xef\xbf\xbd\xef\xbf\xbd") << "a stray byte each";
  EXPECT_EQ(json[0]["bytes"], Json::array({0xe2, 0x80}));
  EXPECT_TRUE(json[0]["top_logprobs"][1]["logprob"].is_null());
  const auto back = tokens_from(*parse_json(to_line(json)));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, std::vector<WrittenToken>{half});
}

TEST(Chat, WhatIsNoListOfTokensIsNone) {
  for (const char* text : {"{}", "[1]", R"([{"id":1,"bytes":[1],"logprob":-1}])",
                           R"([{"id":1,"bytes":[256],"logprob":-1,"top_logprobs":[]}])",
                           R"([{"id":1,"bytes":[1],"logprob":"x","top_logprobs":[]}])",
                           R"([{"id":1,"bytes":[1],"logprob":-1,"top_logprobs":[3]}])"})
    EXPECT_FALSE(tokens_from(*parse_json(text))) << text;
  EXPECT_TRUE(tokens_from(Json::array())->empty());
}

}  // namespace
}  // namespace assay
