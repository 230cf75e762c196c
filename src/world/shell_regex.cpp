#include "world/shell_regex.h"

#include <algorithm>
#include <optional>
#include <string>

namespace assay::shell {
namespace {

constexpr size_t most_steps = 2000;  // of a compiled pattern
constexpr int deepest_group = 30;
constexpr int most_repeats = 255;  // RE_DUP_MAX of POSIX
constexpr int no_group = 10;       // groups from the tenth on are not remembered

// The code point at `at` and its size; a byte that is no UTF-8 stands for itself, beyond all code points.
std::pair<char32_t, size_t> decode(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(at);
  size_t size = first < 0x80                    ? 1
                : first >= 0xC2 && first < 0xE0 ? 2
                : first >= 0xE0 && first < 0xF0 ? 3
                : first >= 0xF0 && first < 0xF5 ? 4
                                                : 0;
  if (size == 0 || at + size > text.size()) return {0x110000 + first, 1};
  char32_t code = size == 1 ? first : first & (0x7F >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {0x110000 + first, 1};
    code = code << 6 | (byte(at + i) & 0x3F);
  }
  return {code, size};
}

bool is_word(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
char32_t lower(char32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
char32_t upper(char32_t c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

std::optional<Ranges> named_class(std::string_view name) {
  static const std::vector<std::pair<std::string_view, Ranges>> classes = {
      {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
      {"digit", {{'0', '9'}}},
      {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
      {"upper", {{'A', 'Z'}}},
      {"lower", {{'a', 'z'}}},
      {"space", {{'\t', '\r'}, {' ', ' '}}},
      {"blank", {{'\t', '\t'}, {' ', ' '}}},
      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
      {"print", {{' ', '~'}}},
      {"graph", {{'!', '~'}}},
      {"cntrl", {{0, 31}, {127, 127}}},
      {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
  };
  for (const auto& [known, ranges] : classes)
    if (known == name) return ranges;
  return std::nullopt;
}

}  // namespace

// Recursive descent over alternatives, sequences and atoms; emits steps as it goes.
class RegexCompiler {
 public:
  RegexCompiler(std::string_view pattern, RegexOptions options) : pattern_(pattern), options_(options) {
    regex_.ignore_case_ = options.ignore_case;
  }

  Result<Regex> compile() {
    emit({Step::save, 0, 0});
    if (Status read = alternatives(0); !read) return read.error();
    if (at_ < pattern_.size()) return Error{"Unmatched ) or \\)"};
    emit({Step::save, 0, 1});
    emit({Step::done});
    if (regex_.steps_.size() > most_steps) return Error{"Regular expression too big"};
    return std::move(regex_);
  }

 private:
  using Step = Regex::Step;

  int size() const { return static_cast<int>(regex_.steps_.size()); }
  // Beyond the limit nothing is kept; compile() then refuses.
  void emit(Step step) {
    if (regex_.steps_.size() <= most_steps) regex_.steps_.push_back(step);
  }
  bool ended() const { return at_ >= pattern_.size(); }
  bool sees(std::string_view token) const { return pattern_.substr(at_).starts_with(token); }
  bool take(std::string_view token) {
    if (!sees(token)) return false;
    at_ += token.size();
    return true;
  }
  // The operator that is `c` in an extended pattern and `\c` in a basic one.
  bool sees_operator(char c) const {
    return options_.extended ? sees(std::string_view(&c, 1)) : sees(std::string{'\\', c});
  }
  bool take_operator(char c) {
    if (!sees_operator(c)) return false;
    at_ += options_.extended ? 1 : 2;
    return true;
  }

  Status alternatives(int depth) {
    if (depth > deepest_group) return Error{"Regular expression too big"};
    int begin = size(), fork = -1;
    std::vector<int> exits;
    while (true) {
      if (Status read = sequence(depth); !read) return read;
      if (!take_operator('|')) break;
      insert(begin, {Step::fork});
      if (fork != -1) regex_.steps_[fork].other = begin;
      exits.push_back(size());
      emit({Step::jump});
      if (overflowed()) return Error{"Regular expression too big"};
      fork = begin;
      begin = size();
      set_fork(fork, begin);
    }
    for (int exit : exits) regex_.steps_[exit].next = size();
    return Done{};
  }

  bool overflowed() const { return regex_.steps_.size() > most_steps; }

  // The steps from `at` on move one place, with all that points to them.
  void insert(int at, Step step) {
    for (Step& old : regex_.steps_) {
      if ((old.kind == Step::fork || old.kind == Step::jump) && old.next >= at) ++old.next;
      if (old.kind == Step::fork && old.other >= at) ++old.other;
    }
    regex_.steps_.insert(regex_.steps_.begin() + at, step);
  }

  Status sequence(int depth) {
    bool first = true;
    while (!ended() && !sees_operator('|') && !(depth > 0 && sees_operator(')'))) {
      if (overflowed()) return Error{"Regular expression too big"};
      int begin = size();
      if (options_.extended && sees(")")) return Error{"Unmatched ) or \\)"};
      // A basic pattern has anchors only where they can hold, and a star without anything before it is a letter.
      bool anchors = options_.extended;
      if ((anchors || first) && take("^")) {
        emit({Step::line_begin});
        first = sees("*");
        continue;
      }
      bool last = at_ + 1 == pattern_.size() || pattern_.substr(at_ + 1).starts_with("\\)") ||
                  pattern_.substr(at_ + 1).starts_with("\\|");
      if ((anchors || last) && take("$")) {
        emit({Step::line_end});
        first = false;
        continue;
      }
      if (first && sees("*")) {
        literal();
      } else if (Status read = atom(depth); !read) {
        return read;
      }
      first = false;
      if (Status read = repeats(begin); !read) return read;
    }
    return Done{};
  }

  void literal() {
    auto [code, bytes] = decode(pattern_, at_);
    at_ += bytes;
    emit({Step::letter, options_.ignore_case ? lower(code) : code});
  }

  Status atom(int depth) {
    if (take_operator('(')) {
      int slot = 2 * std::min(++groups_, no_group);  // always a step, so that what leads here leads before the group
      emit({Step::save, 0, slot});
      if (Status read = alternatives(depth + 1); !read) return read;
      if (!take_operator(')')) return Error{"Unmatched ( or \\("};
      emit({Step::save, 0, slot + 1});
      return Done{};
    }
    if (!options_.extended && sees("\\)")) return Error{"Unmatched ) or \\)"};
    if (take(".")) {
      emit({Step::any});
      return Done{};
    }
    if (take("[")) return bracket();
    if (options_.extended && (sees("+") || sees("?") || sees("{"))) {
      literal();  // nothing to repeat stands before it
      return Done{};
    }
    if (!sees("\\")) {
      literal();
      return Done{};
    }
    ++at_;
    if (ended()) return Error{"Trailing backslash"};
    char c = pattern_[at_];
    switch (c) {
      case 'w': return shorthand({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, false);
      case 'W': return shorthand({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, true);
      case 's': return shorthand(*named_class("space"), false);
      case 'S': return shorthand(*named_class("space"), true);
      case 'b': return edge(Step::word_edge);
      case 'B': return edge(Step::no_word_edge);
      case '<': return edge(Step::word_begin);
      case '>': return edge(Step::word_end);
      case '`': return edge(Step::line_begin);
      case '\'': return edge(Step::line_end);
      case 'n': return escaped('\n');
      case 't': return escaped('\t');
      default: break;
    }
    if (c >= '1' && c <= '9') return Error{"back references are not supported here"};
    literal();
    return Done{};
  }

  Status edge(Step::Kind kind) {
    ++at_;
    emit({kind});
    return Done{};
  }
  Status escaped(char32_t code) {
    ++at_;
    emit({Step::letter, code});
    return Done{};
  }
  Status shorthand(Ranges ranges, bool negated) {
    ++at_;
    return add_set({negated, std::move(ranges)});
  }
  Status add_set(Regex::Set set) {
    emit({Step::set, 0, static_cast<int>(regex_.sets_.size())});
    regex_.sets_.push_back(std::move(set));
    return Done{};
  }

  Status bracket() {
    Regex::Set set;
    set.negated = take("^");
    for (bool first = true; first || !sees("]"); first = false) {
      if (ended()) return Error{"Unmatched [, [^, [:, [., or [="};
      if (sees("[.") || sees("[=")) return Error{"collating elements are not supported here"};
      if (take("[:")) {
        size_t end = pattern_.find(":]", at_);
        if (end == std::string_view::npos) return Error{"Unmatched [, [^, [:, [., or [="};
        std::optional<Ranges> ranges = named_class(pattern_.substr(at_, end - at_));
        if (!ranges) return Error{"Invalid character class name"};
        set.ranges.insert(set.ranges.end(), ranges->begin(), ranges->end());
        at_ = end + 2;
        continue;
      }
      auto [low, bytes] = decode(pattern_, at_);
      at_ += bytes;
      if (low == '\\' && (sees("n") || sees("t"))) low = pattern_[at_++] == 'n' ? '\n' : '\t';
      char32_t high = low;
      if (sees("-") && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        auto [end, end_bytes] = decode(pattern_, at_);
        at_ += end_bytes;
        high = end;
        if (high < low) return Error{"Invalid range end"};
      }
      set.ranges.emplace_back(low, high);
    }
    ++at_;  // the ]
    return add_set(std::move(set));
  }

  // The stars and counts behind the atom that begins at step `begin`.
  Status repeats(int begin) {
    while (!ended() && !overflowed()) {
      int least = 0, most = -1;  // -1: without end
      if (take_operator('+')) {
        least = 1;
      } else if (take_operator('?')) {
        most = 1;
      } else if (sees_operator('{')) {
        size_t before = at_;
        if (!read_counts(least, most)) {
          if (!options_.extended) return Error{"Invalid content of \\{\\}"};
          at_ = before;
          return Done{};  // the brace is a letter; the next atom reads it
        }
        if (least > most_repeats || most > most_repeats) return Error{"Regular expression too big"};
        if (most != -1 && most < least) return Error{"Invalid content of \\{\\}"};
      } else if (!take("*")) {
        return Done{};
      }
      repeat(begin, least, most);
    }
    return Done{};
  }

  bool read_counts(int& least, int& most) {
    take_operator('{');
    auto number = [&](int otherwise) {
      if (ended() || pattern_[at_] < '0' || pattern_[at_] > '9') return otherwise;
      int value = 0;
      for (; !ended() && pattern_[at_] >= '0' && pattern_[at_] <= '9'; ++at_)
        value = std::min(value * 10 + (pattern_[at_] - '0'), most_repeats + 1);
      return value;
    };
    size_t start = at_;
    least = number(0);
    most = least;
    if (take(","))
      most = number(-1);
    else if (at_ == start)
      return false;
    return take_operator('}');
  }

  // The steps from `begin` on, `least` to `most` times.
  void repeat(int begin, int least, int most) {
    const std::vector<Step> once(regex_.steps_.begin() + begin, regex_.steps_.end());
    regex_.steps_.resize(static_cast<size_t>(begin));
    auto copy = [&] {
      int shift = size() - begin;
      for (Step step : once) {
        if (step.kind == Step::fork || step.kind == Step::jump) step.next += shift, step.other += shift;
        emit(step);
      }
    };
    for (int i = 0; i < least; ++i) copy();
    if (most == -1) {
      int fork = size();
      emit({Step::fork});
      copy();
      emit({Step::jump, 0, fork});
      set_fork(fork, size());
      return;
    }
    std::vector<int> forks;
    for (int i = least; i < most && !overflowed(); ++i) {
      forks.push_back(size());
      emit({Step::fork});
      copy();
    }
    for (int fork : forks) set_fork(fork, size());
  }

  void set_fork(int fork, int other) {
    if (overflowed()) return;
    regex_.steps_[fork].next = fork + 1;
    regex_.steps_[fork].other = other;
  }

  std::string_view pattern_;
  RegexOptions options_;
  size_t at_ = 0;
  int groups_ = 0;
  Regex regex_;
};

Result<Regex> Regex::compile(std::string_view pattern, RegexOptions options) {
  return RegexCompiler(pattern, options).compile();
}

bool Regex::Set::has(char32_t c, bool ignore_case) const {
  auto inside = [&](char32_t letter) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](auto range) { return range.first <= letter && letter <= range.second; });
  };
  bool found = inside(c) || (ignore_case && (inside(lower(c)) || inside(upper(c))));
  return found != negated;
}

// --- Matching ---

// The places of the program in which the pattern could stand, in order of preference, at one place of the text.
struct Regex::Run {
  struct Thread {
    int step;
    Match match;
  };

  const Regex& regex;
  std::string_view text;
  std::vector<size_t> seen = std::vector<size_t>(regex.steps_.size(), std::string_view::npos);  // at which place
  size_t work = 0;

  bool word_before(size_t at) const { return at > 0 && is_word(static_cast<unsigned char>(text[at - 1])); }
  bool word_after(size_t at) const { return at < text.size() && is_word(static_cast<unsigned char>(text[at])); }

  bool holds(Step::Kind kind, size_t at) const {
    switch (kind) {
      case Step::line_begin: return at == 0;
      case Step::line_end: return at == text.size();
      case Step::word_edge: return word_before(at) != word_after(at);
      case Step::no_word_edge: return word_before(at) == word_after(at);
      case Step::word_begin: return !word_before(at) && word_after(at);
      case Step::word_end: return word_before(at) && !word_after(at);
      default: return true;
    }
  }

  // Follows everything that consumes no letter; recursion is at most as deep as the program is long.
  void add(std::vector<Thread>& threads, int step, size_t at, Match& match) {
    ++work;
    if (seen[step] == at) return;
    seen[step] = at;
    const Step& s = regex.steps_[step];
    switch (s.kind) {
      case Step::jump: return add(threads, s.next, at, match);
      case Step::fork: add(threads, s.next, at, match); return add(threads, s.other, at, match);
      case Step::save: {
        if (s.next >= 2 * no_group) return add(threads, step + 1, at, match);
        auto& [begin, end] = match[static_cast<size_t>(s.next / 2)];
        size_t& slot = s.next % 2 == 0 ? begin : end;
        size_t old = slot;
        slot = at;
        add(threads, step + 1, at, match);
        slot = old;
        return;
      }
      case Step::letter:
      case Step::any:
      case Step::set:
      case Step::done: threads.push_back({step, match}); return;
      default:
        if (holds(s.kind, at)) add(threads, step + 1, at, match);
    }
  }
};

bool Regex::search(std::string_view text, size_t from, Match& match, Meter& meter) const {
  constexpr size_t npos = std::string_view::npos;
  Run run{.regex = *this, .text = text};
  std::vector<Run::Thread> now, next;
  bool found = false;
  Match blank;
  blank.fill({npos, npos});
  for (size_t at = from;;) {
    if (!found) {
      Match fresh = blank;
      run.add(now, 0, at, fresh);
    }
    if (now.empty() && found) break;
    auto [code, bytes] = at < text.size() ? decode(text, at) : std::pair<char32_t, size_t>{0, 1};
    for (Run::Thread& thread : now) {
      const Step& step = steps_[thread.step];
      if (step.kind == Step::done) {
        // Leftmost first, then longest; of equals the preferred one, which comes first.
        bool better = !found || thread.match[0].first < match[0].first ||
                      (thread.match[0].first == match[0].first && thread.match[0].second > match[0].second);
        if (better) match = thread.match;
        found = true;
        continue;
      }
      if (at >= text.size() || (found && thread.match[0].first > match[0].first)) continue;
      bool matched = step.kind == Step::any ||
                     (step.kind == Step::letter && step.code == (ignore_case_ ? lower(code) : code)) ||
                     (step.kind == Step::set && sets_[step.next].has(code, ignore_case_));
      if (matched) run.add(next, thread.step + 1, at + bytes, thread.match);
    }
    meter.pay(run.work + now.size());
    run.work = 0;
    if (at >= text.size() || meter.spent()) break;
    at += bytes;
    now.swap(next);
    next.clear();
  }
  return found && !meter.spent();
}

bool Regex::found_in(std::string_view text, Meter& meter) const {
  Match match;
  return search(text, 0, match, meter);
}

}  // namespace assay::shell
