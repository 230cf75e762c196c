// Small things done to text, each in one place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay {

// Text for a terminal: control characters (escape sequences too), marks that turn the direction of text, invisible
// letters and bytes that are not UTF-8 become visible marks; newline and tab stay. What a model wrote can then move no
// cursor, set no title and hide nothing.
std::string for_terminal(std::string_view text);

// Bytes that are not UTF-8 become U+FFFD.
std::string valid_utf8(std::string_view text);

// Columns a terminal shows, counting each code point as one and combining marks as none. (Wide CJK counts two.)
int display_width(std::string_view text);

// Cut to at most `columns`, with … where something was cut; never inside a code point.
std::string clipped(std::string_view text, int columns);

// Words re-flowed to lines of at most `columns` (at least 8). Newlines in the text are kept, and so are the blanks
// between words that stay on one line; a line's indentation (at most half of the columns) is given to all the lines it
// becomes; longer words are broken; blanks at the end of a line are dropped.
std::vector<std::string> wrapped(std::string_view text, int columns);

// Lower case (ASCII) with every run of white space as one blank, none at the ends: how `cites` compares.
std::string folded(std::string_view text);

// Lower case ASCII letters and digits, everything else a single dash between: "Marrow & Lisle" -> "marrow-lisle".
std::string slug(std::string_view text);

std::string_view trimmed(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string joined(const std::vector<std::string>& parts, std::string_view separator);

// The candidate that a person who typed `word` probably meant, or "" if none is near (Damerau-Levenshtein, at most a
// third of the word's length or 1; ASCII letters without case; the first of several).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// True if `text` matches `pattern`, where * stands for any run of characters; ASCII letters compare without case, or
// `exact`.
bool matches_glob(std::string_view pattern, std::string_view text, bool exact = false);

}  // namespace assay
