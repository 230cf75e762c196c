#include "report/writing.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace assay {
namespace {

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || byte >= 0x80;
}

bool is_mark(char c) { return std::string_view("@./_-").find(c) != std::string_view::npos; }

// The name itself, and not a part of a longer one.
bool stands_in(std::string_view name, std::string_view text) {
  auto goes_on = [&](size_t at, size_t beside) {  // the character there belongs to the name at `beside`
    return is_word(text[at]) || (is_mark(text[at]) && beside < text.size() && is_word(text[beside]));
  };
  for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || !goes_on(at - 1, at - 2)) && (end == text.size() || !goes_on(end, end + 1))) return true;
  }
  return false;
}

void each_text(const Json& value, const std::function<void(const std::string&)>& visit) {
  if (value.is_string()) visit(value.get_ref<const std::string&>());
  if (value.is_structured())
    for (const auto& part : value) each_text(part, visit);
}

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.empty() || std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; }))
    return false;
  if (std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; })) return true;
  for (size_t i = 1; i + 1 < text.size(); ++i)
    if (is_mark(text[i]) && is_word(text[i - 1]) && is_word(text[i + 1])) return true;
  return false;
}

void Writing::add(const Transcript& transcript) {
  for (const Generation& generation : transcript.generations) {
    if (!transcript.is_conduct(generation)) continue;
    ++turns;
    well_formed += generation.malformed.empty() && !generation.prose;
  }
  for (const Action& action : transcript.actions) {
    if (action.given || action.prelude) continue;
    each_text(action.call.arguments, [&](const std::string& argument) {
      if (!is_identifier(argument)) return;
      ++identifiers;
      const auto end =
          transcript.messages.begin() + std::min<std::ptrdiff_t>(action.message, std::ssize(transcript.messages));
      copied += std::any_of(transcript.messages.begin(), end,
                            [&](const Message& read) { return stands_in(argument, read.text); });
    });
  }
}

Result<Writing> writing_of(const RunReader& run, const std::string& model) {
  std::vector<int64_t> ids;
  Status listed = run.each_summary([&](const EpisodeSummary& episode) {
    if (episode.model == model) ids.push_back(episode.id);
  });
  if (!listed) return listed.error();
  Writing all;
  for (const int64_t id : ids) {
    Result<EpisodeRecord> episode = run.episode(id);
    if (!episode) return episode.error();
    all.add(episode->transcript);
  }
  return all;
}

}  // namespace assay
