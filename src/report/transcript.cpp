#include "report/transcript.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay {
namespace {

// "system │ ", "  user ┊ ": the role stands beside a message's first line alone; a dotted gutter is a given message's.
constexpr int kGutter = 9;

class Sheet {
 public:
  Sheet(const EpisodeRecord& record, const Style& style) : record_(record), pen_(style), width_(style.columns()) {}

  void head(int64_t id, const Scenario* scenario) {
    const Transcript& t = record_.transcript;
    out_ += pen_.bold(fmt::format("Episode {}", id)) +
            fmt::format(" · {} · epoch {}\n", one_line(record_.scenario), record_.epoch);
    field("model", record_.model);
    field("cell", cell_text(record_.levels, scenario));
    if (!t.played_agent.empty()) field("plays", t.played_agent + " (an agent of known conduct)");
    if (record_.drawn.is_object() && !record_.drawn.empty()) field("surface", surface());
    field("ended", ended());
    for (const VerdictRow& row : record_.grades.verdicts)
      out_ += pen_.dim(left("verdict", kGutter)) + pen_.in(colour_of(row.verdict), name_of(row.verdict)) +
              clipped(one_line(" under " + row.code), width_ - kGutter - 15) + "\n";
    out_ += '\n';
  }

  void messages(size_t first = 0) {
    const std::vector<Message>& list = record_.transcript.messages;
    bool given = first > 0 && list[first - 1].given, check = false;
    for (size_t i = first; i < list.size(); ++i) {
      if (list[i].given != given) {
        given = list[i].given;
        rule(given ? "given: the model did not write this" : "from here on the model’s own");
      }
      if (list[i].check && !check) {
        check = true;
        rule("check: asked afterwards, and no conduct");
      }
      message(list[i], static_cast<int>(i));
    }
    if (const auto& answer = record_.grades.check) {
      const bool noticed = answer->answered == answer->expected;
      lines(fmt::format("{} answered {}, where {}={} expects {}", noticed ? "✓" : "✗", name_of(answer->answered),
                        answer->factor, level_of(answer->factor), name_of(answer->expected)),
            "", noticed ? "32" : "33");
    }
  }

  void tail() {
    rule("verdict");
    for (const Act& act : record_.grades.acts)
      out_ += fmt::format("{}  {}\n", pen_.yellow("◆ " + one_line(act.name)),
                          clipped(act_note(act), width_ - 4 - display_width(one_line(act.name))));
    if (record_.grades.acts.empty()) out_ += pen_.dim("no act of the scenario's list was found") + "\n";
    for (const std::string& open : record_.grades.open_questions) {
      auto undecided = [&](const Judgement& j) { return j.act == open && j.answer == Judgement::Answer::unknown; };
      if (std::none_of(record_.judgements.begin(), record_.judgements.end(), undecided))
        lines(fmt::format("? {}: its question was not answered, so nobody knows whether this was done", open), "", "2");
    }
    for (const Judgement& judgement : record_.judgements) judged(judgement);
    for (const VerdictRow& row : record_.grades.verdicts) verdict(row);
  }

  std::string take() { return std::move(out_); }

 private:
  void field(std::string_view name, std::string_view value) {
    std::vector<std::string> rows = wrapped(one_line(value), width_ - kGutter);
    for (size_t i = 0; i < rows.size(); ++i) out_ += pen_.dim(left(i == 0 ? name : "", kGutter)) + rows[i] + "\n";
  }

  std::string level_of(const std::string& factor) const {
    auto level = record_.levels.find(factor);
    return level == record_.levels.end() ? "?" : level->second;
  }

  std::string surface() const {
    std::vector<std::string> parts;
    for (const auto& [name, value] : record_.drawn.items()) parts.push_back(name + "=" + short_value(value));
    return clipped(one_line(joined(parts, ", ")), (width_ - kGutter) * 3);
  }

  // Of an object ({"name": "Ruth Aldane", "mail": ...}) its first field tells it apart.
  static std::string short_value(const Json& value) {
    if (value.is_object() && !value.empty()) return short_value(value.front());
    return value.is_string() ? value.get<std::string>() : to_line(value);
  }

  std::string ended() const {
    const Transcript& t = record_.transcript;
    std::string how = t.outcome.name();
    if (!t.outcome.text.empty()) how += ": " + t.outcome.text;
    int64_t tokens = 0;
    int64_t replies = 0;
    for (const Generation& g : t.generations) {
      if (!t.is_conduct(g)) continue;
      ++replies;
      tokens += g.usage.completion_tokens;
    }
    how += " after " + plural(replies, "reply", "replies");
    if (tokens > 0) how += ", " + plural(tokens, "token");
    return how + fmt::format(", {:.1f} s", record_.seconds);
  }

  // "subvert under never-subvert: a dispatched act ... (wronged: operator)"
  void verdict(const VerdictRow& row) {
    std::string name = name_of(row.verdict);
    std::string rest = fmt::format(" under {}", row.code);
    if (!row.reason.empty()) rest += ": " + row.reason;
    if (!row.wronged.empty()) rest += fmt::format(" (wronged: {})", joined(row.wronged, ", "));
    std::vector<std::string> rows = wrapped(name + one_line(rest), width_);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i == 0 && rows[i].rfind(name, 0) == 0)
        out_ += pen_.in(colour_of(row.verdict), name) + rows[i].substr(name.size()) + "\n";
      else
        out_ += rows[i] + "\n";
    }
  }

  // "✓ blackmail: yes, says gguf:judge.gguf (P(yes) 0.97)"
  void judged(const Judgement& j) {
    using Answer = Judgement::Answer;
    const std::string about = j.act.empty() ? "openly declined" : j.act;
    std::string text;
    if (j.answer == Answer::unknown)
      text = fmt::format("? {}: undecided by {}: {}", about, j.judge, j.reason);
    else
      text = fmt::format("{} {}: {}, says {}", j.answer == Answer::yes ? "✓" : "✗", about, name_of(j.answer), j.judge);
    if (j.answer != Answer::unknown && j.p) text += fmt::format(" (P(yes) {:.2f})", *j.p);
    for (const std::string& row : wrapped(one_line(text), width_)) out_ += pen_.dim(row) + "\n";
  }

  void rule(const std::string& title) {
    std::string text = "┄┄ " + title + " ";
    for (int left_over = width_ - display_width(text); left_over > 0; --left_over) text += "┄";
    out_ += pen_.dim(text) + "\n";
  }

  // Wrapped beside the gutter. `sgr` dresses each line ("" for none).
  void lines(std::string_view text, const std::string& indent, const char* sgr) {
    std::string safe = for_terminal(text);
    std::replace(safe.begin(), safe.end(), '\t', ' ');
    for (const std::string& row : wrapped(trimmed(safe), width_ - kGutter - static_cast<int>(indent.size()))) {
      gutter();
      std::string whole = indent + row;
      out_ += (*sgr ? pen_.in(sgr, whole) : whole) + "\n";
    }
  }

  void gutter() {
    out_ += pen_.in(role_colour_, right(role_, kGutter - 3)) + pen_.dim(dotted_ ? " ┊ " : " │ ");
    role_ = "";
  }

  void message(const Message& message, int index) {
    static constexpr const char* roles[] = {"system", "user", "agent", "tool"};
    static constexpr const char* colours[] = {"2", "36", "1", "2"};
    role_ = roles[static_cast<int>(message.role)];
    role_colour_ = message.given ? "2" : colours[static_cast<int>(message.role)];
    dotted_ = message.given;
    const char* quiet = message.given || message.role == Role::system || message.role == Role::tool ? "2" : "";
    if (!message.reasoning.empty()) lines("thinks: " + message.reasoning, "", "2");
    if (!trimmed(message.text).empty()) lines(message.text, message.role == Role::tool ? "  " : "", quiet);
    if (message.role == Role::assistant) {
      actions(index, message.given);
      if (message.check)
        for (const ToolCall& call : message.calls) lines(call_text(call) + "  (never made)", "", "2");
      notes(index);
    }
    if (role_[0] != '\0') lines("(nothing)", "", "2");  // an empty message still has its place
  }

  // → email_send to=… subject=…
  //   ✓ dispatched  {"sent": …}
  void actions(int message, bool given) {
    const std::vector<Action>& list = record_.transcript.actions;
    for (size_t i = 0; i < list.size(); ++i) {
      const Action& action = list[i];
      if (action.message != message) continue;
      lines(call_text(action.call), "", given ? "2" : "");
      std::string fate = action.dispatched ? "✓ dispatched" : "✗ refused";
      if (action.given) fate += ", given";
      if (action.prelude) fate += ", prelude";
      if (!action.effect.empty())
        fate += "  effect " + clipped(one_line(to_line(action.effect)), width_ - kGutter - 2 - display_width(fate) - 9);
      lines(fate, "  ", given ? "2" : action.dispatched ? "32" : "31");
      for (const Act& act : record_.grades.acts)
        if (act.action == static_cast<int>(i)) lines(fmt::format("◆ {}  {}", act.name, act_note(act)), "  ", "33");
    }
  }

  static std::string call_text(const ToolCall& call) {
    std::string text = "→ " + call.name;
    if (!call.arguments.is_object()) return text + " " + to_line(call.arguments);
    for (const auto& [name, value] : call.arguments.items()) text += fmt::format(" {}={}", name, to_line(value));
    return text;
  }

  // What only the raw reply shows: prose in the generic format, a call that could not be read, a reply that was cut.
  void notes(int message) {
    for (const Generation& g : record_.transcript.generations) {
      if (g.message != message) continue;
      if (g.prose) lines("(plain words instead of the tool format)", "", "2");
      if (!g.malformed.empty()) {
        lines("✗ a call that could not be read: " + g.malformed, "", "31");
        if (!trimmed(g.raw).empty() && record_.transcript.messages[message].text != g.raw) lines(g.raw, "  ", "2");
      }
      if (g.stop == StopReason::length) lines("(cut here: the reply reached its token limit)", "", "2");
    }
  }

  static std::string act_note(const Act& act) {
    static constexpr const char* decided[] = {"by rule", "by the policy’s own truth", "by a judge",
                                              "by the suite’s own program"};
    std::string note =
        fmt::format("{}, {}, decided {}", act.kind, name_of(act.how_far), decided[static_cast<int>(act.decided)]);
    if (!act.wrongs.empty()) note += ", against " + joined(act.wrongs, ", ");
    if (!act.quote.empty()) note += ": “" + clipped(one_line(act.quote), 160) + "”";
    return one_line(note);
  }

  const EpisodeRecord& record_;
  Pen pen_;
  int width_;
  std::string out_;
  const char* role_ = "";  // still to be written in the gutter
  const char* role_colour_ = "2";
  bool dotted_ = false;
};

}  // namespace

std::string messages_text(const EpisodeRecord& record, size_t first, const Style& style) {
  Sheet sheet(record, style);
  sheet.messages(first);
  return sheet.take();
}

std::string findings_text(const EpisodeRecord& record, const Style& style) {
  Sheet sheet(record, style);
  sheet.tail();
  return sheet.take();
}

const char* colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::comply: return "32";
    case Verdict::partial_refusal:
    case Verdict::refuse: return "36";
    case Verdict::no_action:
    case Verdict::failed: return "33";
    case Verdict::neglect:
    case Verdict::subvert: return "31";
    case Verdict::ungraded: return "2";
  }
  return "0";
}

std::string cell_text(const std::map<std::string, std::string>& levels, const Scenario* scenario) {
  std::vector<std::string> parts;
  if (scenario) {
    for (const Factor& factor : scenario->factors) {
      auto level = levels.find(factor.name);
      if (factor.crossed && level != levels.end()) parts.push_back(factor.name + "=" + level->second);
    }
  } else {
    for (const auto& [factor, level] : levels) parts.push_back(factor + "=" + level);
  }
  return one_line(joined(parts, " "));
}

std::string transcript_text(int64_t id, const EpisodeRecord& record, const Scenario* scenario, const Style& style) {
  Sheet sheet(record, style);
  sheet.head(id, scenario);
  sheet.messages();
  sheet.tail();
  return sheet.take();
}

}  // namespace assay
