#include "world/shell_parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace assay::shell {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
// Ends a word where it is not quoted.
bool is_meta(char c) { return is_blank(c) || std::string_view("\n|&;<>()").find(c) != std::string_view::npos; }

Error unexpected(std::string_view token) {
  return {fmt::format("bash: syntax error near unexpected token `{}'", token == "\n" ? "newline" : token)};
}
Error unclosed(std::string_view what) {
  return {fmt::format("bash: unexpected EOF while looking for matching `{}'", what)};
}
Error unsupported(std::string_view what) {
  return {fmt::format("bash: {} is not supported here; give plain commands, joined by newline ; && || or |", what)};
}

constexpr std::array reserved = {"for",  "while", "until",  "if",       "then", "elif",   "else", "fi", "do", "done",
                                 "case", "esac",  "select", "function", "time", "coproc", "{",    "}",  "[[", "let"};

class Parser {
 public:
  Parser(std::string_view text, int depth, size_t& commands) : text_(text), depth_(depth), commands_(commands) {}

  Result<Script> whole() {
    Result<Script> script = steps();
    if (script && !ended()) return unexpected(text_.substr(at_, 1));
    return script;
  }

 private:
  bool ended() const { return at_ >= text_.size(); }  // peek() is then '\0', which is never in the text
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool sees(std::string_view token) const { return text_.substr(at_).starts_with(token); }
  bool take(std::string_view token) {
    if (!sees(token)) return false;
    at_ += token.size();
    return true;
  }

  void skip_blanks() {
    while (!ended() && (is_blank(peek()) || sees("\\\n"))) at_ += is_blank(peek()) ? 1 : 2;
    if (peek() == '#' && !ended())
      while (!ended() && peek() != '\n') ++at_;
  }

  // After the newline that ends a line with here-documents comes what follows their bodies.
  void take_newline() {
    at_ = at_ == line_end_ ? after_bodies_ : at_ + 1;
    line_end_ = std::string_view::npos;
  }

  void skip_lines() {
    for (skip_blanks(); !ended() && peek() == '\n'; skip_blanks()) take_newline();
  }

  // Up to the end, or to a ')' for the caller to judge.
  Result<Script> steps() {
    Script script;
    Step::When when = Step::always;
    while (true) {
      skip_lines();
      if (ended() || peek() == ')') {
        if (when == Step::always) return script;
        return ended() ? Error{"bash: syntax error: unexpected end of file"} : unexpected(")");
      }
      Result<Pipeline> next = pipeline();
      if (!next) return next.error();
      script.push_back({when, std::move(*next)});
      skip_blanks();
      when = Step::always;
      if (take("&&")) {
        when = Step::after_success;
      } else if (take("||")) {
        when = Step::after_failure;
      } else if (sees(";;")) {
        return unexpected(";;");
      } else if (peek() == ';') {
        ++at_;
      } else if (peek() == '&') {
        return unsupported("running a command in the background (&)");
      } else if (peek() == '(') {
        return unexpected("(");
      }
    }
  }

  Result<Pipeline> pipeline() {
    Pipeline line;
    while (peek() == '!' && is_blank(peek(1))) {
      line.negated = !line.negated;
      ++at_;
      skip_blanks();
    }
    while (true) {
      Result<Command> next = command();
      if (!next) return next.error();
      line.commands.push_back(std::move(*next));
      if (line.commands.size() > longest_pipeline)
        return Error{fmt::format("bash: more than {} commands in one pipeline", longest_pipeline)};
      skip_blanks();
      if (sees("||") || peek() != '|') return line;
      ++at_;
      if (take("&")) line.commands.back().redirects.push_back({.kind = Redirect::duplicate, .fd = 2, .other = 1});
      skip_lines();
    }
  }

  Result<Command> command() {
    if (++commands_ > most_commands) return Error{fmt::format("bash: more than {} commands", most_commands)};
    Command made;
    while (true) {
      skip_blanks();
      bool empty = made.words.empty() && made.assignments.empty() && made.redirects.empty();
      if (ended() || peek() == '\n' || peek() == ';' || peek() == '|' || peek() == ')' ||
          (peek() == '&' && peek(1) != '>')) {
        if (!empty) return made;
        return ended() ? Error{"bash: syntax error: unexpected end of file"} : unexpected(operator_here());
      }
      if (peek() == '(') {
        if (empty) return unsupported(sees("((") ? "arithmetic ((...))" : "a group (...)");
        return made.words.size() == 1 ? unsupported("a function") : unexpected("(");
      }
      if (is_redirect()) {
        if (Status added = redirect(made); !added) return added.error();
        continue;
      }
      if (made.words.empty() && is_assignment()) {
        size_t equals = text_.find('=', at_);
        std::string name(text_.substr(at_, equals - at_));
        at_ = equals + 1;
        if (peek() == '(') return unsupported("an array");
        Result<Word> value = word();
        if (!value) return value.error();
        made.assignments.push_back({std::move(name), std::move(*value)});
        continue;
      }
      Result<Word> next = word();
      if (!next) return next.error();
      if (made.words.empty() && next->size() == 1 && !(*next)[0].quoted && (*next)[0].kind == Part::literal)
        if (std::find(reserved.begin(), reserved.end(), (*next)[0].text) != reserved.end())
          return unsupported(fmt::format("'{}'", (*next)[0].text));
      made.words.push_back(std::move(*next));
    }
  }

  std::string operator_here() const {
    for (const char* token : {"&&", "||", ";;"})
      if (sees(token)) return token;
    return std::string(1, peek());
  }

  bool is_assignment() const {
    size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || (end > at_ && is_digit(text_[end])))) ++end;
    return end > at_ && end < text_.size() && text_[end] == '=';
  }

  // --- Redirections ---

  bool is_redirect() const {
    size_t digits = is_digit(peek()) ? 1 : 0;
    return peek(digits) == '>' || peek(digits) == '<' || sees("&>");
  }

  Status redirect(Command& command) {
    Redirect made;
    bool numbered = is_digit(peek());
    int number = numbered ? text_[at_++] - '0' : -1;
    if (number > 2) return unsupported(fmt::format("file descriptor {}", number));
    if (take("&>>") || take("&>")) {
      made.kind = text_[at_ - 2] == '>' ? Redirect::append : Redirect::write;
      made.both = true;
    } else if (take("<<<")) {
      return here_string(command);
    } else if (take("<<")) {
      return here_document(command);
    } else if (sees("<(") || sees(">(")) {
      return unsupported("process substitution");
    } else if (take(">&") || take("<&")) {
      made.kind = Redirect::duplicate;
      made.fd = numbered ? number : 1;
      if (peek() != '1' && peek() != '2') return unsupported("this redirection");
      made.other = text_[at_++] - '0';
      command.redirects.push_back(std::move(made));
      return Done{};
    } else if (take("<")) {
      made.kind = Redirect::read;
    } else {
      made.kind = take(">>") ? Redirect::append : Redirect::write;
      if (made.kind == Redirect::write && !take(">|")) take(">");
    }
    made.fd = numbered ? number : made.kind == Redirect::read ? 0 : 1;
    skip_blanks();
    if (ended() || is_meta(peek())) return unexpected(ended() ? "\n" : operator_here());
    Result<Word> target = word();
    if (!target) return target.error();
    made.target = std::move(*target);
    command.redirects.push_back(std::move(made));
    return Done{};
  }

  Status here_string(Command& command) {
    skip_blanks();
    if (ended() || is_meta(peek())) return unexpected(ended() ? "\n" : operator_here());
    Result<Word> target = word();
    if (!target) return target.error();
    for (Part& part : *target) part.quoted = true;  // neither split nor globbed
    target->push_back({.quoted = true, .text = "\n"});
    command.redirects.push_back({.kind = Redirect::text, .fd = 0, .target = std::move(*target)});
    return Done{};
  }

  // The bodies stand after the line that holds the operators; they are read at once, and the end of that line then
  // leads to what follows them (take_newline).
  Status here_document(Command& command) {
    bool strips_tabs = take("-");
    skip_blanks();
    if (ended() || is_meta(peek())) return unexpected(ended() ? "\n" : operator_here());
    size_t start = at_;
    Result<Word> delimiter = word();
    if (!delimiter) return delimiter.error();
    bool verbatim = text_.substr(start, at_ - start).find_first_of("'\"\\") != std::string_view::npos;
    std::string end;
    for (const Part& part : *delimiter) end += part.text;

    if (line_end_ == std::string_view::npos) {
      line_end_ = std::min(text_.find('\n', at_), text_.size());
      after_bodies_ = std::min(line_end_ + 1, text_.size());
    }
    std::string body;
    while (after_bodies_ < text_.size()) {
      size_t newline = std::min(text_.find('\n', after_bodies_), text_.size());
      std::string_view line = text_.substr(after_bodies_, newline - after_bodies_);
      after_bodies_ = std::min(newline + 1, text_.size());
      if (strips_tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (line == end) break;
      body.append(line) += '\n';
    }
    Redirect made{.kind = Redirect::text, .fd = 0};
    if (verbatim) {
      made.target.push_back({.quoted = true, .text = std::move(body)});
    } else {
      Parser inner(body, depth_, commands_);
      while (!inner.ended())
        if (Status read = inner.quoted_piece(made.target, false); !read) return read;
    }
    command.redirects.push_back(std::move(made));
    return Done{};
  }

  // --- Words ---

  static void add_literal(Word& word, std::string_view text, bool quoted) {
    if (word.empty() || word.back().kind != Part::literal || word.back().quoted != quoted)
      word.push_back({.kind = Part::literal, .quoted = quoted});
    word.back().text += text;
  }

  Result<Word> word() {
    Word made;
    if (peek() == '~') {
      size_t end = at_ + 1;
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '-')) ++end;
      if (end == text_.size() || text_[end] == '/' || is_meta(text_[end])) {
        made.push_back({.kind = Part::home, .quoted = true, .text = std::string(text_.substr(at_ + 1, end - at_ - 1))});
        at_ = end;
      }
    }
    while (!ended() && !is_meta(peek())) {
      if (take("\\\n")) continue;
      if (peek() == '\\') {
        ++at_;
        add_literal(made, ended() ? "\\" : text_.substr(at_, 1), true);
        if (!ended()) ++at_;
      } else if (peek() == '\'') {
        size_t end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos) return unclosed("'");
        add_literal(made, text_.substr(at_ + 1, end - at_ - 1), true);
        at_ = end + 1;
      } else if (take("\"")) {
        add_literal(made, "", true);
        while (peek() != '"' || ended()) {
          if (ended()) return unclosed("\"");
          if (Status read = quoted_piece(made, true); !read) return read.error();
        }
        ++at_;
      } else if (peek() == '$' || peek() == '`') {
        if (Status read = dollar(made, false); !read) return read.error();
      } else {
        add_literal(made, text_.substr(at_++, 1), false);
      }
    }
    return made;
  }

  // One piece of what stands between double quotes, or in a here-document (where `"` is a letter).
  Status quoted_piece(Word& made, bool in_quotes) {
    if (peek() == '$' || peek() == '`') return dollar(made, true);
    if (peek() == '\\') {
      char next = peek(1);
      if (next == '\n') {
        at_ += 2;
        return Done{};
      }
      if (next == '$' || next == '`' || next == '\\' || (next == '"' && in_quotes)) ++at_;
    }
    add_literal(made, text_.substr(at_++, 1), true);
    return Done{};
  }

  Status dollar(Word& made, bool quoted) {
    if (take("`")) {
      std::string script;
      for (; peek() != '`'; ++at_) {
        if (ended()) return unclosed("`");
        if (peek() == '\\' && (peek(1) == '`' || peek(1) == '\\' || peek(1) == '$')) ++at_;
        script += peek();
      }
      ++at_;
      return substitution(made, script, quoted);
    }
    ++at_;  // the $
    if (sees("((")) return unsupported("arithmetic $((...))");
    if (take("(")) {
      size_t start = at_;
      if (Status closed = skip_to_parenthesis(); !closed) return closed;
      return substitution(made, text_.substr(start, at_++ - start), quoted);
    }
    if (sees("'") && !quoted) return unsupported("$'...'");
    if (take("{")) {
      size_t end = text_.find('}', at_);
      if (end == std::string_view::npos) return unclosed("}");
      std::string_view name = text_.substr(at_, end - at_);
      at_ = end + 1;
      if (!is_variable_name(name) && name != "?") return unsupported(fmt::format("${{{}}}", name.substr(0, 40)));
      made.push_back({Part::variable, quoted, std::string(name), nullptr});
      return Done{};
    }
    size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || (is_digit(text_[end]) && end > at_))) ++end;
    if (end == at_ && !ended() &&
        (is_digit(peek()) || std::string_view("?$#@*!").find(peek()) != std::string_view::npos))
      ++end;
    if (end == at_)
      add_literal(made, "$", quoted);
    else
      made.push_back({Part::variable, quoted, std::string(text_.substr(at_, end - at_)), nullptr});
    at_ = end;
    return Done{};
  }

  // To the `)` that closes a substitution, over quotes and inner parentheses.
  Status skip_to_parenthesis() {
    char quote = '\0';
    int open = 1;
    for (; !ended(); ++at_) {
      char c = peek();
      if (c == '\\' && quote != '\'') {
        ++at_;
      } else if (quote == '\0' && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote && c != '\0') {
        quote = '\0';
      } else if (quote != '\'' && c == '(') {
        ++open;
      } else if (quote != '\'' && c == ')' && --open == 0) {
        return Done{};
      }
    }
    return unclosed(")");
  }

  Status substitution(Word& made, std::string_view script, bool quoted) {
    if (depth_ >= deepest_substitution) return unsupported("a substitution so deep inside others");
    Result<Script> parsed = Parser(script, depth_ + 1, commands_).whole();
    if (!parsed) return parsed.error();
    made.push_back({Part::substitution, quoted, "", std::make_shared<const Script>(std::move(*parsed))});
    return Done{};
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_end_ = std::string_view::npos;  // of the line whose here-documents were read
  size_t after_bodies_ = 0;                   // where the text goes on after them
  int depth_;
  size_t& commands_;
};

}  // namespace

bool is_variable_name(std::string_view text) {
  return !text.empty() && !is_digit(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

Result<Script> parse_shell(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return Error{"bash: a NUL byte in the command line"};
  size_t commands = 0;
  return Parser(text, 0, commands).whole();
}

}  // namespace assay::shell
