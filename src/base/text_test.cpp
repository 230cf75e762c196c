#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using testing::ElementsAre;

const std::string mark = "\xEF\xBF\xBD";  // U+FFFD

// --- for_terminal: what a model wrote must not work the terminal ---

TEST(ForTerminal, LeavesPlainTextAlone) {
  EXPECT_EQ(for_terminal("Zoë said: 数\n\tok"), "Zoë said: 数\n\tok");
  EXPECT_EQ(for_terminal(""), "");
}

TEST(ForTerminal, ShowsEscapeSequencesInsteadOfObeyingThem) {
  EXPECT_EQ(for_terminal("\x1b[2J"), "␛[2J");
  EXPECT_EQ(for_terminal("\x1b]0;title\x07"), "␛]0;title␇");
  EXPECT_EQ(for_terminal("\xC2\x9B"
                         "31m"),
            mark + "31m")
      << "the one-byte CSI of ISO 6429, as UTF-8";
  EXPECT_EQ(for_terminal("\x9B"
                         "31m"),
            mark + "31m")
      << "and as a bare byte";
}

TEST(ForTerminal, ShowsCarriageReturnBackspaceDeleteAndNul) {
  EXPECT_EQ(for_terminal("safe\rfake"), "safe␍fake");
  EXPECT_EQ(for_terminal(std::string_view("\b\x7F\0", 3)), "␈␡␀");
}

TEST(ForTerminal, MarksWhatTurnsTheDirectionOfText) {
  for (const char* bidi : {"\u202A", "\u202E", "\u2066", "\u2069", "\u200E", "\u200F", "\u061C"})
    EXPECT_EQ(for_terminal(std::string("a") + bidi + "b"), "a" + mark + "b");
}

TEST(ForTerminal, MarksInvisibleLettersAndLineSeparators) {
  EXPECT_EQ(for_terminal("a\U000E0041\u2028"), "a" + mark + mark);
}

// --- valid_utf8 ---

TEST(ValidUtf8, KeepsWhatIsValidUpToTheLastCodePoint) {
  for (const char* text : {"", "a", "\u0080", "\u07FF", "\u0800", "\uFFFF", "\U00010000", "\U0010FFFF"})
    EXPECT_EQ(valid_utf8(text), text);
}

TEST(ValidUtf8, MarksEachBadByte) {
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b"),
            "a" + mark + "b");
  EXPECT_EQ(valid_utf8("\x80"), mark) << "a continuation without a start";
  EXPECT_EQ(valid_utf8("\xE2\x82"), mark + mark) << "cut short at the end";
  EXPECT_EQ(valid_utf8("\xE2"
                       "a"),
            mark + "a")
      << "cut short by other text, which survives";
}

TEST(ValidUtf8, RefusesOverlongFormsSurrogatesAndWhatLiesBeyondUnicode) {
  EXPECT_EQ(valid_utf8("\xC0\xAF"), mark + mark);
  EXPECT_EQ(valid_utf8("\xE0\x80\xAF"), mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xF0\x80\x80\xAF"), mark + mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), mark + mark + mark + mark);
  EXPECT_EQ(valid_utf8("\xF8"), mark);
}

// --- Columns ---

TEST(DisplayWidth, CountsWhatATerminalShows) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("é"), 1);
  EXPECT_EQ(display_width("e\u0301"), 1) << "a combining accent takes no column";
  EXPECT_EQ(display_width("数字"), 4) << "wide letters take two";
  EXPECT_EQ(display_width("\xFF"), 1) << "a bad byte is shown as one mark";
}

TEST(Clipped, KeepsWhatFits) {
  EXPECT_EQ(clipped("abcd", 4), "abcd");
  EXPECT_EQ(clipped("", 0), "");
}

TEST(Clipped, EndsInAnEllipsisWithinTheColumns) {
  EXPECT_EQ(clipped("abcde", 4), "abc…");
  EXPECT_EQ(clipped("abcde", 1), "…");
  EXPECT_EQ(clipped("abcde", 0), "");
}

TEST(Clipped, NeverCutsALetter) {
  EXPECT_EQ(clipped("数字数字", 4), "数…");
  EXPECT_EQ(clipped("éé\u0301éé", 3), "éé\u0301…");
}

// --- wrapped ---

TEST(Wrapped, BreaksBetweenWords) {
  EXPECT_THAT(wrapped("the quick brown fox", 10), ElementsAre("the quick", "brown fox"));
}

TEST(Wrapped, FillsALineToItsLastColumn) { EXPECT_THAT(wrapped("abcd efghi jk", 10), ElementsAre("abcd efghi", "jk")); }

TEST(Wrapped, KeepsNewlinesAndEmptyLines) {
  EXPECT_THAT(wrapped("one\n\ntwo\n", 20), ElementsAre("one", "", "two", ""));
  EXPECT_THAT(wrapped("", 20), ElementsAre(""));
}

TEST(Wrapped, KeepsBlanksInsideALineAndDropsThemAtItsEnd) {
  EXPECT_THAT(wrapped("1  Ruth  Order", 20), ElementsAre("1  Ruth  Order"));
  EXPECT_THAT(wrapped("one    twothree  ", 8), ElementsAre("one", "twothree"));
  EXPECT_THAT(wrapped("    ", 8), ElementsAre(""));
}

TEST(Wrapped, IndentsAllLinesAsTheFirst) {
  EXPECT_THAT(wrapped("  one two three", 9), ElementsAre("  one two", "  three"));
}

TEST(Wrapped, LeavesRoomBesideADeepIndentation) {
  EXPECT_THAT(wrapped(std::string(50, ' ') + "abcdef", 8), ElementsAre("    abcd", "    ef"));
}

TEST(Wrapped, BreaksAWordThatNoLineHolds) {
  EXPECT_THAT(wrapped("a 0123456789012345 b", 8), ElementsAre("a", "01234567", "89012345", "b"));
  EXPECT_THAT(wrapped("a 012345678 b", 8), ElementsAre("a", "01234567", "8 b"));
}

TEST(Wrapped, BreaksWideLettersBetweenLetters) { EXPECT_THAT(wrapped("数数数数数", 9), ElementsAre("数数数数", "数")); }

TEST(Wrapped, NeverExceedsItsColumnsAndLosesNoWord) {
  const std::string text =
      "  a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh iiiiiiiii \xFF\xFE 数字数字数字 jjjjjjjjjjjjjjjjjjjjjjjjjjjjj";
  auto without_blanks = [](std::string s) {
    std::erase(s, ' ');
    return s;
  };
  for (int columns = -1; columns < 40; ++columns) {
    std::string together;
    for (const std::string& line : wrapped(text, columns)) {
      EXPECT_LE(display_width(line), std::max(columns, 8)) << line;
      together += line;
    }
    EXPECT_EQ(without_blanks(together), without_blanks(text)) << columns;
  }
}

// --- Small things ---

TEST(Folded, ComparesCaseAndWhiteSpaceAway) {
  EXPECT_EQ(folded("  The LAKE\n\t house "), "the lake house");
  EXPECT_EQ(folded(" \n"), "");
  EXPECT_EQ(folded("É"), "É") << "only ASCII has a case here";
}

TEST(Slug, MakesAnAddressOfAName) {
  EXPECT_EQ(slug("Marrow & Lisle"), "marrow-lisle");
  EXPECT_EQ(slug("--A1--"), "a1");
  EXPECT_EQ(slug("数"), "");
}

TEST(Trimmed, TakesWhiteSpaceFromBothEnds) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n "), "");
}

TEST(Split, GivesOnePartMoreThanSeparators) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Joined, PutsTheSeparatorBetween) {
  EXPECT_EQ(joined({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(joined({}, ", "), "");
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> keys = {"prompt", "factors", "turns", "tools"};
  EXPECT_EQ(nearest("promt", keys), "prompt");
  EXPECT_EQ(nearest("TURNS", keys), "turns");
  EXPECT_EQ(nearest("tunrs", keys), "turns") << "two swapped letters are one mistake";
  EXPECT_EQ(nearest("Tunrs", {"tURNS"}), "tURNS") << "in any case";
}

TEST(Nearest, DoesNotGuessWildly) {
  EXPECT_EQ(nearest("world", {"prompt", "turns"}), "");
  EXPECT_EQ(nearest("abcdef", {"abcxyz"}), "");
  EXPECT_EQ(nearest("", {"a"}), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}), "") << "and does not work on monsters";
}

TEST(MatchesGlob, StarStandsForAnyRun) {
  EXPECT_TRUE(matches_glob("*@morning-ledger.example", "Desk@Morning-Ledger.example"));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("", ""));
}

TEST(MatchesGlob, TheRestMustBeThere) {
  EXPECT_FALSE(matches_glob("*@ledger.example", "desk@ledger.example.org"));
  EXPECT_FALSE(matches_glob("desk@ledger.example", "helpdesk@ledger.example"));
  EXPECT_FALSE(matches_glob("a*b", "ac"));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("a.c", "abc")) << "only * is special";
}

TEST(MatchesGlob, ManyStarsDoNotTakeForever) {
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "a*";
  EXPECT_FALSE(matches_glob(stars + "b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace assay
