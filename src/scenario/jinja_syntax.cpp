#include "scenario/jinja_syntax.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"

namespace assay {
namespace {

// The engine's message is "lexer: TEXT\n...excerpt...\n   ^": TEXT alone, and the offset that the caret means.
struct EngineError {
  std::string text;
  size_t offset = 0;
};

EngineError read_engine_error(std::string message, const std::string& source) {
  std::vector<std::string> lines = split(message, '\n');
  EngineError error{lines[0], 0};
  if (lines.size() >= 3 && lines[1].size() >= 6) {
    std::string excerpt = lines[1].substr(3, lines[1].size() - 6);
    jinja::string_replace_all(excerpt, "\xE2\x86\xB5", "\n");
    size_t start = source.find(excerpt), caret = lines[2].find('^');
    if (start != std::string::npos && caret != std::string::npos && caret >= 3)
      error.offset = std::min(source.size(), start + caret - 3);
  }
  for (std::string_view prefix : {"lexer: ", "parser: ", "Parser Error: "})
    if (error.text.starts_with(prefix)) error.text.erase(0, prefix.size());
  if (!error.text.empty() && error.text[0] >= 'A' && error.text[0] <= 'Z')
    error.text[0] = static_cast<char>(error.text[0] + 32);
  return error;
}

// The deepest nesting the parser would recurse to, from the tokens alone; 0 where blocks do not even balance.
int nesting_of(const std::vector<jinja::token>& tokens) {
  int brackets = 0, blocks = 0, prefixes = 0, deepest = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    using T = jinja::token;
    switch (tokens[i].t) {
      case T::open_paren:
      case T::open_square_bracket:
      case T::open_curly_bracket: ++brackets; break;
      case T::close_paren:
      case T::close_square_bracket:
      case T::close_curly_bracket: --brackets; break;
      case T::open_expression:
      case T::close_expression:
      case T::close_statement: brackets = prefixes = 0; break;
      case T::open_statement:
        brackets = prefixes = 0;
        if (i + 1 < tokens.size()) {
          const std::string& word = tokens[i + 1].value;
          if (word == "if" || word == "for" || word == "elif")
            ++blocks;
          else if (word == "endif" || word == "endfor")
            --blocks;
        }
        break;
      case T::unary_operator: ++prefixes; break;
      case T::identifier:
        prefixes += tokens[i].value == "not" || tokens[i].value == "else" || tokens[i].value == "if";
        break;
      default: break;
    }
    deepest = std::max(deepest, brackets + std::max(blocks, 0) + prefixes);
  }
  return deepest;
}

// What an author carries over from other languages and typesetters, and what to write instead.
struct Slip {
  size_t offset = 0;
  std::string message;
};

size_t code_point_at(std::string_view text, size_t at) {  // its bytes
  size_t end = at + 1;
  while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
  return end - at;
}

// The first slip in source[begin, end), a piece of code. `assigns`: a lone = is no slip here (in calls' parentheses of
// a template, in `set`).
std::optional<Slip> slip_in(std::string_view source, size_t begin, size_t end, bool assigns, bool condition) {
  constexpr std::string_view typographic[] = {"\u201C", "\u201D", "\u201E", "\u201F", "\u2018",
                                              "\u2019", "\u201A", "\u00AB", "\u00BB"};
  int parentheses = 0;
  for (size_t i = begin; i < end; ++i) {
    char c = source[i], next = i + 1 < end ? source[i + 1] : ' ';
    auto instead = [&](const char* wrong, const char* right) {
      return Slip{i, fmt::format("write {} instead of {}", right, wrong)};
    };
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
    if (c == '\'' || c == '"') {
      size_t open = i;
      for (++i; i < end && source[i] != c; ++i) i += source[i] == '\\';
      if (i >= end && condition) return Slip{open, "this quote is not closed"};
    } else if ((c == '=' || c == '!' || c == '<' || c == '>') && next == '=') {
      ++i;
    } else if (c == '=' && !assigns && (condition || parentheses <= 0)) {
      return instead("=", "==");
    } else if (c == '!') {
      return instead("!", "`not`");
    } else if (c == '&') {
      return instead(next == '&' ? "&&" : "&", "`and`");
    } else if (c == '|' && next == '|') {
      return instead("||", "`or`");
    } else if (c & 0x80) {
      std::string_view letter = source.substr(i, code_point_at(source, i));
      for (std::string_view quote : typographic)
        if (letter == quote) return Slip{i, fmt::format("write plain quotes, ' or \", instead of {}", letter)};
      return Slip{i, fmt::format("'{}' cannot stand here; texts stand in quotes", letter)};
    }
  }
  return std::nullopt;
}

// A piece of a template between its braces: {{ x }}, {% if x %}, {# x #}.
struct Piece {
  char kind = '{';                   // '{', '%', '#'
  size_t open = 0;                   // of the opening brace
  size_t close = std::string::npos;  // of the two closing characters; none: `unclosed` says what is open
  std::optional<Slip> unclosed = {};
};

// The next piece at or behind `from`; nothing where plain text is all that follows.
std::optional<Piece> next_piece(std::string_view source, size_t from) {
  constexpr auto npos = std::string_view::npos;
  Piece piece;
  piece.open = source.find('{', from);
  auto begins = [&](size_t at) {
    return at + 1 < source.size() && std::string_view("{%#").find(source[at + 1]) != npos;
  };
  while (piece.open != npos && !begins(piece.open)) piece.open = source.find('{', piece.open + 1);
  if (piece.open == npos) return std::nullopt;
  piece.kind = source[piece.open + 1];
  const std::string closing = piece.kind == '{' ? "}}" : std::string(1, piece.kind) + "}";
  auto unclosed = [&](size_t at, std::string message) {
    piece.unclosed = Slip{at, std::move(message)};
    return piece;
  };
  const std::string open_brace = fmt::format("this {{{} is not closed with {}", piece.kind, closing);
  if (piece.kind == '#') {
    piece.close = source.find(closing, piece.open + 2);
    return piece.close == npos ? unclosed(piece.open, open_brace) : piece;
  }
  size_t long_quote = npos;  // one with braces in it: who meets a later opening has probably not closed it
  for (size_t i = piece.open + 2; i < source.size(); ++i) {
    const std::string_view rest = source.substr(i);
    if (rest[0] == '\'' || rest[0] == '"') {
      const size_t quote = i;
      for (++i; i < source.size() && source[i] != rest[0]; ++i) i += source[i] == '\\';
      if (i >= source.size()) return unclosed(quote, "this quote is not closed");
      if (source.substr(quote, i - quote).find(closing) != npos && long_quote == npos) long_quote = quote;
    } else if (rest.starts_with(closing)) {
      piece.close = i;
      return piece;
    } else if (rest.starts_with("{{") || rest.starts_with("{%") || rest.starts_with("%}") || rest.starts_with("}}")) {
      break;  // nothing of this can stand in a piece
    }
  }
  return long_quote == npos ? unclosed(piece.open, open_brace) : unclosed(long_quote, "this quote is not closed");
}

// The first word of {% word ... %}.
std::string_view first_word(std::string_view source, const Piece& piece) {
  const size_t begin = std::min(source.find_first_not_of(" -\n\t", piece.open + 2), source.size());
  const size_t end = std::min(source.find_first_of(" -\n\t%", begin), source.size());
  return source.substr(begin, end - begin);
}

// The innermost {% if %} or {% for %} without its end.
size_t open_block(std::string_view source) {
  std::vector<size_t> open;
  size_t from = 0;
  while (std::optional<Piece> piece = next_piece(source, from)) {
    if (piece->unclosed) break;
    from = piece->close + 2;
    if (piece->kind != '%') continue;
    const std::string_view word = first_word(source, *piece);
    if (word == "if" || word == "for") open.push_back(piece->open);
    if ((word == "endif" || word == "endfor") && !open.empty()) open.pop_back();
  }
  return open.empty() ? std::string::npos : open.back();
}

// The first slip of a condition, or of the pieces of code of a template.
std::optional<Slip> find_slip(std::string_view source, size_t shift) {
  if (shift > 0) return slip_in(source, shift, source.size(), false, true);
  size_t from = 0;
  while (std::optional<Piece> piece = next_piece(source, from)) {
    const bool assigns = piece->kind == '%' && first_word(source, *piece) == "set";
    const size_t end = piece->unclosed ? piece->unclosed->offset : piece->close;
    if (piece->kind != '#' && end > piece->open)
      if (std::optional<Slip> slip = slip_in(source, piece->open + 2, end, assigns, false)) return slip;
    if (piece->unclosed) return piece->unclosed;
    from = piece->close + 2;
  }
  return std::nullopt;
}

}  // namespace

std::optional<JinjaSource> parse_jinja(const std::string& source, size_t shift, const TextOrigin& origin,
                                       Diagnostics& diagnostics, const TemplateLimits& limits) {
  std::string_view own = std::string_view(source).substr(shift);
  const char* what = shift > 0 ? "condition" : "template";
  auto complain = [&](size_t offset, std::string message) {
    diagnostics.add(origin.at(own, offset > shift ? offset - shift : 0), std::move(message), origin.source);
    return std::nullopt;
  };
  auto syntax = [&](size_t offset, std::string_view message) {
    return complain(offset, fmt::format("{} syntax: {}", what, valid_utf8(message)));
  };
  auto engine_says = [&](const char* message) {
    EngineError error = read_engine_error(message, source);
    // The braces around a condition are ours: "expected }} (Got x)" means that it should have ended before x.
    constexpr std::string_view unended = "expected }} (Got ";
    if (shift > 0 && error.text.starts_with(unended) && error.text.ends_with(")"))
      error.text = fmt::format("'{}' cannot stand here; parts are joined with `and`, `or`, ==, != or `in`",
                               error.text.substr(unended.size(), error.text.size() - unended.size() - 1));
    else if (size_t got = error.text.find(" (Got ");
             shift > 0 && got != std::string::npos && error.text.ends_with(")")) {
      const std::string found = error.text.substr(got + 6, error.text.size() - got - 7);
      error.text.resize(got);
      error.text += found == "}}" ? " before the end" : fmt::format(", found '{}'", found);
    }
    return syntax(error.offset, error.text);
  };
  if (source.size() > limits.source_bytes)
    return complain(
        shift, fmt::format("this text is {} bytes long; a {} may have {}", source.size(), what, limits.source_bytes));
  if (std::optional<Slip> slip = find_slip(source, shift)) return syntax(slip->offset, slip->message);
  try {
    jinja::lexer lexer;
    jinja::lexer_result tokens = lexer.tokenize(source);
    size_t code = 0;
    for (const jinja::token& token : tokens.tokens) code += token.t != jinja::token::text;
    if (code > limits.tokens)
      return complain(shift, fmt::format("this {} has {} words of code; {} are allowed", what, code, limits.tokens));
    if (int depth = nesting_of(tokens.tokens); depth > limits.nesting)
      return complain(shift, fmt::format("this {} nests {} levels deep; {} are allowed", what, depth, limits.nesting));
    return JinjaSource{jinja::parse_from_tokens(tokens), tokens.source};
  } catch (const jinja::lexer_exception& e) {
    return engine_says(e.what());
  } catch (const jinja::parser_exception& e) {
    return engine_says(e.what());
  } catch (const std::exception& e) {
    // The engine gives no place here: an unknown statement, or a block that never ends. Point at the first statement.
    size_t at = source.find("{%");
    std::string text = e.what();
    if (text == "Unexpected token type") {
      text = "a block is not closed ({% if %} needs {% endif %}, {% for %} needs {% endfor %})";
      if (const size_t block = open_block(source); block != std::string::npos) at = block;
    }
    if (text.starts_with("Unexpected token: ")) {
      std::string token = text.substr(18, text.rfind(" of type ") - 18);
      at = token == "}}" || token == "%}" ? source.find(token) : std::string::npos;
      text = token == "}}" || token == "%}" || token.empty() ? "the expression is not complete"
                                                             : fmt::format("'{}' cannot stand here", token);
    }
    if (text.starts_with("Unknown statement: ")) {
      std::string word = text.substr(19);
      for (size_t i = source.find("{%"); i != std::string::npos; i = source.find("{%", i + 2)) {
        size_t w = source.find_first_not_of(" -\n\t", i + 2);
        if (w != std::string::npos && source.compare(w, word.size(), word) == 0) at = w;
      }
      text = fmt::format("unknown statement '{}'; there are if and for", word);
    }
    return syntax(at == std::string::npos ? shift : at, text);
  }
}

size_t offset_of(const jinja::statement& node, std::string_view source) {
  size_t at = std::min(node.pos, source.size());
  while (at < source.size() && (source[at] == ' ' || source[at] == '\n' || source[at] == '\t')) ++at;
  return at;
}

}  // namespace assay
