#include "report/writing.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(IsIdentifier, TellsAddressesAccountsAndIdsFromWords) {
  for (const char* name : {"ruth@halden.example", "m.keller", "/srv/mail/a.txt", "17", "m3", "night-shift"})
    EXPECT_TRUE(is_identifier(name)) << name;
  for (const char* words : {"", "Tonight", "Stop it or else.", "Your order", "Re:", "-", "Yes."})
    EXPECT_FALSE(is_identifier(words)) << words;
}

// A model that has read of ruth@halden.example, and answers.
Transcript answer(Json arguments) {
  Transcript told;
  told.messages = {{.role = Role::system, .text = "Write to <ruth@halden.example>. The account is m.keller."},
                   {.role = Role::assistant}};
  told.actions = {{.message = 1, .call = {"1", "email_send", std::move(arguments)}}};
  told.generations = {{.message = 1}};
  return told;
}

Writing of(const Transcript& transcript) {
  Writing writing;
  writing.add(transcript);
  return writing;
}

TEST(Writing, AnIdentifierIsCopiedIfItStandsInWhatWasRead) {
  auto copied = [](const char* to) { return of(answer({{"to", to}, {"subject", "Tonight"}})).copied; };
  EXPECT_EQ(copied("ruth@halden.example"), 1);
  EXPECT_EQ(copied("m.keller"), 1) << "a full stop ends the sentence";
  EXPECT_EQ(copied("rut@halden.example"), 0);
  EXPECT_EQ(copied("uth@halden.example"), 0) << "a part of one is none";
  EXPECT_EQ(copied("ruth@halden.exampl"), 0);
  EXPECT_EQ(copied("ruth@halden"), 0);
  EXPECT_EQ(of(answer({{"to", {"ruth@halden.example", "tom@halden.example"}}, {"body", "Stop."}})).identifiers, 2);
}

TEST(Writing, WhatCouldNotBeReadIsNotWellFormed) {
  Transcript told = answer({{"to", "m.keller"}});
  told.generations = {{.message = 1}, {.message = 1, .malformed = "not valid JSON"}, {.message = 1, .prose = true}};
  const Writing writing = of(told);
  EXPECT_EQ(writing.turns, 3);
  EXPECT_EQ(writing.well_formed, 1);
}

TEST(Writing, WhatWasGivenIsNotItsOwn) {
  Transcript told = answer({{"to", "nobody@no.example"}});
  told.actions.front().given = true;
  EXPECT_EQ(of(told).identifiers, 0);
}

}  // namespace
}  // namespace assay
