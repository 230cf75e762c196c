#include "scenario/blanks.h"

#include <cctype>
#include <optional>

#include "base/text.h"

namespace assay {
namespace {

// What stands for the braces; YAML files hold no such bytes.
constexpr char opens = '\x01', closes = '\x02';

// "args.whom", or nothing where `text` is no such name.
std::optional<TextPart> blank_named(std::string_view text) {
  text = trimmed(text);
  TextPart made;
  if (text.starts_with("args."))
    made = {TextPart::From::argument, std::string(text.substr(5))};
  else if (text.starts_with("state."))
    made = {TextPart::From::state, std::string(text.substr(6))};
  if (made.text.empty()) return std::nullopt;
  for (unsigned char c : made.text)
    if (!std::isalnum(c) && c != '_') return std::nullopt;
  return made;
}

}  // namespace

std::string blanks_aside(std::string text, const std::function<void(const TextPart& blank, size_t offset)>& found) {
  for (size_t open = 0; (open = text.find("{{", open)) != std::string::npos; open += 2) {
    size_t close = text.find("}}", open);
    if (close == std::string::npos) break;
    std::optional<TextPart> blank = blank_named(std::string_view(text).substr(open + 2, close - open - 2));
    if (!blank) continue;
    found(*blank, text.find_first_not_of(" \n\t", open + 2));
    text[open] = opens;
    text[open + 1] = ' ';
    text[close] = ' ';
    text[close + 1] = closes;
  }
  return text;
}

BlankText blanks_in(std::string_view rendered) {
  BlankText parts;
  while (!rendered.empty()) {
    size_t open = rendered.find(opens);
    size_t close = open == std::string_view::npos ? open : rendered.find(closes, open);
    if (close == std::string_view::npos) {
      parts.push_back({TextPart::From::text, std::string(rendered)});
      break;
    }
    if (open > 0) parts.push_back({TextPart::From::text, std::string(rendered.substr(0, open))});
    if (auto blank = blank_named(rendered.substr(open + 1, close - open - 1))) parts.push_back(std::move(*blank));
    rendered.remove_prefix(close + 1);
  }
  return parts;
}

}  // namespace assay
