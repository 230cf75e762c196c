#include "report/term.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace assay {
namespace {

TEST(Term, BarsAreAsWideAsAskedAndShowWhateverIsNotZero) {
  EXPECT_EQ(bar(0, 4), "    ");
  EXPECT_EQ(bar(1, 4), "████");
  EXPECT_EQ(bar(0.5, 4), "██  ");
  EXPECT_EQ(bar(1e-9, 4), "▏   ");
  for (int i = 0; i <= 100; ++i) EXPECT_EQ(display_width(bar(i / 100.0, 7)), 7) << i;
}

TEST(Term, NumbersReadAsPeopleWriteThem) {
  EXPECT_EQ(counted(0), "0");
  EXPECT_EQ(counted(999), "999");
  EXPECT_EQ(counted(1234567), "1,234,567");
  EXPECT_EQ(counted(-1234), "-1,234");
  EXPECT_EQ(plural(1, "reply", "replies"), "1 reply");
  EXPECT_EQ(plural(2, "reply", "replies"), "2 replies");
  EXPECT_EQ(percent(0.0004), "0.04 %");
  EXPECT_EQ(percent(0.2314), "23.1 %");
  EXPECT_EQ(percent(0.9999), "99.99 %");
  EXPECT_EQ(percent(1), "100 %");
  EXPECT_EQ(points(-0.04), "−4.0");
  EXPECT_EQ(points(1e-9), "0.0");
}

TEST(Term, AsciiKeepsWhatIsAlignedAligned) {
  for (std::string text : {"██▏ 12 %", "│ ✓ dispatched …", "−4.0 – 3.1"}) {
    std::string ascii = in_ascii(text);
    for (char c : ascii) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
    EXPECT_EQ(static_cast<int>(ascii.size()), display_width(text)) << text;
  }
  EXPECT_EQ(in_ascii("é日"), "??");
  EXPECT_EQ(in_ascii("\xE6\x97"), "?");  // cut inside a character
}

}  // namespace
}  // namespace assay
