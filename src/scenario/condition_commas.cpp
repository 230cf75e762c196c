#include "scenario/condition_commas.h"

#include <fmt/format.h>
#include <jinja/lexer.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace assay {
namespace {

using T = jinja::token;

// A word that joins two others: what stands beside it is no neighbour.
bool joins(const T& token) {
  static const std::set<std::string_view> words = {"and", "or", "not", "in", "is", "if", "else"};
  return token.t == T::identifier && words.count(token.value) > 0;
}

bool is_word(const T& token) {
  return token.t == T::identifier || token.t == T::string_literal || token.t == T::numeric_literal;
}

size_t start_of(const T& token, std::string_view source) {  // the engine marks the blank before a token
  size_t at = std::min(token.pos, source.size());
  while (at < source.size() && std::string_view(" \n\t").find(source[at]) != std::string_view::npos) ++at;
  return at;
}

}  // namespace

std::optional<Unjoined> side_by_side(const std::string& source) {
  jinja::lexer lexer;
  const std::vector<T> tokens = lexer.tokenize(source).tokens;
  std::vector<bool> lists;  // for each open bracket: whether commas stand in it
  bool ended = false;       // the token before ends an operand
  for (size_t i = 0; i < tokens.size(); ++i) {
    const T& token = tokens[i];
    const bool field = i > 0 && tokens[i - 1].t == T::dot;
    const bool word = is_word(token) && (field || !joins(token));
    const bool group = token.t == T::open_paren &&
                       (i == 0 || tokens[i - 1].t == T::string_literal || tokens[i - 1].t == T::numeric_literal);
    if (ended && !field && (word || group)) {
      const bool comma = !lists.empty() && lists.back();
      const std::string shown = for_terminal(clipped(token.value, 60));
      return Unjoined{
          start_of(token, source),
          comma ? fmt::format("a comma is missing before '{}'", shown)
                : fmt::format("'{}' cannot stand here; parts are joined with `and`, `or`, ==, != or `in`", shown)};
    }
    if (token.t == T::open_paren || token.t == T::open_square_bracket)
      lists.push_back(token.t == T::open_square_bracket || ended);
    const bool closes = token.t == T::close_paren || token.t == T::close_square_bracket;
    if (closes && !lists.empty()) lists.pop_back();
    ended = word || closes;
  }
  return std::nullopt;
}

}  // namespace assay
