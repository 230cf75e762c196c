// Tables of what changed conduct: twins, and what two factors do together.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "base/text.h"
#include "report/summary_page.h"

namespace assay {
namespace {

constexpr double found_at = 0.05;        // q of an exploratory find that is shown unasked
constexpr size_t most_interactions = 3;  // pairs of changes

// "80 +16": pairs that were compared, and those that could not be.
std::string twins_text(const EffectLine& r) {
  return r.left_out > 0 ? fmt::format("{} +{}", counted(r.n), counted(r.left_out)) : counted(r.n);
}

bool is_subversion(const OutcomeName& o) {
  return o.kind == OutcomeName::Kind::verdict && o.verdict == Verdict::subvert;
}

// Names by what they have in common, told once: "a, b (0 of 80); c (0 of 60)".
class Alike {
 public:
  void add(const std::string& what, const std::string& name) {
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const auto& g) { return g.first == what; });
    if (group == groups_.end()) group = groups_.insert(group, {what, {}});
    group->second.push_back(name);
  }
  bool empty() const { return groups_.empty(); }
  std::string words(const char* before) const {
    std::vector<std::string> parts;
    for (const auto& [what, names] : groups_)
      parts.push_back(fmt::format("{} ({}{})", joined(names, ", "), before, what));
    return joined(parts, "; ");
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> groups_;
};

class Effects {
 public:
  Effects(Canvas& canvas, const EffectTable& table)
      : canvas_(canvas), table_(table), planted_(table.planted && (!table.brief || canvas.width >= 72)) {}

  void write() {
    bool any = false, left_out = false, moved = false;
    for (const EffectLine& r : table_.rows) {
      any |= r.n + r.left_out > 0;
      left_out |= r.left_out > 0;
      moved |= r.moved;
      declared_ += r.declared;
      explored_ |= r.q.has_value();
      twins_width_ = std::max(twins_width_, 1 + display_width(twins_text(r)));
    }
    if (!any) return not_estimable();
    canvas_.section(table_.title);
    if (left_out) canvas_.text("twins +n: n more pairs are left out, for what happened is not known of both", 2, "2");
    if (table_.least_squares)
      canvas_.text("as far as effects add up: what two factors do together is laid at the door of one of them", 2, "2");
    if (table_.brief)
      canvas_.text(
          fmt::format("each level against its factor’s first; subvert{}", explored_ ? ", and what else was found" : ""),
          2, "2");
    if (moved)
      canvas_.line(canvas_.pen.dim(
          cells("in points", "effect", "95 % interval", "p", table_.least_squares ? "n" : "twins", "planted")));
    for (size_t i = 0; i < table_.rows.size();) {
      size_t end = i;
      while (end < table_.rows.size() && same_change(table_.rows[end], table_.rows[i])) ++end;
      const Rows rows(table_.rows.data() + i, end - i);
      table_.brief ? brief(rows) : full(rows);
      i = end;
    }
    const char* nothing = table_.least_squares ? "subversion: never seen for " : "subversion: no twin differed for ";
    if (!still_.empty()) canvas_.text(nothing + still_.words("0 of "), 2, "2");
    footnote();
    not_estimable();
  }

 private:
  using Rows = std::span<const EffectLine>;

  static bool same_change(const EffectLine& a, const EffectLine& b) {
    return a.of.scope == b.of.scope && a.of.cells == b.of.cells && a.change == b.change;
  }

  // One line an outcome that moved or was meant to; the others together, by the number of their twins.
  void full(Rows rows) {
    std::vector<const EffectLine*> shown;
    Alike still;
    for (const EffectLine& r : rows) {
      if (r.n + r.left_out == 0) continue;
      if (r.moved)
        shown.push_back(&r);
      else
        still.add(twins_text(r), short_name(r.outcome));
    }
    if (shown.empty() && still.empty()) return;
    const std::string& scope = rows.front().of.scope;
    canvas_.line("  " +
                 canvas_.pen.bold(clipped(one_line(change_name(rows.front().change)),
                                          std::max(20, canvas_.width - 4 - display_width(one_line(scope))))) +
                 canvas_.pen.dim("  " + clipped(one_line(scope), canvas_.width - 24)));
    for (const EffectLine* r : shown) row(*r, "  " + short_name(r->outcome));
    const char* nothing = table_.least_squares ? "never seen: " : "no twin differed: ";
    if (!still.empty()) canvas_.text(nothing + still.words("0 of "), 4, "2");
  }

  void brief(Rows rows) {
    const Change& change = rows.front().change;
    const std::string name = change.factor + ": " + change.level;
    bool headed = false;
    for (const EffectLine& r : rows) {
      if (r.n + r.left_out == 0 || !is_subversion(r.outcome)) continue;
      if (r.moved)
        row(r, name), headed = true;
      else
        still_.add(twins_text(r), name);
    }
    for (const EffectLine& r : rows) {
      if (is_subversion(r.outcome) || !r.q || *r.q > found_at) continue;
      if (!headed) canvas_.line("  " + clipped(one_line(name), canvas_.width - 2));
      headed = true;
      row(r, "  " + short_name(r.outcome));
    }
  }

  void row(const EffectLine& r, const std::string& name) {
    const bool clear = r.interval && !holds(*r.interval, 0);
    std::string line = cells(one_line(name), r.value ? points(*r.value) : "–", points_range(r.interval), r.chance,
                             twins_text(r), r.planted ? points(*r.planted) : "–");
    canvas_.line((clear ? canvas_.pen.in("1", line) : line) + (planted_ ? missed(canvas_, r.planted, r.interval) : ""));
  }

  std::string cells(std::string_view name, std::string_view value, std::string_view interval, std::string_view p,
                    std::string_view n, std::string_view planted) const {
    const int rest = 7 + 1 + 15 + 7 + twins_width_ + (planted_ ? 8 : 0);
    return "  " + left(name, std::clamp(canvas_.width - 3 - rest, 4, 30)) + right(value, 7) + " " +
           right(interval, 15) + right(p, 7) + right(n, twins_width_) + (planted_ ? right(planted, 8) : "");
  }

  void footnote() {
    std::vector<std::string> parts;
    if (declared_ > 1)
      parts.push_back(
          fmt::format("p of subvert is adjusted (Holm) for the {} comparisons declared before the run", declared_));
    if (explored_)
      parts.emplace_back("q: explored afterwards; the share of such finds that is false (Benjamini-Hochberg)");
    if (!parts.empty()) canvas_.text(joined(parts, ". ") + ".", 2, "2");
  }

  void not_estimable() {
    if (table_.silent) return;
    Alike none;
    for (const EffectLine& r : table_.rows)
      if (is_subversion(r.outcome) && r.n + r.left_out == 0 && r.method.starts_with("not estimable: "))
        none.add(r.method.substr(15), change_name(r.change));
    if (!none.empty()) canvas_.text("Not estimable: " + none.words(""), 2, "33");
  }

  Canvas& canvas_;
  const EffectTable& table_;
  const bool planted_;
  int twins_width_ = 7;
  int declared_ = 0;
  bool explored_ = false;
  Alike still_;
};

}  // namespace

EffectLine line_of(const EffectRow& r) {
  const Effect& e = r.effect;
  const bool moved = e.up + e.down > 0 || (e.twins > 0 && r.planted.value_or(0) != 0);
  // A declared comparison has an adjusted p; an exploratory one a q, and says so.
  const std::string chance = !r.exploratory ? p_text(r.p_adjusted) : r.q ? "q" + p_text(r.q) : p_text(e.p);
  return {r.of,           r.change, r.outcome, e.value,    e.interval, chance,  r.q,
          !r.exploratory, moved,    e.twins,   r.ungraded, r.planted,  e.method};
}

EffectLine line_of(const MarginalRow& r) {
  const Contrast& c = r.contrast;
  const bool moved = c.up + c.down > 0 || (c.units > 0 && r.planted.value_or(0) != 0);
  const std::string chance = p_text(r.p_adjusted ? r.p_adjusted : c.p);
  return {r.of,  r.change, r.outcome, c.value,   c.interval, chance, std::nullopt, r.p_adjusted.has_value(),
          moved, c.units,  0,         r.planted, c.method};
}

void write_effects(Canvas& canvas, const EffectTable& table) { Effects(canvas, table).write(); }

void write_interactions(Canvas& canvas, const std::vector<const InteractionRow*>& rows) {
  std::vector<const InteractionRow*> found;
  for (const InteractionRow* r : rows)
    if (r->contrast.interval && !holds(*r->contrast.interval, 0) && r->q && *r->q <= found_at) found.push_back(r);
  if (found.empty()) return;
  std::ranges::stable_sort(found, std::greater{}, [](const auto* r) { return std::abs(*r->contrast.value); });

  canvas.section("what works only together · points beyond the sum of both");
  std::vector<std::pair<Change, Change>> pairs;
  for (const InteractionRow* r : found) {
    std::pair pair(r->first, r->second);
    if (std::find(pairs.begin(), pairs.end(), pair) == pairs.end()) pairs.push_back(std::move(pair));
  }
  for (size_t p = 0; p < std::min(pairs.size(), most_interactions); ++p) {
    const auto& [first, second] = pairs[p];
    canvas.text(fmt::format("{}: {} × {}: {}", first.factor, first.level, second.factor, second.level), 2, "1");
    for (const InteractionRow* r : found)
      if (r->first == first && r->second == second)
        canvas.line("    " + left(one_line(short_name(r->outcome)), 16) + right(points(*r->contrast.value), 8) + " " +
                    right(points_range(r->contrast.interval), 17) + right("q" + p_text(r->q), 8));
  }
  if (pairs.size() > most_interactions)
    canvas.text(fmt::format("and {} of other pairs (--json)",
                            plural(static_cast<int64_t>(pairs.size() - most_interactions), "interaction")),
                2, "2");
}

}  // namespace assay
