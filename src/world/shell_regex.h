// Regular expressions as grep and sed have them (POSIX basic and extended, with GNU's \+ \? \| \w \W \s \S \b \< \>),
// safe for patterns from outside: the time is bounded by text × pattern, whatever they are. std::regex is not: it
// recurses once a letter and can take exponential time.
//
// Method: a pattern is compiled to a small program; all places in which it could stand are followed at once, one letter
// of the text after the other (Russ Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009). The match
// is the leftmost, and of those the longest; groups inside it prefer what stands first. Letters are code points.
//
// Not supported, and refused: back references (\1 in a pattern), collating elements ([.a.] [=a=]).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "world/shell_command.h"

namespace assay::shell {

struct RegexOptions {
  bool extended = false;
  bool ignore_case = false;  // ASCII letters
};

class Regex {
 public:
  // A match and its groups, as byte offsets [begin, end); {npos, npos} for a group that took no part.
  using Match = std::array<std::pair<size_t, size_t>, 10>;

  static Result<Regex> compile(std::string_view pattern, RegexOptions options);

  // The first match at or after the byte `from`. `text` is one line, so that ^ and $ are its ends. Pays its work to
  // `meter`, and finds nothing more once that is spent.
  bool search(std::string_view text, size_t from, Match& match, Meter& meter) const;
  bool found_in(std::string_view text, Meter& meter) const;

 private:
  friend class RegexCompiler;
  struct Set {  // of code points
    bool negated = false;
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool has(char32_t c, bool ignore_case) const;
  };
  struct Step {
    enum Kind {
      letter,
      any,
      set,
      line_begin,
      line_end,
      word_edge,
      no_word_edge,
      word_begin,
      word_end,
      save,
      fork,
      jump,
      done
    };
    Kind kind;
    char32_t code = 0;        // of a letter
    int next = 0, other = 0;  // fork: both, `next` preferred; jump: next; save: the slot; set: its number
  };
  struct Run;

  std::vector<Step> steps_;
  std::vector<Set> sets_;
  bool ignore_case_ = false;
};

}  // namespace assay::shell
