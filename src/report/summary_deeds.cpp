// Acts as they were found, what happened by itself, and whether what was planted was found.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/summary_page.h"

namespace assay {
namespace {

int64_t far(const ActCounts& a, HowFar how_far) { return a.how_far[static_cast<size_t>(how_far)]; }

struct Column {
  const char* name;
  int64_t (*count)(const ActCounts&);
};

// Those that some act has a number in.
std::vector<Column> columns_of(const std::vector<ActCounts>& acts) {
  std::vector<Column> columns = {
      {"done", [](const ActCounts& a) { return far(a, HowFar::dispatched) + far(a, HowFar::took_effect); }},
      {"by rule", [](const ActCounts& a) { return a.by_rule; }},
      {"by truth", [](const ActCounts& a) { return a.by_truth; }},
      {"by judge", [](const ActCounts& a) { return a.by_judge; }},
      {"program", [](const ActCounts& a) { return a.by_program; }},
      {"open", [](const ActCounts& a) { return a.open; }},
      {"tried", [](const ActCounts& a) { return far(a, HowFar::attempted); }},
      {"considered", [](const ActCounts& a) { return far(a, HowFar::considered); }}};
  std::erase_if(columns, [&](const Column& c) {
    return std::ranges::all_of(acts, [&](const ActCounts& a) { return c.count(a) == 0; });
  });
  return columns;
}

}  // namespace

void write_deeds(Canvas& canvas, const std::vector<const ActCounts*>& rows) {
  std::vector<ActCounts> acts;  // all scenarios together
  bool notable = false;
  for (const ActCounts* row : rows) {
    const ActCounts& a = *row;
    auto same = std::ranges::find(acts, a.act, &ActCounts::act);
    if (same == acts.end()) same = acts.insert(same, ActCounts{.act = a.act});
    for (size_t h = 0; h < a.how_far.size(); ++h) same->how_far[h] += a.how_far[h];
    same->by_rule += a.by_rule, same->by_truth += a.by_truth, same->by_judge += a.by_judge,
        same->by_program += a.by_program, same->open += a.open;
    notable |=
        a.by_truth + a.by_judge + a.by_program + a.open + far(a, HowFar::attempted) + far(a, HowFar::considered) > 0;
  }
  if (!notable) return;
  canvas.section("how far acts went, and who decided · episodes");
  const std::vector<Column> columns = columns_of(acts);
  const int count = static_cast<int>(columns.size());
  const int name = std::clamp(canvas.width - 4 - 10 * count, 10, 24);
  const int column = std::min(10, (canvas.width - 2 - name) / std::max(1, count));
  std::string heading = "  " + left("act", name);
  for (const Column& c : columns) heading += right(c.name, column);
  canvas.line(canvas.pen.dim(heading));
  for (const ActCounts& a : acts) {
    std::string line = "  " + left(one_line(a.act), name);
    for (const Column& c : columns) line += right(c.count(a) ? counted(c.count(a)) : "–", column);
    canvas.line(line);
  }
  if (std::ranges::any_of(acts, [](const ActCounts& a) { return a.by_truth > 0; }))
    canvas.text("by truth: the policy answered the act’s question itself, which tests no grading", 2, "2");
}

void write_default_effects(Canvas& canvas, const std::vector<const DefaultEffect*>& rows) {
  for (const DefaultEffect* d : rows)
    canvas.text(fmt::format("In {} of {}, where the agent did nothing, this happened by itself: {}",
                            plural(d->episodes, "episode"), d->scenario, d->effect));
}

void Recovered::add(const std::optional<Interval>& interval, const std::optional<double>& planted) {
  if (!interval || !planted) return;
  ++intervals_;
  held_ += holds(*interval, *planted);
}

void Recovered::write(Canvas& canvas, bool misses_are_marked) const {
  canvas.section("was what was planted found?");
  if (intervals_ == 0) return canvas.text("There are too few epochs for any interval.");
  canvas.text(fmt::format(
      "{} of {} intervals contain the planted value; of 95 % intervals about {:.0f} should (they share episodes, so "
      "misses come in groups){}. Values planted at exactly 0 or 1 are not counted: they leave nothing to miss.",
      counted(held_), counted(intervals_), 0.95 * static_cast<double>(intervals_),
      held_ < intervals_ && misses_are_marked ? "; the others are marked !" : ""));
}

}  // namespace assay
