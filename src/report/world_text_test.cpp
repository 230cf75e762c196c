#include "report/world_text.h"

#include <gmock/gmock.h>

#include "base/text.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::Not;

const Json mailbox = {{"email",
                       {{"me", "desk@halden.example"},
                        {"inbox", {{{"id", 1}, {"subject", "Order"}, {"body", "When does it ship?\nWe wait."}}}},
                        {"sent", Json::array()}}}};

TEST(WorldText, HasALineForEachValueAndItemsWithADash) {
  EXPECT_EQ(state_text(mailbox, {}),
            "email:\n"
            "  me: desk@halden.example\n"
            "  inbox:\n"
            "    - id: 1\n"
            "      subject: Order\n"
            "      body:\n"
            "        When does it ship?\n"
            "        We wait.\n"
            "  sent: none\n");
}

TEST(WorldText, InOneSentenceCountsWhatThereIs) {
  EXPECT_EQ(state_line(mailbox), "email: me desk@halden.example, inbox 1, sent 0");
}

TEST(WorldText, IsNoWiderThanTheTerminalAndMovesNoCursor) {
  const Json state = {{"files", {{"/etc/\x1b[2Jmotd", std::string(200, 'x') + "\x1b[31m"}}}};
  const std::string text = state_text(state, {.width = 60});
  for (const std::string& line : split(text, '\n')) EXPECT_LE(display_width(line), 60) << line;
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(WorldText, SaysWhichArgumentsOfAToolMayBeLeftOut) {
  const ToolSpec tool{"forward", "Sends it on.",
                      Json::parse(R"({"properties": {"id": {}, "body": {}}, "required": ["id"]})")};
  EXPECT_EQ(tools_text({tool}, {}), "forward id [body]\n  Sends it on.\n");
}

}  // namespace
}  // namespace assay
