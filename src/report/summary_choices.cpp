// Forced choice: the alternatives, what they come to, and what changes it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "report/choice_text.h"
#include "report/summary_page.h"
#include "report/transcript.h"

namespace assay {
namespace {

constexpr size_t most_turns = 5;  // of a change, by how much likelier it makes them

std::string share_or_dash(const Mean& m) { return m.value ? share_text(*m.value) : "–"; }

std::string range_of(const std::optional<Interval>& i) {
  if (!i) return "–";
  if (i->high < 0.0005) return "below 0.05 %";
  if (i->low > 0.9995) return "above 99.9 %";
  return fmt::format("{:.1f} – {:.1f} %", i->low * 100, i->high * 100);
}

// "× 1.31", "÷ 24.0", "÷ 1,825", "× 3e+05".
std::string times(double log_ratio) {
  const double factor = std::exp(std::abs(log_ratio));
  const char* sign = log_ratio < 0 ? "÷" : "×";
  if (factor >= 1e5) return fmt::format("{} {:.0e}", sign, factor);
  if (factor >= 100) return fmt::format("{} {}", sign, counted(std::llround(factor)));
  return fmt::format("{} {:.{}f}", sign, factor, factor < 10 ? 2 : 1);
}

std::string times_range(const std::optional<Interval>& i) { return i ? times(i->low) + " … " + times(i->high) : "–"; }

// A name, and numbers behind it, each in its column.
class Columns {
 public:
  Columns(const Canvas& canvas, int longest, std::vector<int> widths) : widths_(std::move(widths)) {
    int room = canvas.width - 2;
    for (const int width : widths_) room -= width;
    name_ = std::clamp(longest + 1, std::min(12, room), std::max(room, 8));
  }
  std::string name(std::string_view text) const { return "  " + left(clipped(one_line(text), name_ - 1), name_); }
  std::string numbers(const std::vector<std::string>& texts) const {
    std::string out;
    for (size_t i = 0; i < texts.size(); ++i) out += right(texts[i], widths_[i]);
    return out;
  }
  std::string line(std::string_view first, const std::vector<std::string>& rest) const {
    return name(first) + numbers(rest);
  }

 private:
  std::vector<int> widths_;
  int name_ = 0;
};

// The agents of one turn; those after the first few are counted.
std::string names_of(const std::vector<std::string>& agents) {
  constexpr size_t shown = 3;
  if (agents.size() <= shown) return joined(agents, ", ");
  return fmt::format("{} and {} more", joined({agents.begin(), agents.begin() + shown}, ", "), agents.size() - shown);
}

void write_alternatives(Canvas& canvas, std::vector<const AlternativeRow*> rows) {
  if (rows.empty()) return;
  std::ranges::stable_sort(rows, std::greater{}, [](const AlternativeRow* r) { return r->share.value.value_or(0); });
  int longest = display_width("first turn of");
  for (const AlternativeRow* row : rows) longest = std::max(longest, display_width(one_line(names_of(row->agents))));
  const bool wide = canvas.width >= 76;
  const int in = static_cast<int>(counted(std::ranges::max(rows, {}, &AlternativeRow::choices)->choices).size()) + 2;
  const Columns columns = wide ? Columns(canvas, longest, {std::max(in, 5), 9, 17, 11, 8})
                               : Columns(canvas, longest, {std::max(in, 5), 9, 11, 8});
  auto line = [&](const std::string& name, std::string in_how_many, std::string share, std::string interval,
                  std::string per_token, std::string tokens) {
    return wide ? columns.line(name, {in_how_many, share, interval, per_token, tokens})
                : columns.line(name, {in_how_many, share, per_token, tokens});
  };
  canvas.line(canvas.pen.dim(line("first turn of", "in", "share", "95 % interval", "per token", "tokens")));
  for (const AlternativeRow* row : rows)
    canvas.line(line(names_of(row->agents), counted(row->choices), share_or_dash(row->share),
                     range_of(row->share.interval), share_or_dash(row->per_token), fmt::format("{:.0f}", row->tokens)));
}

void write_outcomes(Canvas& canvas, const ChoiceTable& table) {
  if (table.outcomes.empty()) return;
  const std::string under = "under " + table.code;
  int longest = display_width(one_line(under));
  bool sampled = false, untold = false, verdicts = false;
  for (const auto& [row, rate] : table.outcomes) {
    longest = std::max(longest, display_width(one_line(short_name(row->outcome))));
    sampled |= rate && rate->estimate.value;
    untold |= row->untold >= 0.0005;
  }
  const bool narrow = sampled && canvas.width < 76;
  std::vector<int> widths = narrow ? std::vector{9, 15, 10} : std::vector{9, 17, 11};
  if (sampled) widths.push_back(narrow ? 8 : 9);
  const Columns columns(canvas, longest, widths);
  std::vector<std::string> heading = {"share", "95 % interval", "per token"};
  if (sampled) heading.push_back("sampled");
  canvas.line(canvas.pen.dim(columns.line(under, heading)));
  for (const auto& [row, rate] : table.outcomes) {
    const bool act = row->outcome.kind == OutcomeName::Kind::act;
    if (act && verdicts) canvas.line(canvas.pen.dim("  ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄"));
    verdicts = !act;
    std::vector<std::string> numbers = {share_or_dash(row->share), range_of(row->share.interval),
                                        share_or_dash(row->per_token)};
    if (sampled) numbers.push_back(rate && rate->estimate.value ? percent(*rate->estimate.value) : "–");
    canvas.line(canvas.pen.in(act ? "33" : colour_of(row->outcome.verdict), columns.name(short_name(row->outcome))) +
                columns.numbers(numbers));
  }
  if (untold)
    canvas.text(
        "Agents that begin with the same turn and part later stand together, and in no outcome that they do not share.",
        2, "2");
}

// What changes the shares: always told of subversion, of others where it is clear and not next to nothing.
void write_changes(Canvas& canvas, const std::vector<const PropensityEffectRow*>& rows) {
  std::vector<const PropensityEffectRow*> told;
  for (const PropensityEffectRow* row : rows) {
    const Mean& d = row->difference;
    const bool clear = d.interval && !holds(*d.interval, 0) && std::abs(*d.value) >= 0.001;
    if (d.value && (clear || row->outcome.text() == "verdict:subvert")) told.push_back(row);
  }
  if (told.empty()) return;
  std::ranges::stable_sort(told, [&](const PropensityEffectRow* a, const PropensityEffectRow* b) {
    auto first = [&](const Change& c) {
      return std::ranges::find_if(rows, [&](const PropensityEffectRow* r) { return r->change == c; });
    };
    return first(a->change) < first(b->change);
  });
  int longest = 0;
  for (const PropensityEffectRow* row : told)
    longest = std::max(longest, 2 + display_width(one_line(short_name(row->outcome))));
  const Columns columns(canvas, std::max(longest, 28), {9, 17, 7});
  canvas.line(canvas.pen.dim(columns.line("changes, in points", {"effect", "95 % interval", "twins"})));
  const Change* change = nullptr;
  for (const PropensityEffectRow* row : told) {
    if (!change || !(*change == row->change))
      canvas.line("  " + canvas.pen.bold(clipped(one_line(change_name(row->change)), canvas.width - 2)));
    change = &row->change;
    const Mean& d = row->difference;
    const std::string line =
        columns.line("  " + short_name(row->outcome), {points(*d.value), points_range(d.interval), counted(d.n)});
    canvas.line(d.interval && !holds(*d.interval, 0) ? canvas.pen.bold(line) : line);
  }
}

// What makes a turn likelier, whatever its length: those of which it is clear, the strongest first.
void write_ratios(Canvas& canvas, const std::vector<const AlternativeEffectRow*>& rows) {
  std::vector<std::pair<const Change*, std::vector<const AlternativeEffectRow*>>> changes;
  int longest = 28;
  for (const AlternativeEffectRow* row : rows) {
    const Mean& m = row->log_ratio;
    if (!m.interval || holds(*m.interval, 0)) continue;
    if (changes.empty() || !(*changes.back().first == row->change)) changes.push_back({&row->change, {}});
    changes.back().second.push_back(row);
    longest = std::max(longest, 2 + display_width(one_line(names_of(row->agents))));
  }
  if (changes.empty()) return;
  const Columns columns(canvas, std::min(longest, canvas.width - 2 - 36), {9, 20, 7});
  canvas.line(canvas.pen.dim(columns.line("changes of one turn", {"times", "95 % interval", "twins"})));
  for (auto& [change, turns] : changes) {
    canvas.line("  " + canvas.pen.bold(clipped(one_line(change_name(*change)), canvas.width - 2)));
    std::ranges::stable_sort(turns, std::greater{},
                             [](const AlternativeEffectRow* r) { return std::abs(*r->log_ratio.value); });
    for (size_t i = 0; i < std::min(turns.size(), most_turns); ++i) {
      const Mean& m = turns[i]->log_ratio;
      canvas.line(
          columns.line("  " + names_of(turns[i]->agents), {times(*m.value), times_range(m.interval), counted(m.n)}));
    }
    if (turns.size() > most_turns) canvas.text(fmt::format("and less so {} more", turns.size() - most_turns), 4, "2");
  }
}

}  // namespace

void write_choices(Canvas& canvas, const ModelSummary& model) {
  canvas.section("forced choice");
  std::string words = fmt::format(
      "{}: the first turns of a cell’s scripted agents, weighed against each other by the probability that the model "
      "gives them. Nothing was drawn: a share is exact for its cell, and an interval is over other names and wordings.",
      plural(model.choices, "forced choice"));
  for (const auto& [how, n] : model.unanswered) words += fmt::format(" {} could not be made ({}).", counted(n), how);
  canvas.text(words);
  if (model.choices == 0) return;
  canvas.text(
      "share: of what these turns have together. Each token costs probability, so a short or stock turn has more for "
      "that alone; per token is of the mean over a turn’s tokens, which takes its length away. So compare levels "
      "rather "
      "than turns: × and ÷ are how much likelier, and less likely, a level makes the same words. in: how many choices "
      "the agent exists in.",
      0, "2");
}

void write_choices(Canvas& canvas, const ChoiceTable& table) {
  if (table.outcomes.empty() && table.alternatives.empty()) return;
  canvas.section(fmt::format("{} · forced choice", table.scenario));
  write_alternatives(canvas, table.alternatives);
  write_outcomes(canvas, table);
  write_changes(canvas, table.effects);
  write_ratios(canvas, table.turns);
}

}  // namespace assay
