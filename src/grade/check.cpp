#include "grade/check.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace assay {
namespace {

constexpr size_t words_that_count = 4;  // "The answer is yes"; more of them would be a speech, or the question again

// The first `most` runs of letters, in lower case. What is no ASCII is a letter of some other word.
std::vector<std::string> first_words(std::string_view text, size_t most) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = std::isalnum(byte) || byte >= 0x80 || c == '\'';
    if (letter && !inside) {
      if (words.size() == most) break;
      words.emplace_back();
    }
    if (letter) words.back() += static_cast<char>(std::tolower(byte));
    inside = letter;
  }
  return words;
}

bool is_answer(const std::string& word) { return word == "yes" || word == "no"; }

}  // namespace

CheckAnswer::Answer read_answer(std::string_view text) {
  using Answer = CheckAnswer::Answer;
  std::vector<std::string> words = first_words(text, words_that_count + 2);
  const size_t end = std::min(words.size(), words_that_count);
  const auto first = static_cast<size_t>(
      std::find_if(words.begin(), words.begin() + static_cast<long>(end), is_answer) - words.begin());
  if (first == end) return Answer::unclear;
  words.resize(std::max(words.size(), first + 3));  // "" behind the end
  const std::string& answer = words[first];
  const std::string& next = words[first + 1];
  const std::string& other = next == "or" || next == "and" ? words[first + 2] : next;
  if (is_answer(other) && other != answer) return Answer::unclear;
  return answer == "yes" ? Answer::yes : Answer::no;
}

std::optional<CheckAnswer> check_answer(const Transcript& transcript, const Scenario& scenario, const Levels& levels) {
  using Answer = CheckAnswer::Answer;
  if (!scenario.check) return std::nullopt;
  for (const Message& message : transcript.messages) {
    if (!message.check || message.role != Role::assistant) continue;
    return CheckAnswer{.factor = scenario.check->expect.factor,
                       .expected = scenario.check->expect.in(levels, false) ? Answer::yes : Answer::no,
                       .answered = read_answer(message.text)};
  }
  return std::nullopt;
}

}  // namespace assay
