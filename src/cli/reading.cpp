#include "cli/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "report/term.h"

namespace assay {
namespace {

constexpr size_t most_bytes = 1 << 20;
constexpr size_t most_shown = 10;  // of the least likely tokens

struct Likelihood {
  int64_t tokens = 0;  // with a logprob
  double nats = 0;     // of all of them
  int64_t bytes = 0;   // that they stand for
  double per_token() const { return nats / static_cast<double>(tokens); }
  double bits_per_byte() const { return nats / std::log(2.0) / static_cast<double>(bytes); }
};

// As it is, to the byte: tokens are made of it.
Result<std::string> text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most_bytes + 1, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    if (file) return Error{fmt::format("larger than {} bytes", most_bytes)};
    return Error{"there is no such file, or it cannot be read"};
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (valid_utf8(text) != text) return Error{"no UTF-8 text"};
  return text;
}

Likelihood likelihood_of(const std::vector<WrittenToken>& tokens) {
  Likelihood all;
  for (const WrittenToken& token : tokens) {
    if (std::isnan(token.logprob)) continue;
    ++all.tokens;
    all.nats -= token.logprob;
    all.bytes += static_cast<int64_t>(token.bytes.size());
  }
  return all;
}

std::string shown(const TokenLogprob& token) { return Json(valid_utf8(token.bytes)).dump(); }

std::string page_of(const std::string& file, const std::vector<WrittenToken>& tokens, const Style& style) {
  const Likelihood all = likelihood_of(tokens);
  std::string out;
  for (const std::string& row : wrapped(
           fmt::format("{}: {}; {:.4f} nats a token (perplexity {:.2f}), {:.4f} bits a byte.", one_line(file),
                       plural(all.tokens, "token"), all.per_token(), std::exp(all.per_token()), all.bits_per_byte()),
           style.columns()))
    out += row + "\n";
  std::vector<size_t> least(tokens.size());
  for (size_t i = 0; i < least.size(); ++i) least[i] = i;
  std::erase_if(least, [&](size_t i) { return std::isnan(tokens[i].logprob); });
  std::ranges::stable_sort(least, {}, [&](size_t i) { return tokens[i].logprob; });
  if (least.size() > most_shown) least.resize(most_shown);
  if (least.empty()) return out;
  const Pen pen(style);
  out += "\n" + pen.bold("least likely") + "\n" + pen.dim(right("token", 7) + right("logprob", 10) + "  text") + "\n";
  for (const size_t i : least) {
    std::string row = right(fmt::format("{}", i + 1), 7) + right(fmt::format("{:.3f}", tokens[i].logprob), 10) + "  " +
                      shown(tokens[i]);
    if (!tokens[i].top.empty())
      row += fmt::format(" in place of {} ({:.3f})", shown(tokens[i].top[0]), tokens[i].top[0].logprob);
    out += clipped(for_terminal(row), style.columns()) + "\n";
  }
  return out;
}

Json json_of(const std::string& file, const std::vector<WrittenToken>& tokens) {
  const Likelihood all = likelihood_of(tokens);
  return {{"file", valid_utf8(file)},
          {"nats_per_token", all.per_token()},
          {"bits_per_byte", all.bits_per_byte()},
          {"tokens", to_json(tokens)}};
}

}  // namespace

int read_text(Model& model, const std::string& file, int top, bool json, Output& out) {
  Result<std::string> text = text_of(file);
  if (!text) return fail(out, Error{fmt::format("{}: {}", for_terminal(file), text.error().text)});
  std::optional<Result<std::vector<WrittenToken>>> read;
  model.read(*text, top, [&](Result<std::vector<WrittenToken>> tokens) { read = std::move(tokens); });
  while (!read) model.poll(std::chrono::milliseconds(100));
  if (!*read)
    return fail(out, Error{fmt::format("{}: {}", for_terminal(file), read->error().text), read->error().kind});
  if (likelihood_of(**read).tokens == 0)
    return fail(out,
                Error{fmt::format("{}: a text of one token, with nothing before it that would tell how likely it is",
                                  for_terminal(file))});
  if (json)
    out.print_exact(json_of(file, **read).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else
    out.print(page_of(file, **read, out.style()));
  return exit_done;
}

}  // namespace assay
