// How text is dressed for a terminal: colours, columns, bars. Reports only make strings; what goes where is cli/'s to
// say.
//
// Reports write UTF-8 throughout. Where the terminal cannot show it, in_ascii() turns every mark into one ASCII
// character of the same width, so that what was aligned stays so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// What the place that a report is written to can show.
struct Style {
  bool colour = false;  // escape sequences for colour and weight
  int width = 80;       // columns; reports use at least 60 and at most 100 of them
  bool unicode = true;  // else cli/ passes the text through in_ascii()
  int columns() const { return width < 60 ? 60 : width > 100 ? 100 : width; }
};

// Text in a colour; as it is where colours are not wanted. Never nested.
class Pen {
 public:
  explicit Pen(const Style& style) : colour_(style.colour) {}
  std::string bold(std::string_view text) const { return dressed("1", text); }
  std::string dim(std::string_view text) const { return dressed("2", text); }
  std::string red(std::string_view text) const { return dressed("31", text); }
  std::string green(std::string_view text) const { return dressed("32", text); }
  std::string yellow(std::string_view text) const { return dressed("33", text); }
  std::string cyan(std::string_view text) const { return dressed("36", text); }
  std::string in(const char* sgr, std::string_view text) const { return dressed(sgr, text); }

 private:
  std::string dressed(const char* sgr, std::string_view text) const;
  bool colour_;
};

// Filled with blanks to `columns`, or cut to them. For text without escape sequences: pad first, then dress.
std::string left(std::string_view text, int columns);
std::string right(std::string_view text, int columns);

// A bar of `fraction` (0..1) of `columns`, in eighths of a column, filled with blanks to `columns`. Anything above 0
// shows.
std::string bar(double fraction, int columns);

std::string counted(int64_t n);  // "12,345"
std::string plural(int64_t n, std::string_view one,
                   std::string_view many = "");  // "1 reply", "2 replies"; many: one + "s"
std::string percent(double proportion);          // "23.1 %", "100 %", "0 %"
std::string points(double difference);           // "+31.5", "−4.0" percentage points, "0.0"

// Text of the user's files or of a model, safe for a terminal and on one line.
std::string one_line(std::string_view text);

// Such text as a whole: words re-flowed to the columns that a report uses, with a newline behind the last line.
std::string paragraph(std::string_view text, const Style& style);

// One ASCII character for every code point: its nearest, or '?'.
std::string in_ascii(std::string_view text);

}  // namespace assay
