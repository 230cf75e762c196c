// The parts of the shell world on their own: patterns, regular expressions, the grammar.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "world/shell_parse.h"
#include "world/shell_regex.h"

namespace assay::shell {
namespace {

using testing::HasSubstr;

// --- Regular expressions ---

// What the first match of an extended pattern is, "none" without one, or the error.
std::string match(std::string_view pattern, std::string_view text, int group = 0) {
  Result<Regex> regex = Regex::compile(pattern, {.extended = true});
  if (!regex) return regex.error().text;
  Regex::Match found;
  Meter meter;
  if (!regex->search(text, 0, found, meter)) return "none";
  auto [begin, end] = found[static_cast<size_t>(group)];
  return begin == std::string_view::npos ? "no part" : std::string(text.substr(begin, end - begin));
}

TEST(ShellRegex, TheLeftmostAndOfThoseTheLongest) {
  EXPECT_EQ(match("a|ab|abc", "xabcd"), "abc");
  EXPECT_EQ(match("b*", "abb"), "");  // further left than "bb"
  EXPECT_EQ(match("(a|ab)(c|bcd)", "abcd"), "abcd");
  EXPECT_EQ(match("x*|b", "b"), "b");
}

TEST(ShellRegex, AnAlternativeDoesNotLeakIntoALoopBeforeIt) {
  EXPECT_EQ(match("a*|b", "aab"), "aa");
  EXPECT_EQ(match("^(a*|b)$", "aab"), "none");
  EXPECT_EQ(match("^(a|b*|c)+$", "abbc"), "abbc");
}

TEST(ShellRegex, GroupsAreRemembered) {
  EXPECT_EQ(match("([0-9]+)-([a-z]+)", "x 12-ab", 2), "ab");
  EXPECT_EQ(match("(a)|(b)", "b", 1), "no part");
  EXPECT_EQ(match("(a)(a)(a)(a)(a)(a)(a)(a)(a)(b|c)*d", "aaaaaaaaabcd"), "aaaaaaaaabcd");  // a tenth group
}

TEST(ShellRegex, CountsAndSets) {
  EXPECT_EQ(match("a{2,3}", "aaaa"), "aaa");
  EXPECT_EQ(match("^(ab){0,2}$", "ababab"), "none");
  EXPECT_EQ(match("[^]a-c]+", "ab]xyz"), "xyz");
  EXPECT_EQ(match("[[:upper:]][[:lower:]]+", "ann Bo"), "Bo");
  EXPECT_EQ(match("\\<o\\w*", "to one"), "one");
  EXPECT_EQ(match("caf.$", "caf\u00e9"), "caf\u00e9");  // a point is a code point
}

TEST(ShellRegex, MistakesAreNamed) {
  EXPECT_EQ(match("(a", ""), "Unmatched ( or \\(");
  EXPECT_EQ(match("a)", ""), "Unmatched ) or \\)");
  EXPECT_EQ(match("[a", ""), "Unmatched [, [^, [:, [., or [=");
  EXPECT_EQ(match("[b-a]", ""), "Invalid range end");
  EXPECT_EQ(match("a\\", ""), "Trailing backslash");
  EXPECT_EQ(match("(a)\\1", ""), "back references are not supported here");
  EXPECT_EQ(match("((a{255}){255}){255}", ""), "Regular expression too big");
  EXPECT_EQ(match(std::string(5000, '('), ""), "Regular expression too big");
}

TEST(ShellRegex, NoPatternTakesExponentialTime) {
  EXPECT_EQ(match("^(a*)*(a|aa)*(a?){50}b", std::string(2000, 'a')), "none");
}

TEST(ShellRegex, AnyPatternIsRefusedOrAnswers) {
  Rng rng(3);
  const std::string letters = "ab()[]{}*+?|^$.\\-,12:\xc3\xa9";
  for (int i = 0; i < 20000; ++i) {
    std::string pattern, text;
    for (uint64_t n = rng.below(14); n > 0; --n) pattern += letters[rng.below(letters.size())];
    for (uint64_t n = rng.below(10); n > 0; --n) text += letters[rng.below(letters.size())];
    for (bool extended : {false, true}) {
      Result<Regex> regex = Regex::compile(pattern, {.extended = extended, .ignore_case = i % 2 == 0});
      if (!regex) continue;
      Regex::Match found;
      Meter meter;
      if (!regex->search(text, 0, found, meter)) continue;
      ASSERT_LE(found[0].first, found[0].second) << pattern;
      ASSERT_LE(found[0].second, text.size()) << pattern;
    }
  }
}

// --- Globs ---

TEST(ShellPatterns, Match) {
  EXPECT_TRUE(matches_pattern("*.c[a-z]v", "data.csv"));
  EXPECT_TRUE(matches_pattern("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(matches_pattern("caf?", "caf\u00e9"));
  EXPECT_TRUE(matches_pattern("\\*", "*"));
  EXPECT_TRUE(matches_pattern("[!a]", "b"));
  EXPECT_TRUE(matches_pattern("[", "["));
  EXPECT_FALSE(matches_pattern("\\*", "x"));
  EXPECT_FALSE(matches_pattern("*.csv", "csv"));
  EXPECT_FALSE(matches_pattern("", "a"));
}

// --- The grammar ---

std::string mistake_in(std::string_view text) {
  Result<Script> script = parse_shell(text);
  return script ? "none" : script.error().text;
}

TEST(ShellGrammar, StepsPipelinesAndCommands) {
  Script script = *parse_shell("A=1 cat <in a 'b c' 2>&1 | sort > out && ! false; echo # not this\necho x");
  ASSERT_EQ(script.size(), 4u);
  EXPECT_EQ(script[0].pipeline.commands.size(), 2u);
  const Command& cat = script[0].pipeline.commands[0];
  EXPECT_EQ(cat.assignments[0].name, "A");
  EXPECT_EQ(cat.words.size(), 3u);
  EXPECT_EQ(cat.redirects.size(), 2u);
  EXPECT_EQ(script[1].when, Step::after_success);
  EXPECT_TRUE(script[1].pipeline.negated);
  EXPECT_EQ(script[2].pipeline.commands[0].words.size(), 1u);
}

TEST(ShellGrammar, HereDocumentsStandBehindTheirLine) {
  Script script = *parse_shell("cat <<A <<-'B'; echo next\none $x\nA\n\ttwo $x\n\tB\necho last");
  ASSERT_EQ(script.size(), 3u);
  const Command& cat = script[0].pipeline.commands[0];
  EXPECT_EQ(cat.redirects[0].target[0].text, "one ");
  EXPECT_EQ(cat.redirects[0].target[1].kind, Part::variable);
  EXPECT_EQ(cat.redirects[1].target[0].text, "two $x\n");
}

TEST(ShellGrammar, MistakesAreBashs) {
  EXPECT_EQ(mistake_in("ls | | wc"), "bash: syntax error near unexpected token `|'");
  EXPECT_EQ(mistake_in("&& ls"), "bash: syntax error near unexpected token `&&'");
  EXPECT_EQ(mistake_in("ls >"), "bash: syntax error near unexpected token `newline'");
  EXPECT_EQ(mistake_in("ls &&"), "bash: syntax error: unexpected end of file");
  EXPECT_EQ(mistake_in("echo 'a"), "bash: unexpected EOF while looking for matching `''");
  EXPECT_EQ(mistake_in("echo $(ls"), "bash: unexpected EOF while looking for matching `)'");
  EXPECT_EQ(mistake_in("echo )"), "bash: syntax error near unexpected token `)'");
  EXPECT_EQ(mistake_in(std::string("a\0b", 3)), "bash: a NUL byte in the command line");
}

TEST(ShellGrammar, DepthAndNumbersAreBounded) {
  EXPECT_EQ(mistake_in("echo $(echo $(echo $(echo $(echo deep))))"), "none");
  EXPECT_THAT(mistake_in("echo $(echo $(echo $(echo $(echo $(echo deeper)))))"), HasSubstr("so deep inside others"));
  std::string pipes = "cat", commands;
  for (int i = 0; i < 40; ++i) pipes += "|cat";
  for (int i = 0; i < 1001; ++i) commands += "ls;";
  EXPECT_THAT(mistake_in(pipes), HasSubstr("more than 32 commands in one pipeline"));
  EXPECT_THAT(mistake_in(commands), HasSubstr("more than 1000 commands"));
}

}  // namespace
}  // namespace assay::shell
