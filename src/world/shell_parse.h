// From the text of a command line to a tree that can be run: the part of the shell grammar (POSIX.1-2017, Shell Command
// Language, 2.2-2.10) that people type at a prompt.
//
//   script    := step ((';' | newline) step)*
//   step      := pipeline (('&&' | '||') pipeline)*        read from left to right, neither binds closer
//   pipeline  := ['!'] command ('|' command)*               '|&' also sends the errors on
//   command   := NAME=word* word* redirect*                 in any order after the assignments
//   redirect  := [n]< [n]> [n]>> [n]>&m &> &>> << <<- <<<
//   word      := what quotes, backslashes, $NAME, ${NAME}, $(script), `script`, ~ and plain letters make
//
// Loops, conditions, functions, groups, arithmetic and `&` are refused with a sentence that says so. Parsing runs
// nothing; the whole text is read before its first command runs, as bash reads a line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay::shell {

inline constexpr int deepest_substitution = 4;  // $( $( ... ) )
inline constexpr size_t longest_pipeline = 32;  // commands
inline constexpr size_t most_commands = 1000;   // in one text, substitutions included

struct Step;
using Script = std::vector<Step>;

struct Part {
  enum Kind {
    literal,       // text
    variable,      // text is the name: a variable's, "?" or a digit
    substitution,  // the output of script
    home,          // ~ or ~text at the beginning of a word
  } kind = literal;
  bool quoted = false;  // then no glob, and no splitting at blanks
  std::string text;
  std::shared_ptr<const Script> script;  // of a substitution
};

// Parts that stand together without a blank between them. Without parts: an empty here-document.
using Word = std::vector<Part>;

struct Redirect {
  enum Kind {
    read,       // < target
    write,      // > target
    append,     // >> target
    duplicate,  // n>&other
    text,       // here-document or here-string: target is the text itself
  } kind = write;
  int fd = 1;         // 0, 1 or 2
  int other = 1;      // of a duplicate: 1 or 2
  bool both = false;  // &> and &>>: the errors go there too
  Word target;
};

struct Assignment {
  std::string name;
  Word value;
};

struct Command {
  std::vector<Assignment> assignments;
  std::vector<Word> words;
  std::vector<Redirect> redirects;  // from left to right
};

struct Pipeline {
  bool negated = false;
  std::vector<Command> commands;  // never empty
};

struct Step {
  enum When { always, after_success, after_failure } when = always;
  Pipeline pipeline;
};

// The error is what bash prints, or that something is not supported here ("bash: ...").
Result<Script> parse_shell(std::string_view text);

bool is_variable_name(std::string_view text);

}  // namespace assay::shell
