#include "base/diagnostic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace assay {
namespace {

using testing::HasSubstr;

// What is shown for one mistake at `column` of a one-line file.
std::string shown(const std::string& line, int column) {
  Diagnostics mistakes;
  mistakes.add({"a.yaml", 1, column}, "wrong", line);
  return mistakes.format();
}

// The text above the caret: what the message points at.
std::string pointed_at(const std::string& line, int column) {
  std::vector<std::string> lines = split(shown(line, column), '\n');
  int caret = display_width(lines[2]) - 1;
  std::string_view rest = lines[1];
  while (!rest.empty() && display_width(lines[1]) - display_width(rest) < caret) rest.remove_prefix(1);
  return std::string(rest);
}

TEST(Diagnostics, ShowTheLineAndACaret) {
  Diagnostics mistakes;
  mistakes.add({"suites/first/desk.yaml", 2, 3}, "unknown key 'promt'; did you mean 'prompt'?",
               "a: 1\n  promt: |\nb: 2\n");
  EXPECT_EQ(mistakes.format(),
            "suites/first/desk.yaml:2:3: error: unknown key 'promt'; did you mean 'prompt'?\n"
            "    2 |   promt: |\n"
            "      |   ^\n");
}

TEST(Diagnostics, AFileAsAWholeHasNoLine) {
  Diagnostics mistakes;
  mistakes.add({"a.yaml"}, "the file is empty", "");
  EXPECT_EQ(mistakes.format(), "a.yaml: error: the file is empty\n");
}

TEST(Diagnostics, StandInOrderOfFileLineAndColumn) {
  Diagnostics mistakes;
  mistakes.add({"b.yaml", 1, 1}, "fourth", "");
  mistakes.add({"a.yaml", 10, 1}, "third", "");
  mistakes.add({"a.yaml", 2, 5}, "second", "");
  mistakes.add({"a.yaml", 2, 4}, "first", "");
  EXPECT_EQ(
      mistakes.format(),
      "a.yaml:2:4: error: first\na.yaml:2:5: error: second\na.yaml:10:1: error: third\nb.yaml:1:1: error: fourth\n");
}

TEST(Diagnostics, OneMistakeSeenTwiceIsOne) {
  Diagnostics mistakes;
  mistakes.add({"a.yaml", 1, 1}, "wrong", "x");
  mistakes.add({"a.yaml", 1, 1}, "wrong", "x");
  mistakes.add({"a.yaml", 1, 1}, "wrong in another way", "x");
  EXPECT_EQ(mistakes.size(), 2u);
}

TEST(Diagnostics, CountWhatTheyDoNotShow) {
  Diagnostics mistakes;
  EXPECT_TRUE(mistakes.empty());
  for (int i = 1; i <= 5; ++i) mistakes.add({"a.yaml", i, 1}, "wrong", "");
  EXPECT_EQ(mistakes.format(2), "a.yaml:1:1: error: wrong\na.yaml:2:1: error: wrong\n... and 3 more\n");
}

TEST(Diagnostics, DropTheCarriageReturnOfWindows) {
  Diagnostics mistakes;
  mistakes.add({"a.yaml", 1, 1}, "wrong", "x: 1\r\ny: 2\r\n");
  EXPECT_THAT(mistakes.format(), HasSubstr("    1 | x: 1\n"));
}

TEST(Diagnostics, TheCaretStandsUnderItsPlace) {
  EXPECT_EQ(pointed_at("\t\tkey: 1", 3), "key: 1") << "after tabs";
  EXPECT_EQ(pointed_at("é: ü, key: 1", 9), "key: 1") << "after letters of two bytes";
  EXPECT_EQ(pointed_at("数: key: 1", 6), "key: 1") << "after a letter of two columns";
  EXPECT_EQ(pointed_at("\x1b[2J key", 6), "key") << "after an escape sequence";
}

TEST(Diagnostics, APlaceBeyondTheLineIsItsEnd) {
  EXPECT_EQ(shown("abc", 900), "a.yaml:1:900: error: wrong\n    1 | abc\n      |    ^\n");
  EXPECT_THAT(shown(std::string(500, 'x'), 9000), HasSubstr(" | xxx"));
}

TEST(Diagnostics, ALongLineIsCutAroundItsMistake) {
  std::string line = std::string(3000, 'x') + "HERE" + std::string(3000, 'y');
  EXPECT_LT(shown(line, 3001).size(), 500u);
  EXPECT_THAT(pointed_at(line, 3001), testing::StartsWith("HEREyyy"));
}

TEST(Diagnostics, ACutNeverDividesALetter) {
  std::string line;  // letters of three bytes, so that a cut at a round number of bytes meets every part of one
  for (int i = 0; i < 500; ++i) line += "€";
  for (int column = 1; column <= 1501; column += 3)
    EXPECT_THAT(shown(line, column), testing::Not(HasSubstr("\xEF\xBF\xBD"))) << column;
}

TEST(Diagnostics, WorkNoTerminal) {
  Diagnostics mistakes;
  mistakes.add({"\x1b]0;file", 1, 1}, "unknown key '\x1b[2J'", "\x1b[2J");
  EXPECT_THAT(mistakes.format(), testing::Not(HasSubstr("\x1b")));
}

TEST(Diagnostics, ALineThatIsNotThereIsNotShown) {
  Diagnostics mistakes;
  mistakes.add({"a.yaml", 9, 1}, "wrong", "one line");
  EXPECT_EQ(mistakes.format(), "a.yaml:9:1: error: wrong\n");
}

}  // namespace
}  // namespace assay
