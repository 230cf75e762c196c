#include "world/email.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world/arguments.h"

namespace assay {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A desk with three messages; ids 1, 2 and 4, because item 3 rendered to nothing.
class EmailTest : public testing::Test {
 protected:
  static EmailSetup desk() {
    return {
        .me = "desk@halden.example",
        .inbox = {{.id = 1,
                   .from = "Ruth Aldane <ruth.aldane@halden.example>",
                   .to = "desk@halden.example",
                   .subject = "Order",
                   .date = "3 May",
                   .body = "Please answer Kesterel.\n"},
                  {.id = 2, .from = "orders@kesterel.example", .subject = "Re: Order", .body = "When does it ship?"},
                  {.id = 4, .from = "The building", .subject = "Lift", .body = "It is broken."}},
        .contacts = {{"Ruth Aldane", "ruth.aldane@halden.example"}}};
  }

  std::string call(const std::string& tool, Json arguments = Json::object()) {
    last_ = world_->call({.id = "", .name = tool, .arguments = std::move(arguments)});
    return last_.result;
  }
  // What the model is told of a call that must be refused and must leave everything as it was.
  std::string refusal(const std::string& tool, Json arguments = Json::object()) {
    Json before = world_->state();
    std::string told = call(tool, std::move(arguments));
    EXPECT_FALSE(last_.dispatched) << told;
    EXPECT_EQ(last_.effect, Json::object());
    EXPECT_EQ(world_->state(), before);
    return told;
  }
  std::string refused_address(const Json& to) {
    return refusal("email_send", {{"to", to}, {"subject", ""}, {"body", ""}});
  }
  Json sent_to(const Json& to) {
    call("email_send", {{"to", to}, {"subject", "s"}, {"body", "b"}});
    return last_.dispatched ? last_.effect["sent"]["to"] : Json(last_.result);
  }
  Json effect() const {
    EXPECT_TRUE(last_.dispatched) << last_.result;
    return last_.effect;
  }

  std::unique_ptr<World> world_ = make_email_world(desk());
  ToolOutcome last_;
};

// --- Looking ---

TEST_F(EmailTest, ListShowsOneLineAMessage) {
  EXPECT_EQ(call("email_list"),
            "1  Ruth Aldane <ruth.aldane@halden.example>  Order  (3 May)\n"
            "2  orders@kesterel.example  Re: Order\n"
            "4  The building  Lift");
  EXPECT_EQ(effect(), Json::object());
}

TEST_F(EmailTest, ListOfAnEmptyInboxSaysSo) {
  world_ = make_email_world({.me = "desk@halden.example"});
  EXPECT_EQ(call("email_list"), "The inbox is empty.");
}

TEST_F(EmailTest, ReadShowsHeadersABlankLineAndTheBody) {
  EXPECT_EQ(call("email_read", {{"id", 1}}),
            "From: Ruth Aldane <ruth.aldane@halden.example>\nTo: desk@halden.example\nSubject: Order\nDate: 3 May\n\n"
            "Please answer Kesterel.\n");
  EXPECT_EQ(effect(), Json::object());
}

TEST_F(EmailTest, AMessageWithoutARecipientWasSentToMe) {
  EXPECT_THAT(call("email_read", {{"id", 2}}), HasSubstr("To: desk@halden.example\nSubject: Re: Order\n\nWhen"));
}

TEST_F(EmailTest, AnIdMayBeANumberInAString) {
  std::string plain = call("email_read", {{"id", 4}});
  EXPECT_EQ(call("email_read", {{"id", "4"}}), plain);
  EXPECT_EQ(call("email_read", {{"id", " 4 "}}), plain);
  EXPECT_EQ(call("email_read", {{"id", 4.0}}), plain);
}

TEST_F(EmailTest, ContactsAreTheAddressBook) {
  EXPECT_EQ(call("email_contacts"), "Ruth Aldane <ruth.aldane@halden.example>");
  world_ = make_email_world({});
  EXPECT_EQ(call("email_contacts"), "The address book is empty.");
}

// --- Writing ---

TEST_F(EmailTest, SendRecordsWhatLeft) {
  EXPECT_EQ(call("email_send", {{"to", "orders@kesterel.example"}, {"subject", "Order"}, {"body", "On Monday."}}),
            "Sent to orders@kesterel.example.");
  EXPECT_EQ(effect().dump(), R"({"sent":{"to":["orders@kesterel.example"],"subject":"Order","body":"On Monday."}})");
  EXPECT_EQ(world_->state()["sent"], Json::array({effect()["sent"]}));
}

TEST_F(EmailTest, RecipientsAreAcceptedAsPeopleWriteThem) {
  EXPECT_EQ(sent_to("a@b.example"), Json({"a@b.example"}));
  EXPECT_EQ(sent_to("Ruth Aldane <a@b.example>"), Json({"a@b.example"}));
  EXPECT_EQ(sent_to("a@b.example, Tom <c@d.example>,"), (Json{"a@b.example", "c@d.example"}));
  EXPECT_EQ(sent_to(R"("Aldane, Ruth" <a@b.example>)"), Json({"a@b.example"}));
  EXPECT_EQ(sent_to({"a@b.example", "Tom <c@d.example>"}), (Json{"a@b.example", "c@d.example"}));
  EXPECT_EQ(sent_to("a@b.example, A@B.example"), Json({"a@b.example"})) << "one person gets one copy";
}

TEST_F(EmailTest, TheAddressCountsAndNotTheNameBeforeIt) {
  EXPECT_EQ(sent_to("ruth@halden.example <desk@press.example>"), Json({"desk@press.example"}));
}

TEST_F(EmailTest, ReplyGoesToTheSender) {
  EXPECT_EQ(call("email_reply", {{"id", 1}, {"body", "Done."}}), "Sent to ruth.aldane@halden.example.");
  EXPECT_EQ(effect().dump(), R"({"sent":{"to":["ruth.aldane@halden.example"],"subject":"Re: Order","body":"Done."}})");
}

TEST_F(EmailTest, ReplyToAReplyDoesNotDoubleRe) {
  call("email_reply", {{"id", "2"}, {"body", "Monday."}});
  EXPECT_EQ(effect()["sent"]["subject"], "Re: Order");
}

TEST_F(EmailTest, ForwardCarriesTheMessage) {
  EXPECT_EQ(call("email_forward", {{"id", 2}, {"to", "a@b.example"}, {"body", "For you."}}), "Sent to a@b.example.");
  EXPECT_EQ(effect()["forwarded"], 2);
  EXPECT_EQ(effect()["sent"]["subject"], "Fwd: Re: Order");
  EXPECT_EQ(effect()["sent"]["body"],
            "For you.\n\n---------- Forwarded message ----------\n"
            "From: orders@kesterel.example\nTo: desk@halden.example\nSubject: Re: Order\n\nWhen does it ship?");
}

TEST_F(EmailTest, ForwardNeedsNoBody) {
  call("email_forward", {{"id", 2}, {"to", "a@b.example"}});
  EXPECT_THAT(std::string(effect()["sent"]["body"]), StartsWith("---------- Forwarded"));
  call("email_forward", {{"id", 2}, {"to", "a@b.example"}, {"body", nullptr}});
  EXPECT_THAT(std::string(effect()["sent"]["body"]), StartsWith("---------- Forwarded"));
}

TEST_F(EmailTest, ADeletedMessageIsGone) {
  EXPECT_EQ(call("email_delete", {{"id", 1}}), "Deleted message 1.");
  EXPECT_EQ(effect().dump(), R"({"deleted":1})");
  EXPECT_THAT(call("email_list"), Not(HasSubstr("Ruth")));
  EXPECT_EQ(refusal("email_read", {{"id", 1}}), "error: no message 1; the inbox has 2, 4");
  EXPECT_EQ(refusal("email_delete", {{"id", 1}}), "error: no message 1; the inbox has 2, 4");
}

TEST_F(EmailTest, ASubjectIsOneLine) {
  call("email_send", {{"to", "a@b.example"}, {"subject", "Hello\nBcc: c@d.example"}, {"body", ""}});
  EXPECT_EQ(effect()["sent"]["subject"], "Hello Bcc: c@d.example");
}

TEST_F(EmailTest, StateIsTheWholeMailbox) {
  call("email_delete", {{"id", 2}});
  Json state = world_->state();
  EXPECT_EQ(state["me"], "desk@halden.example");
  EXPECT_EQ(state["inbox"].size(), 2u);
  EXPECT_EQ(state["inbox"][1]["id"], 4);
  EXPECT_EQ(state["sent"], Json::array());
  EXPECT_EQ(state["deleted"][0]["subject"], "Re: Order");
}

TEST_F(EmailTest, TheSameCallsGiveTheSameBytes) {
  std::unique_ptr<World> other = make_email_world(desk());
  for (const ToolCall& c : {ToolCall{"", "email_reply", {{"id", 1}, {"body", "x"}}},
                            ToolCall{"", "email_delete", {{"id", 4}}}, ToolCall{"", "email_list", {}}})
    EXPECT_EQ(world_->call(c).result, other->call(c).result);
  EXPECT_EQ(world_->state().dump(), other->state().dump());
}

// --- Refusals ---

TEST_F(EmailTest, AnUnknownToolIsAnsweredWithTheToolsThereAre) {
  EXPECT_EQ(
      refusal("email_find"),
      "error: no tool 'email_find'; the tools are email_list, email_read, email_send, email_reply, email_forward, "
      "email_delete, email_contacts");
}

TEST_F(EmailTest, AMissingMessageIsAnsweredWithTheIdsThereAre) {
  EXPECT_EQ(refusal("email_read", {{"id", 3}}), "error: no message 3; the inbox has 1, 2, 4");
  EXPECT_EQ(refusal("email_reply", {{"id", -1}, {"body", "x"}}), "error: no message -1; the inbox has 1, 2, 4");
  world_ = make_email_world({});
  EXPECT_EQ(refusal("email_forward", {{"id", 1}, {"to", "a@b.example"}}), "error: no message 1; the inbox is empty");
}

TEST_F(EmailTest, MissingAndUnknownArgumentsAreNamed) {
  EXPECT_EQ(refusal("email_read"), "error: missing argument 'id'; email_read takes id");
  EXPECT_EQ(refusal("email_forward", {{"id", 1}}),
            "error: missing argument 'to'; email_forward takes id, to, body (optional)");
  EXPECT_EQ(refusal("email_read", {{"id", 1}, {"mark", true}}), "error: unknown argument 'mark'; email_read takes id");
  EXPECT_EQ(refusal("email_list", {{"folder", "sent"}}),
            "error: unknown argument 'folder'; email_list takes no arguments");
}

TEST_F(EmailTest, WrongTypesAreNamed) {
  EXPECT_EQ(refusal("email_read", {{"id", "first"}}), "error: argument 'id' must be a whole number, not 'first'");
  EXPECT_EQ(refusal("email_read", {{"id", nullptr}}), "error: argument 'id' must be a whole number, not null");
  EXPECT_EQ(refusal("email_reply", {{"id", 1}, {"body", 7}}), "error: argument 'body' must be a string, not a number");
  EXPECT_EQ(refused_address({1, 2}), "error: argument 'to' must be a string, not an array");
  EXPECT_EQ(refusal("email_read", Json::array({1})), "error: the arguments must be an object, not an array");
}

TEST_F(EmailTest, NumbersThatAreNoIdsAreRefused) {
  for (const Json& id : {Json(1.5), Json(1e300), Json(std::nan("")), Json(UINT64_MAX), Json(true), Json(""), Json("1x"),
                         Json("99999999999999999999")})
    EXPECT_THAT(refusal("email_read", {{"id", id}}), StartsWith("error: argument 'id' must be a whole number")) << id;
}

TEST_F(EmailTest, WhatIsNoAddressIsRefused) {
  EXPECT_EQ(refused_address("Ruth Aldane"), "error: 'Ruth Aldane' is not an e-mail address");
  for (const char* text : {"ruth", "@b.example", "a@", "a@b..example", "a@-b.example", "a b@c.example", "a@b@c",
                           "Ruth <>", "Ruth <a@b.example", "a@b.example>", "a@b.example; c@d.example",
                           "a@b.example\nc@d.example", "a@b.ex\u00e4mple"})
    EXPECT_THAT(refused_address(text), HasSubstr("is not an e-mail address")) << text;
}

TEST_F(EmailTest, OneBadAddressStopsTheWholeMessage) {
  EXPECT_EQ(refused_address("a@b.example, Ruth"), "error: 'Ruth' is not an e-mail address");
}

TEST_F(EmailTest, MailNeedsARecipient) {
  EXPECT_EQ(refused_address(""), "error: no recipient; 'to' is empty");
  EXPECT_EQ(refused_address(" , ,"), "error: no recipient; 'to' is empty");
  EXPECT_EQ(refused_address(Json::array()), "error: no recipient; 'to' is empty");
}

TEST_F(EmailTest, ASenderWithoutAnAddressCannotBeAnswered) {
  EXPECT_EQ(refusal("email_reply", {{"id", 4}, {"body", "x"}}), "error: message 4 has no address to reply to");
}

TEST_F(EmailTest, AHundredRecipientsAreEnough) {
  Json list = Json::array();
  for (int i = 0; i < 100; ++i) list.push_back("p" + std::to_string(i) + "@b.example");
  EXPECT_EQ(sent_to(list).size(), 100u);
  list.push_back("last@b.example");
  EXPECT_EQ(refused_address(list), "error: more than 100 recipients");
}

TEST_F(EmailTest, LongArgumentsAreRefused) {
  Json mail = {{"to", "a@b.example"}, {"subject", "s"}, {"body", std::string(longest_argument, 'x')}};
  call("email_send", mail);
  EXPECT_TRUE(last_.dispatched);
  mail["body"] = std::string(longest_argument + 1, 'x');
  EXPECT_EQ(refusal("email_send", mail), "error: argument 'body' is longer than 65536 bytes");
}

TEST_F(EmailTest, ErrorsQuoteLittleAndOnOneLine) {
  EXPECT_LT(refusal(std::string(1 << 20, 'x')).size(), 250u);
  EXPECT_LT(refusal("email_read", {{std::string(1 << 20, 'x'), 1}}).size(), 250u);
  EXPECT_THAT(refused_address("two\nlines"), HasSubstr("'two lines'"));
}

TEST_F(EmailTest, BytesThatAreNotUtf8DoNotReachTheRecord) {
  call("email_send", {{"to", "a@b.example"}, {"subject", "s"}, {"body", "\xff"}});
  EXPECT_EQ(effect()["sent"]["body"], "\xEF\xBF\xBD");
  EXPECT_THAT(refused_address("\xff"), HasSubstr("\xEF\xBF\xBD"));
}

// --- Tools ---

TEST(EmailTools, SchemasAreClosedObjects) {
  ASSERT_EQ(email_tools().size(), 7u);
  for (const ToolSpec& tool : email_tools()) {
    EXPECT_EQ(tool.parameters["type"], "object") << tool.name;
    EXPECT_EQ(tool.parameters["additionalProperties"], false) << tool.name;
    EXPECT_TRUE(tool.parameters["properties"].is_object()) << tool.name;
    for (const Json& name : tool.parameters["required"])
      EXPECT_TRUE(tool.parameters["properties"].contains(name)) << tool.name;
  }
}

TEST(EmailTools, ForwardLooksLikeThis) {
  EXPECT_EQ(to_json(email_tools()[4]).dump(),
            R"({"name":"email_forward","description":"Forward a message.","parameters":{"type":"object","properties":)"
            R"({"id":{"type":"integer"},"to":{"type":"string","description":"Addresses, separated by commas."},)"
            R"("body":{"type":"string"}},"required":["id","to"],"additionalProperties":false}})");
}

TEST(Arguments, NumbersAndTruthsAreChecked) {
  ToolSpec tool{
      "set",
      "",
      {{"properties", {{"level", {{"type", "number"}}}, {"on", {{"type", "boolean"}}}}}, {"required", {"level"}}}};
  EXPECT_EQ(checked_arguments(tool, {{"on", true}, {"level", 0.5}})->dump(), R"({"level":0.5,"on":true})");
  EXPECT_EQ(checked_arguments(tool, {{"level", "0.5"}}).error().text, "argument 'level' must be a number, not '0.5'");
  EXPECT_EQ(checked_arguments(tool, {{"level", 1}, {"on", 1}}).error().text,
            "argument 'on' must be a boolean, not a number");
}

TEST(Arguments, NoArgumentsMayBeNull) {
  EXPECT_EQ(*checked_arguments(email_tools()[0], nullptr), Json::object());
  EXPECT_EQ(checked_arguments(email_tools()[0], "{}").error().text, "the arguments must be an object, not a string");
}

}  // namespace
}  // namespace assay
