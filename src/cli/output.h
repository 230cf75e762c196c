// Where the program's words go: results to stdout, all else to stderr, each with what it can show.
//
// A reader that went away (`assay show run.assay | head`) ends the program quietly with exit code 0; a stdout that
// cannot be written to (a full disk) ends it with exit code 3 and says so.
#pragma once

#include <string>
#include <string_view>

#include "report/term.h"

namespace assay {

class Output {
 public:
  Output();  // looks at the terminal, NO_COLOR, TERM, COLUMNS and the locale
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  const Style& style() const { return style_; }              // of stdout
  const Style& error_style() const { return error_style_; }  // of stderr
  bool to_terminal() const { return to_terminal_; }
  bool errors_to_terminal() const { return errors_to_terminal_; }

  // Results for people: in ASCII where the locale has no UTF-8.
  void print(std::string_view text);
  // Results for programs: the bytes as they are.
  void print_exact(std::string_view bytes);
  // Errors, notes and progress. Never fails.
  void note(std::string_view text);
  // Writes out what is buffered.
  void flush();

 private:
  std::string buffer_;
  Style style_, error_style_;
  bool to_terminal_ = false, errors_to_terminal_ = false;
};

}  // namespace assay
