#include "report/page_html.h"

#include <fmt/format.h>

#include <cassert>

#include "base/hash.h"

namespace assay {
namespace {

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// The form in which a content security policy names a hash: base64 of its bytes.
std::string base64_of_hex(std::string_view hex) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : hex) {
    bits = bits << 4 | static_cast<uint32_t>(digit(c));
    held += 4;
    if (held >= 6) out += letters[bits >> (held -= 6) & 63];
  }
  if (held > 0) out += letters[bits << (6 - held) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

std::string source_of(std::string_view text) { return fmt::format("'sha256-{}'", base64_of_hex(sha256(text))); }

// blob: is what the page draws itself, a plot that is saved as PNG.
std::string policy_of(const PageSources& sources) {
  return fmt::format(
      "default-src 'none'; script-src {}; style-src {}; img-src blob:; base-uri 'none'; form-action 'none'; "
      "require-trusted-types-for 'script'; trusted-types 'none'",
      source_of(sources.program), source_of(sources.style));
}

std::string as_html(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  return out;
}

}  // namespace

std::string for_script(const Json& json) {
  std::string out;
  for (const char c : to_line(json)) {
    if (c == '<')
      out += "\\u003c";  // `<` stands only inside strings
    else
      out += c;
  }
  return out;
}

std::string page_html(const PageSources& sources, const Page& page) {
  assert(sources.program.find("</script") == std::string_view::npos);
  const std::pair<std::string_view, std::string> values[] = {{"title", as_html(page.title)},
                                                             {"policy", policy_of(sources)},
                                                             {"style", std::string(sources.style)},
                                                             {"program", std::string(sources.program)}};
  std::string out;
  out.reserve(sources.html.size() + sources.style.size() + sources.program.size() + page.data.size() +
              page.words.size() + 1000);
  // From the left, once: what was put in is never looked at again.
  std::string_view rest = sources.html;
  for (size_t open = rest.find("{{"); open != rest.npos; open = rest.find("{{")) {
    const size_t close = rest.find("}}", open);
    assert(close != rest.npos);
    const std::string_view name = rest.substr(open + 2, close - open - 2);
    out += rest.substr(0, open);
    if (name == "data") out += page.data;
    if (name == "words") out += page.words;
    for (const auto& [known, value] : values)
      if (name == known) out += value;
    rest.remove_prefix(close + 2);
  }
  return out += rest;
}

}  // namespace assay
