#include "chat/chat.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace assay
