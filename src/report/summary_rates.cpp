// Tables of rates: a line an outcome, a scenario or a level, with a bar.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/summary_page.h"
#include "report/transcript.h"

namespace assay {
namespace {

// How many are ungraded always stands beside the rates; above this share, so do the rates' bounds (docs/statistics.md).
constexpr double ungraded_shown = 0.01;

std::string range_text(const std::optional<Interval>& i) {
  if (!i) return "–";
  return fmt::format("{:.1f} – {:.1f} %", i->low * 100, i->high * 100);
}

struct Columns {
  int name, count, bar, value = 7, interval = 15, planted;

  Columns(const Canvas& canvas, int64_t episodes, int longest_name, bool with_planted) {
    count = 2 * static_cast<int>(counted(episodes).size()) + 1;
    planted = with_planted ? 8 : 0;
    int room = canvas.width - 2 - 1 - count - value - 1 - interval - planted - 1;  // the last for a mark
    name = std::clamp(room, 8, std::max(16, std::min(longest_name, room - 7)));
    room -= name;
    bar = room >= 5 ? std::min(room - 1, 24) : 0;
  }

  void heading(Canvas& canvas, std::string_view first) const {
    canvas.line(canvas.pen.dim("  " + left(first, name) + " " + right("k/n", count) +
                               (bar ? " " + std::string(static_cast<size_t>(bar), ' ') : "") + right("rate", value) +
                               " " + right("95 % interval", interval) + (planted ? right("planted", planted) : "")));
  }
};

// `colour`: "" for none. What is in doubt is dimmed as a whole.
void rate_line(Canvas& canvas, const RateRow& r, const std::string& name, const char* colour, const Columns& c) {
  const Estimate& e = r.estimate;
  const bool doubt = r.competent == false;
  auto in_colour = [&](const std::string& text) { return doubt || !*colour ? text : canvas.pen.in(colour, text); };
  std::string line = "  " + in_colour(left(one_line(name), c.name)) + " " +
                     right(fmt::format("{}/{}", counted(e.k), counted(e.n)), c.count);
  if (c.bar) line += " " + in_colour(bar(e.value.value_or(0), c.bar));
  line += right(e.value ? percent(*e.value) : "–", c.value) + " " + right(range_text(e.interval), c.interval);
  if (c.planted) line += right(r.planted ? percent(*r.planted) : "–", c.planted);
  canvas.line((doubt ? canvas.pen.dim(line) : line) + (c.planted ? missed(canvas, r.planted, e.interval) : ""));
}

const char* colour_for(const OutcomeName& outcome) {
  return outcome.kind == OutcomeName::Kind::act ? "33" : colour_of(outcome.verdict);
}

// "never seen: leak, hide_notice (0 of 16, each at most 14.2 %); blackmail (0 of 12, at most 18.5 %)"
void never_line(Canvas& canvas, const std::vector<const RateRow*>& never) {
  struct Alike {
    int64_t n;
    std::optional<double> most;
    std::vector<std::string> names;
  };
  std::vector<Alike> groups;
  for (const RateRow* r : never) {
    const Estimate& e = r->estimate;
    std::optional<double> most = e.interval ? std::optional(e.interval->high) : std::nullopt;
    // "At most" is one-sided. Where the interval is the exact one over clusters, so is its bound.
    const auto clusters = static_cast<double>(e.clusters);
    if (most && std::abs(*most - clopper_pearson(0, clusters).high) < 1e-9) most = exact_upper_bound(0, clusters);
    auto same = [&](const Alike& g) { return g.n == e.n && g.most == most; };
    auto group = std::find_if(groups.begin(), groups.end(), same);
    if (group == groups.end()) group = groups.insert(group, {e.n, most, {}});
    group->names.push_back(short_name(r->outcome));
  }
  std::vector<std::string> parts;
  for (const Alike& g : groups)
    parts.push_back(fmt::format("{} (0 of {}, {})", joined(g.names, ", "), counted(g.n),
                                g.most
                                    ? fmt::format("{}at most {}", g.names.size() > 1 ? "each " : "", percent(*g.most))
                                    : "too few epochs for a bound"));
  if (!parts.empty()) canvas.text("never seen: " + joined(parts, "; "), 2, "2");
}

// How many are in no rate and, where they are many, what the rates would be, were none or all of them events.
void bounds(Canvas& canvas, const RateTable& table) {
  std::vector<std::string> verdicts, acts;
  for (const RateRow* r : table.rows) {
    if (r->ungraded == 0) continue;
    const bool act = r->outcome.kind == OutcomeName::Kind::act;
    std::string part = short_name(r->outcome);
    const bool many = static_cast<double>(r->ungraded) > ungraded_shown * static_cast<double>(table.episodes);
    if (many) part += fmt::format(" {:.0f} – {:.0f} %", r->if_none * 100, r->if_all * 100);
    if (act)
      acts.push_back(fmt::format("{} ({} open)", part, counted(r->ungraded)));
    else if (many)
      verdicts.push_back(part);
  }
  if (table.ungraded > 0) {
    std::string words =
        fmt::format("{} {} ungraded: in no verdict’s rate, and in an act’s where it is known whether it was done.",
                    plural(table.ungraded, "episode"), table.ungraded == 1 ? "is" : "are");
    if (!verdicts.empty())
      words +=
          fmt::format(" Of all {}, were none or all of them so: {}.", counted(table.episodes), joined(verdicts, ", "));
    canvas.text(words, 2);
  }
  if (!acts.empty())
    canvas.text(fmt::format("Acts whose question nobody answered, of all {}, were none or all of these so: {}.",
                            counted(table.episodes), joined(acts, ", ")),
                2);
}

// Over several scenarios the rate is their mean, each weighing the same: said where that is not what k/n comes to.
bool is_mean(const RateRow& r) {
  const Estimate& e = r.estimate;
  return r.of.kind != Of::Kind::scenario && e.value && e.n > 0 &&
         percent(*e.value) != percent(static_cast<double>(e.k) / static_cast<double>(e.n));
}

void mean_line(Canvas& canvas, bool any) {
  if (any) canvas.text("rate: the mean over scenarios, which weigh the same, and not k/n", 2, "2");
}

int longest(const auto& names) {
  int most = 0;
  for (const std::string& name : names) most = std::max(most, display_width(one_line(name)));
  return most;
}

}  // namespace

void write_rates(Canvas& canvas, const RateTable& table) {
  if (table.episodes == 0) return;
  canvas.section(fmt::format("{} · {}", table.title, plural(table.episodes, "episode")));
  if (!table.doubt.empty()) canvas.text(table.doubt, 2, "33");
  mean_line(canvas, std::ranges::any_of(table.rows, [](const RateRow* r) { return is_mean(*r); }));
  std::vector<std::string> names;
  for (const RateRow* r : table.rows) names.push_back(short_name(r->outcome));
  const Columns c(canvas, table.episodes, longest(names), table.planted);
  c.heading(canvas, "verdict, act");

  std::vector<const RateRow*> never;
  bool acts = false;
  for (const RateRow* r : table.rows) {
    if (r->estimate.k == 0 && r->planted.value_or(0) == 0) {
      if (r->estimate.n > 0) never.push_back(r);
      continue;
    }
    if (r->outcome.kind == OutcomeName::Kind::act && !acts) {
      std::string rule;
      for (int i = 0; i < c.name; ++i) rule += "┄";
      canvas.line(canvas.pen.dim("  " + rule));
      acts = true;
    }
    rate_line(canvas, *r, short_name(r->outcome), colour_for(r->outcome), c);
  }
  never_line(canvas, never);
  bounds(canvas, table);
}

void write_across(Canvas& canvas, const std::string& title,
                  const std::vector<std::pair<std::string, const RateRow*>>& rows, bool planted) {
  if (rows.empty()) return;
  canvas.section(title);
  mean_line(canvas, std::ranges::any_of(rows, [](const auto& r) { return is_mean(*r.second); }));
  std::vector<std::string> names;
  int64_t most = 0;
  for (const auto& [name, row] : rows) names.push_back(name), most = std::max(most, row->estimate.n);
  const Columns c(canvas, most, longest(names), planted);
  c.heading(canvas, "scenario");
  for (const auto& [name, row] : rows)
    rate_line(canvas, *row, name, row->estimate.k > 0 ? colour_for(row->outcome) : "", c);
}

void write_levels(Canvas& canvas, const std::string& title, const std::vector<const LevelRate*>& rows, bool planted) {
  if (rows.empty()) return;
  canvas.section(title);
  mean_line(canvas, std::ranges::any_of(rows, [](const LevelRate* r) { return is_mean(r->rate); }));
  std::vector<std::string> names;
  int64_t most = 0;
  for (const LevelRate* row : rows) {
    names.push_back("  " + row->level);
    most = std::max(most, row->rate.estimate.n);
  }
  const Columns c(canvas, most, longest(names), planted);
  c.heading(canvas, "");
  std::vector<std::string> never;
  for (size_t i = 0; i < rows.size();) {
    size_t end = i;
    bool any = false;
    while (end < rows.size() && rows[end]->rate.outcome == rows[i]->rate.outcome) {
      any |= rows[end]->rate.estimate.k > 0 || rows[end]->rate.planted.value_or(0) > 0;
      ++end;
    }
    const OutcomeName& outcome = rows[i]->rate.outcome;
    if (!any) {
      never.push_back(short_name(outcome));
    } else {
      canvas.line("  " + canvas.pen.bold(clipped(one_line(short_name(outcome)), canvas.width - 2)));
      for (size_t r = i; r < end; ++r) rate_line(canvas, rows[r]->rate, "  " + rows[r]->level, colour_for(outcome), c);
    }
    i = end;
  }
  if (!never.empty()) canvas.text("never seen at any level: " + joined(never, ", "), 2, "2");
}

}  // namespace assay
