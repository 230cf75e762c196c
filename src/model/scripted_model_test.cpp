#include "model/scripted_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using testing::HasSubstr;

std::string mistakes(const std::string& text) {
  Diagnostics diagnostics;
  parse_script({"s.yaml", text}, diagnostics);
  return diagnostics.format();
}

TEST(ScriptedModel, SaysAndDoesWhatStandsThereAndThenIsDone) {
  Diagnostics diagnostics;
  Script script = parse_script({"s.yaml",
                                "scripted: curious\nsteps:\n  - email_read: {id: 1}\n  - raw: '{\"tool\": '\n"
                                "  - say: '{{ not a template }}'\n  - email_list:\n"},
                               diagnostics);
  ASSERT_EQ(diagnostics.format(), "");
  ScriptedModel model(script);
  EXPECT_EQ(model.id(), "scripted:curious");
  auto reply = [&](int turn) {
    Reply got;
    model.submit({.turn = turn, .sampling = {}}, [&](Result<Reply> answer) { got = *answer; });
    model.poll({});
    return got;
  };
  EXPECT_EQ(reply(0).calls, (std::vector<ToolCall>{{"", "email_read", {{"id", 1}}}}));
  EXPECT_THAT(reply(1).malformed, HasSubstr("it breaks off before the object ends"));
  EXPECT_EQ(reply(2).text, "{{ not a template }}");
  EXPECT_EQ(reply(3).calls[0].arguments, Json::object());
  EXPECT_EQ(reply(4).text, "Done.");
  EXPECT_EQ(reply(2).played_agent, "");
}

TEST(ScriptedModel, ShowsEveryMistakeAtItsPlace) {
  std::string all = mistakes("scripted: s\nstep: []\nsteps:\n  - email_read: 3\n  - {a: {}, b: {}}\n  - say: [x]\n");
  EXPECT_THAT(all, HasSubstr("s.yaml:2:1: error: unknown key 'step'"));
  EXPECT_THAT(all, HasSubstr("s.yaml:4:17: error: the arguments of email_read must be a map"));
  EXPECT_THAT(all, HasSubstr("s.yaml:5:5: error: a step is one call"));
  EXPECT_THAT(all, HasSubstr("s.yaml:6:10: error: "));
}

}  // namespace
}  // namespace assay
