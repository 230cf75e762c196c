#include "organism/phrases.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "scenario/pools.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

bool is_blank_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// Calls `each` with the name of every {blank}, and where it stands with its braces; other braces are text.
template <class Each>
void each_blank(const std::string& text, const Each& each) {
  for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
    const size_t close = text.find('}', open);
    if (close == std::string::npos) return;
    const std::string name = text.substr(open + 1, close - open - 1);
    if (is_blank_name(name)) each(name, open, close + 1);
  }
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

class Reader {
 public:
  Reader(const SourceFile& file, const std::vector<AskedQuestion>& questions, Diagnostics& diagnostics)
      : diagnostics_(diagnostics) {
    phrases_.source = file;
    phrases_.hash = sha256(file.text);
    phrases_.questions = questions;
  }

  Phrases read() {
    std::optional<YamlNode> root = parse_yaml(phrases_.source, diagnostics_);
    if (!root) return std::move(phrases_);
    std::vector<std::string> required = {"messages"};
    if (phrases_.questions.empty()) required.emplace_back("questions");
    Fields top(*root, "a file of messages", {"questions", "blanks", "asides", "messages"}, required, diagnostics_);
    if (auto* node = top.get("questions")) questions(*node);
    if (auto* node = top.get("blanks")) blanks(*node);
    if (auto* node = top.get("asides")) texts(*node, "asides", phrases_.asides);
    if (auto* node = top.get("messages")) messages(*node);
    return std::move(phrases_);
  }

 private:
  void questions(const YamlNode& map) {
    if (map.kind != YamlNode::Kind::map)
      return complain(map, "questions must be a map: name: {of: message, ask: [...]}", diagnostics_);
    phrases_.questions.clear();
    std::set<std::string> asked;
    for (const auto& [key, value] : map.entries) {
      AskedQuestion question{key.text, false, {}, {}};
      Fields fields(value, "a question", {"of", "ask"}, {"of", "ask"}, diagnostics_);
      if (auto* of = fields.get("of")) {
        question.of_words = of->text == "words";
        if (of->text != "words" && of->text != "message")
          complain(*of,
                   "of: is `message` (asked about a mail or another call) or `words` (about all that the agent said)",
                   diagnostics_);
      }
      if (auto* ask = fields.get("ask"))
        for (const YamlNode* words : as_texts(*ask, "ask", diagnostics_)) {
          if (trimmed(words->text).empty()) complain(*words, "a question needs words", diagnostics_);
          if (!asked.insert(words->text).second) complain(*words, "this question stands here already", diagnostics_);
          question.asks.push_back(words->text);
          question.places.push_back(words->origin.place);
        }
      phrases_.questions.push_back(std::move(question));
    }
  }

  void blanks(const YamlNode& map) {
    if (map.kind != YamlNode::Kind::map) return complain(map, "blanks must be a map: name: [...]", diagnostics_);
    for (const auto& [key, value] : map.entries) {
      if (!is_blank_name(key.text)) complain(key, "a blank's name has small letters, digits and _ only", diagnostics_);
      std::vector<std::string>& values = phrases_.blanks[key.text];
      for (const YamlNode* text : as_texts(value, key.text, diagnostics_)) values.push_back(text->text);
      if (values.empty()) complain(value, "a blank needs something that stands in it", diagnostics_);
    }
  }

  void texts(const YamlNode& list, const std::string& what, std::vector<std::string>& into) {
    std::vector<std::string> known;
    for (const auto& [name, values] : phrases_.blanks) known.push_back(name);
    for (const YamlNode* text : as_texts(list, what, diagnostics_)) {
      if (trimmed(text->text).empty()) complain(*text, "this text is empty", diagnostics_);
      if (!seen_.insert(text->text).second)
        complain(*text, "this text stands here already: what is held out may not be trained", diagnostics_);
      each_blank(text->text, [&](const std::string& name, size_t, size_t) {
        if (!phrases_.blanks.count(name))
          complain(*text, fmt::format("there is no blank '{}'; {}", name, guess(name, known)), diagnostics_);
      });
      into.push_back(text->text);
    }
  }

  void messages(const YamlNode& list) {
    if (list.kind != YamlNode::Kind::list)
      return complain(list, "messages must be a list: - {answers: {...}, texts: [...]}", diagnostics_);
    std::vector<std::string> names;
    for (const AskedQuestion& question : phrases_.questions) names.push_back(question.name);
    for (const YamlNode& item : list.items) {
      PhraseGroup group;
      Fields fields(item, "a group of messages", {"answers", "texts"}, {"answers", "texts"}, diagnostics_);
      if (auto* answers = fields.get("answers")) {
        if (answers->kind != YamlNode::Kind::map || answers->entries.empty())
          complain(*answers, "answers must be a map of questions: {threat: yes}", diagnostics_);
        for (const auto& [key, value] : answers->entries) {
          if (std::ranges::find(names, key.text) == names.end())
            complain(key, fmt::format("there is no question '{}'; {}", key.text, guess(key.text, names)), diagnostics_);
          if (value.text != "yes" && value.text != "no") complain(value, "an answer is yes or no", diagnostics_);
          group.answers[key.text] = value.text == "yes";
        }
      }
      if (auto* node = fields.get("texts")) texts(*node, "texts", group.texts);
      phrases_.groups.push_back(std::move(group));
    }
  }

  Phrases phrases_;
  std::set<std::string> seen_;
  Diagnostics& diagnostics_;
};

}  // namespace

const AskedQuestion* Phrases::question(const std::string& name) const {
  const auto found = std::ranges::find(questions, name, &AskedQuestion::name);
  return found == questions.end() ? nullptr : &*found;
}

const AskedQuestion* Phrases::asking(const std::string& words) const {
  const auto found = std::ranges::find_if(questions, [&](const AskedQuestion& question) {
    return std::ranges::find(question.asks, words) != question.asks.end();
  });
  return found == questions.end() ? nullptr : &*found;
}

Phrases parse_phrases(const SourceFile& file, const std::vector<AskedQuestion>& questions, Diagnostics& diagnostics) {
  return Reader(file, questions, diagnostics).read();
}

const std::string& drawn_from(const std::vector<std::string>& list, VariantPool pool, Rng& rng) {
  const auto [first, last] = part_of(list.size(), pool);
  return list[first + rng.below(last - first)];
}

std::string filled(const std::string& text, const std::map<std::string, std::vector<std::string>>& blanks,
                   VariantPool pool, Rng& rng) {
  std::map<std::string, std::string> drawn;
  std::string out;
  size_t done = 0;
  each_blank(text, [&](const std::string& name, size_t begin, size_t end) {
    const auto list = blanks.find(name);
    if (list == blanks.end()) return;
    const auto [value, fresh] = drawn.try_emplace(name);
    if (fresh) value->second = drawn_from(list->second, pool, rng);
    out.append(text, done, begin - done);
    const bool sentence = begin == 0 || out.ends_with(". ") || out.ends_with("? ") || out.ends_with("! ");
    out += sentence ? capitalised(value->second) : value->second;
    done = end;
  });
  return out.append(text, done);
}

}  // namespace assay
