#include "skill/olean/text.h"

#include <gtest/gtest.h>

#include "skill/olean/hash.h"
#include "skill/olean/header.h"
#include "skill/olean/natural.h"

namespace assay::olean {
namespace {

std::string plain(const Name& name, Shown where = Shown::in_file) {
  std::string out;
  append_plain(out, name, where);
  return out;
}

std::string escaped(const Name& name) {
  std::string out;
  append_escaped(out, name, Shown::in_file);
  return out;
}

std::string json(const Name& name) {
  std::string out;
  append_json(out, name);
  return out;
}

TEST(NameText, JoinsComponentsByDots) {
  EXPECT_EQ(plain({{"Nat"}, {"rec"}}), "Nat.rec");
  EXPECT_EQ(plain({{"_private"}, {"Main"}, {"0", true}, {"f"}}), "_private.Main.0.f");
  EXPECT_EQ(plain({}), "[anonymous]");
}

TEST(NameText, LeansEscapingIsThatOfToString) {
  EXPECT_EQ(escaped({{"Trm"}, {"term[_//_]"}, {"_closed_5"}}), "Trm.«term[_//_]»._closed_5");
  EXPECT_EQ(escaped({{"two words"}}), "«two words»");
  EXPECT_EQ(escaped({{""}}), "«»");
  EXPECT_EQ(escaped({{"1st"}}), "«1st»");
  EXPECT_EQ(escaped({{"x'"}, {"done?"}, {"get!"}, {"h₁"}, {"α"}, {"ℕ"}, {"é"}}), "x'.done?.get!.h₁.α.ℕ.é");
  EXPECT_EQ(escaped({{"λx"}}), "«λx»") << "λ is no letter, as it begins a function";
  EXPECT_EQ(escaped({{"a»b"}}), "a»b") << "what holds » cannot be put into «»";
  EXPECT_EQ(escaped({{"a.b"}, {"7", true}}), "«a.b».7");
  EXPECT_EQ(escaped({{"def"}}), "def") << "keywords stand as they are";
}

TEST(NameText, SomeNamesAreNeverEscaped) {
  EXPECT_EQ(escaped({{"a b"}, {"_@"}, {"Mod"}, {"_hyg"}, {"12", true}}), "a b._@.Mod._hyg.12");
  EXPECT_EQ(escaped({{"a b"}, {"_hyg"}, {"c"}}), "«a b»._hyg.c") << "_hyg must be the last text";
  EXPECT_EQ(escaped({{"a b"}, {"x✝"}, {"3", true}}), "a b.x✝.3");
  EXPECT_EQ(escaped({{"a b"}, {"_inaccessible"}}), "a b._inaccessible");
  EXPECT_EQ(escaped({{"#eval"}, {"a b"}}), "#eval.a b");
  EXPECT_EQ(escaped({{"?m"}, {"a b"}}), "?m.a b");
  EXPECT_EQ(escaped({{"a"}, {"?m"}}), "a.«?m»") << "only the first component decides";
}

TEST(NameText, WhatATerminalMustNotGetIsMadeVisible) {
  EXPECT_EQ(plain({{"a\nb\tc\x1b[2J\x7f"}}), "a\\nb\\tc\\x1b[2J\\x7f");
  EXPECT_EQ(plain({{"\xc2\x9b"
                    "31m"}}),
            "\\u{9b}31m")
      << "the 8-bit form of ESC [";
  EXPECT_EQ(plain({{"\xff\xc0\xafok"}}), "\\xff\\xc0\\xafok");
  EXPECT_EQ(plain({{"\xed\xa0\x80"}}), "\\xed\\xa0\\x80") << "half of a pair is no code point";
  EXPECT_EQ(plain({{std::string_view("a\0b", 3)}}), "a\\x00b");
  EXPECT_EQ(plain({{"a\xe2\x80\xae"
                    "b"}}),
            "a\xe2\x80\xae"
            "b");
  EXPECT_EQ(plain({{"a\xe2\x80\xae"
                    "b"}},
                  Shown::on_terminal),
            "a\\u{202e}b");
  EXPECT_EQ(plain({{"back\\slash"}}), "back\\slash") << "as it stands in real names";
  EXPECT_EQ(plain({{"a\nb\xff"}}, Shown::exact), "a\nb\xff");
  EXPECT_EQ(plain({{std::string_view("a\0b", 3)}}, Shown::exact), "a\\x00b");
}

TEST(NameText, EveryByteOfEveryPlaceIsLookedAt) {
  for (size_t place = 0; place < 17; ++place)
    for (const char c : {'\0', '\x1f', '\x7f', '\x80', '\xff', '\n'}) {
      std::string text(17, '~');
      text[place] = c;
      const std::string shown = plain({{text}});
      EXPECT_EQ(shown.find(c), std::string::npos) << place;
      EXPECT_GT(shown.size(), text.size());
    }
  EXPECT_EQ(plain({{" !\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~"}}), " !\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~");
}

TEST(NameText, JsonKeepsComponentsApart) {
  EXPECT_EQ(json({{"a.b"}, {"c"}, {"18446744073709551616", true}}), R"(["a.b","c",18446744073709551616])");
  EXPECT_EQ(json({{"say \"\\\"\n\x1b"}}), R"(["say \"\\\"\n\u001b"])");
  EXPECT_EQ(json({{"\xff"}}), "[\"\xef\xbf\xbd\"]");
  EXPECT_EQ(json({{"\xf3\xa0\x81\x81"}}), R"(["\udb40\udc41"])") << "an invisible tag letter";
  EXPECT_EQ(json({}), "[]");
}

TEST(NameText, InternalIsWhatHasAnUnderscoreInFront) {
  EXPECT_TRUE(is_internal({{"a"}, {"_closed_1"}}));
  EXPECT_TRUE(is_internal({{"_private"}, {"0", true}, {"f"}}));
  EXPECT_FALSE(is_internal({{"a_b"}, {"c"}, {"0", true}}));
}

TEST(NameText, CountsCodePoints) {
  EXPECT_EQ(count_code_points(""), 0);
  EXPECT_EQ(count_code_points("abcdefghi"), 9);
  EXPECT_EQ(count_code_points("abcdefgλ→𝒜"), 10);
  EXPECT_EQ(count_code_points("abcdefgh\x80"), -1);
  EXPECT_EQ(count_code_points("\xf0\x9d\x92"), -1);
}

TEST(Hash, OfStringsIsLeans) {
  EXPECT_EQ(hash_of_string(""), 0x89133354f2041b41u);
  EXPECT_EQ(hash_of_string("a"), 0xdce594566b8c31f5u);
  EXPECT_EQ(hash_of_string("Init"), 0x4ac6cf60613f691fu);
  EXPECT_EQ(hash_of_string("abcdefgh"), 0x3c488c52c1dedce6u);
  EXPECT_EQ(hash_of_string("abcdefghi"), 0x435b92498d4189b7u);
  EXPECT_EQ(hash_of_string("λ→"), 0xc17341b25e425fdeu);
}

TEST(Hash, OfNamesIsLeansAndGivesTheBase) {
  EXPECT_EQ(module_name_hash("Main"), 0xdd36721ef573d952u);
  EXPECT_EQ(module_name_hash("Init.Prelude"), 0x5dbf39fc9d50805cu);
  EXPECT_EQ(module_name_hash("lakefile"), 0x4638fefe8c5d1cf9u);
  EXPECT_EQ(name_hash(module_name_hash("_private.Stlc.basics"), 0, true), 0x549ab45657a72259u);
  EXPECT_EQ(base_of_module(module_name_hash("Main")), 0x5a1ef5730000u);
  EXPECT_EQ(base_of_module(module_name_hash("lakefile")), 0x0bfe8c5d0000u);
  EXPECT_EQ(base_of_module(module_name_hash("Init.Prelude")), 0x31fc9d500000u);
}

TEST(Decimal, OfNumbersOfSeveralLimbs) {
  EXPECT_EQ(decimal({}), "0");
  EXPECT_EQ(decimal({10'000'000'000'000'000'000u}), "10000000000000000000");
  EXPECT_EQ(decimal({0, 1}), "18446744073709551616");
  EXPECT_EQ(decimal({0, 0, 1}), "340282366920938463463374607431768211456");
}

}  // namespace
}  // namespace assay::olean
