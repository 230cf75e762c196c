#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace assay {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text, const JsonLimits& limits = {}) {
  Result<Json> json = parse_json(text, limits);
  return json ? "(no error)" : json.error().text;
}

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(to_line(*parse_json(R"({"z": 1, "a": [true, null, "x"]})")), R"({"z":1,"a":[true,null,"x"]})");
}

TEST(ParseJson, SaysWhereAMistakeIs) {
  EXPECT_EQ(error_of(R"({"a": 1,, "b": 2})"), "not valid JSON at byte 9");
  EXPECT_EQ(error_of(""), "not valid JSON at byte 1");
  EXPECT_EQ(error_of("{} {}"), "not valid JSON at byte 4");
}

TEST(ParseJson, RefusesWhatOnlyLooksLikeJson) {
  for (const char* text : {"{'a': 1}", "{\"a\": 1,}", "NaN", "[1 2]", "{\"a\": 1} // done", "\"tab\there\"", "01"})
    EXPECT_THAT(error_of(text), HasSubstr("not valid JSON")) << text;
}

TEST(ParseJson, OfTwinKeysTheLastWins) {
  EXPECT_EQ(to_line(*parse_json(R"({"a": 1, "b": 2, "a": 3})")), R"({"a":3,"b":2})");
}

TEST(ParseJson, RefusesBytesThatAreNotUtf8) {
  EXPECT_EQ(error_of("\"\xff\""), "not valid JSON at byte 2");
  EXPECT_THAT(error_of("\"\xED\xA0\x80\""), HasSubstr("not valid JSON"));
}

TEST(ParseJson, RefusesLoneSurrogates) {
  EXPECT_EQ(to_line(*parse_json(R"("\ud83d\ude00")")), "\"\U0001F600\"");
  EXPECT_THAT(error_of(R"("\ud83d")"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(R"("\ude00")"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(R"("\ud83dx\ude00")"), HasSubstr("not valid JSON"));
}

TEST(ParseJson, RefusesNumbersBeyondDoubles) { EXPECT_THAT(error_of("1e999"), HasSubstr("not valid JSON")); }

TEST(ParseJson, TakesNestingUpToTheLimit) {
  auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(64)));
  EXPECT_EQ(error_of(nested(65)), "JSON is nested deeper than 64 levels");
  EXPECT_EQ(error_of(std::string(1 << 20, '[')), "JSON is nested deeper than 64 levels");
}

TEST(ParseJson, BracketsInStringsAreNoNesting) {
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\""));
  EXPECT_TRUE(parse_json(R"(["\"[[[[", "]"])", {.depth = 1}));
  EXPECT_FALSE(parse_json(R"(["\\", [1]])", {.depth = 1})) << "an escaped backslash does not hide the quote after it";
}

TEST(ParseJson, StrayClosingBracketsPayForNothing) {
  EXPECT_EQ(error_of(std::string(100, ']') + std::string(100, '[')), "JSON is nested deeper than 64 levels");
  EXPECT_EQ(error_of("]]:"), "not valid JSON at byte 1");
}

TEST(ParseJson, RefusesObjectsOfTooManyKeys) {
  EXPECT_TRUE(parse_json(R"([{"a": 1, "b": 2}, {"c": {"x": ":"}, "d": 4}])", {.keys = 2}));
  EXPECT_EQ(error_of(R"({"a": {"x": 1}, "b": 2, "c": 3})", {.keys = 2}), "a JSON object has more than 2 keys");
}

TEST(ParseJson, RefusesLongTextsUnread) {
  EXPECT_TRUE(parse_json("[1]", {.bytes = 3}));
  EXPECT_EQ(error_of("[1] ", {.bytes = 3}), "JSON of 4 bytes; the limit is 3");
}

TEST(ToLine, IsOneLineAndNeverThrows) {
  EXPECT_EQ(to_line({{"a", "x\ny"}}), R"({"a":"x\ny"})");
  EXPECT_EQ(to_line({{"a", "x\xff"}}), "{\"a\":\"x\xEF\xBF\xBD\"}");
  EXPECT_EQ(to_line(Json(std::nan(""))), "null");
}

}  // namespace
}  // namespace assay
