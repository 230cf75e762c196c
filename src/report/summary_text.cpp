// The summary at a terminal, read from the top: what was run, what each model did in plain words, how often, and what
// changed it. A run of many scenarios shows the mean over them first, and each in full only where it is asked for.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/summary.h"
#include "report/summary_page.h"

namespace assay {
namespace {

constexpr size_t few_scenarios = 3;  // so many are all shown in full

// What a verdict means, for a sentence.
const char* meaning(Verdict verdict) {
  switch (verdict) {
    case Verdict::comply: return "did the task openly";
    case Verdict::partial_refusal: return "did part, said which part not";
    case Verdict::refuse: return "said openly that it would not";
    case Verdict::no_action: return "ended without doing or declining anything";
    case Verdict::failed: return "made tool calls or tried to, and the task was not done";
    case Verdict::neglect: return "left undone what the code requires";
    case Verdict::subvert: return "acted against someone it answers to";
    case Verdict::ungraded: return "what it did is known, what it amounts to is not";
  }
  return "";
}

class Page {
 public:
  Page(const Summary& summary, const Style& style, const SummaryView& view) : s_(summary), view_(view), canvas_(style) {
    wide_ = view.scenario.empty() && !view.all && summary.grids.size() > few_scenarios;
  }

  std::string write() {
    head();
    for (const ModelSummary& model : s_.models) {
      about(model);
      if (model.episodes == 0) continue;
      bool first = true;
      for (const CodeSummary& code : s_.codes) {
        if (told_with(code)) continue;
        if (s_.codes.size() > 1) canvas_.section(title_of(code));
        under(model, code, first);
        first = false;
      }
      if (s_.by.empty()) {
        checks(model);
        deeds(model);
        recovered(model);
      }
    }
    return canvas_.take();
  }

 private:
  // --- what was run

  void head() {
    const Registration& r = s_.registration;
    canvas_.line(canvas_.pen.bold("assay summary") +
                 clipped(fmt::format(" · suite {} · {}", one_line(r.suite), plural(s_.episodes, "episode")),
                         canvas_.width - 13));
    std::vector<std::string> codes;
    for (const CodeSummary& code : s_.codes) codes.push_back(code.code + (code.registered ? "" : " (after the fact)"));
    canvas_.text(fmt::format("{}, seed {}, prelude {}, variants {}, {} {}; registered {} by assay {}",
                             plural(r.design.epochs, "epoch"), r.design.seed, name_of(r.design.prelude),
                             name_of(r.design.variants), codes.size() == 1 ? "code" : "codes", joined(codes, ", "),
                             r.created, r.version),
                 0, "2");
    if (!s_.other_rules.empty()) canvas_.text("After the fact: " + s_.other_rules, 0, "33");
    drawn();
  }

  // What a part of a grid leaves open.
  void drawn() {
    int64_t cells = 0, combinations = 0, scenarios = 0;
    std::vector<std::string> lone;
    for (const GridSummary& grid : s_.grids) {
      if (grid.cells == grid.combinations) continue;
      ++scenarios, cells += grid.cells, combinations += grid.combinations;
      for (const Change& change : grid.without_twins) {
        std::string words =
            s_.several() ? fmt::format("{} ({})", change_name(change), grid.scenario) : change_name(change);
        lone.push_back(std::move(words));
      }
    }
    if (scenarios == 0) return;
    std::string words = fmt::format("A part of the grid: {} of {} combinations of levels. Twins are as few as that.",
                                    counted(cells), counted(combinations));
    if (!lone.empty()) {
      const size_t shown = std::min<size_t>(lone.size(), 4);
      const std::vector<std::string> named(lone.begin(), lone.begin() + static_cast<long>(shown));
      words += fmt::format(
          " No two cells differ in one of these alone, so what it does cannot be told apart from what "
          "the others do: {}{}.",
          joined(named, ", "), shown < lone.size() ? fmt::format(" and {} more", lone.size() - shown) : "");
    }
    canvas_.text(words, 0, "33");
  }

  // --- one model

  // The settings that a reader must know to believe a number; all of them are in the JSON.
  static std::string settings_of(const ModelEntry& entry) {
    if (entry.policy) return "an agent of known conduct, from " + entry.policy->name;
    static constexpr std::pair<const char*, const char*> told[] = {
        {"tool_format", "tool format"}, {"quantisation", "weights"}, {"context", "context"},
        {"temperature", "temperature"}, {"top_p", "top-p"},          {"grammar", "grammar"}};
    std::vector<std::string> parts;
    for (auto [key, name] : told)
      if (auto value = entry.settings.find(key); value != entry.settings.end())
        parts.push_back(fmt::format("{} {}", name,
                                    value->is_string()    ? value->get<std::string>()
                                    : value->is_boolean() ? (*value ? "on" : "off")
                                                          : to_line(*value)));
    return joined(parts, ", ");
  }

  void about(const ModelSummary& m) {
    canvas_.section(m.entry.id);
    if (std::string settings = settings_of(m.entry); !settings.empty()) canvas_.text(settings, 0, "2");
    if (m.episodes == 0) return canvas_.text("No episode of this model is stored.");
    std::string did = fmt::format("{}: {}, {}", plural(m.episodes, "episode"), plural(m.replies, "reply", "replies"),
                                  plural(m.calls, "tool call"));
    if (m.malformed > 0)
      did += fmt::format(", {}", plural(m.malformed, "call that could not be read", "calls that could not be read"));
    if (m.prose > 0)
      did += fmt::format(", {} in plain words instead of the tool format", plural(m.prose, "reply", "replies"));
    std::vector<std::string> cut;
    for (const auto& [how, n] : m.ended)
      if (how != "completed")
        cut.push_back(
            fmt::format("{} by {}", counted(n), how.rfind("limit:", 0) == 0 ? "the limit of " + how.substr(6) : how));
    if (!cut.empty()) did += fmt::format(". Ended early: {}", joined(cut, ", "));
    canvas_.text(did + ".");
  }

  // --- one code

  // A code that agrees with an earlier one on every episode is named beside it.
  bool told_with(const CodeSummary& code) const {
    return std::ranges::any_of(s_.codes, [&](const CodeSummary& other) {
      return other.code == code.agrees_with && other.registered == code.registered;
    });
  }

  std::string title_of(const CodeSummary& code) const {
    std::vector<std::string> names = {code.code};
    for (const CodeSummary& other : s_.codes)
      if (other.agrees_with == code.code && other.registered == code.registered) names.push_back(other.code);
    const char* late = code.registered ? "" : " (added after the fact)";
    if (names.size() == 1) return fmt::format("under the code {}{}", names[0], late);
    return fmt::format("under {}{}, which agree on every episode", joined(names, ", "), late);
  }

  void under(const ModelSummary& m, const CodeSummary& code, bool first) {
    conduct(m, code);
    if (!s_.by.empty()) return levels(m, code, first);
    if (wide_) {
      rates(m, code, widest(), CellSort::ordinary, first);
      across(m, code);
    } else {
      for (const std::string& scope : in_full()) rates(m, code, scope, CellSort::ordinary, first);
    }
    effects(m, code, first);
    interactions(m, code);
    dilemmas(m, code);
  }

  std::string widest() const { return s_.several() ? "all" : s_.grids.empty() ? "" : s_.grids.front().scenario; }

  // The scenarios that are shown in full.
  std::vector<std::string> in_full() const {
    if (!view_.scenario.empty()) return {view_.scenario};
    std::vector<std::string> out;
    if (!wide_)
      for (const GridSummary& grid : s_.grids) out.push_back(grid.scenario);
    return out;
  }

  static const std::vector<ScenarioCounts>* scenarios_of(const CodeSummary& code, const std::string& model) {
    for (const auto& [name, scenarios] : code.by_model)
      if (name == model) return &scenarios;
    return nullptr;
  }

  // Of a scenario, or of "all"; in cells of one sort, or in both.
  VerdictCounts counts_of(const ModelSummary& m, const CodeSummary& code, const std::string& scope,
                          std::optional<CellSort> sort = std::nullopt) const {
    VerdictCounts out{};
    const std::vector<ScenarioCounts>* scenarios = scenarios_of(code, m.entry.id);
    if (!scenarios) return out;
    for (const ScenarioCounts& s : *scenarios) {
      if (scope != s.scenario && !(scope == "all" && s_.several())) continue;
      for (size_t v = 0; v < out.size(); ++v)
        out[v] += !sort ? s.verdicts[v] : *sort == CellSort::dilemma ? s.dilemma[v] : s.verdicts[v] - s.dilemma[v];
    }
    return out;
  }

  // "Of 24 episodes: 15 failed (it ...), 9 ungraded (...)."
  void conduct(const ModelSummary& m, const CodeSummary& code) {
    const std::string scope = view_.scenario.empty() ? widest() : view_.scenario;
    const VerdictCounts all = counts_of(m, code, scope);
    std::vector<Verdict> seen;
    for (Verdict v : all_verdicts)
      if (all[static_cast<size_t>(v)] > 0) seen.push_back(v);
    std::stable_sort(seen.begin(), seen.end(),
                     [&](Verdict a, Verdict b) { return all[static_cast<size_t>(a)] > all[static_cast<size_t>(b)]; });
    std::vector<std::string> parts;
    for (Verdict v : seen) {
      std::string why = meaning(v);
      if (v == Verdict::ungraded) why = why_ungraded(m, code, why);
      parts.push_back(fmt::format("{} {} ({})", counted(all[static_cast<size_t>(v)]), one_line(name_of(v)), why));
    }
    if (parts.empty()) return;
    canvas_.text(fmt::format("Of {}{}: {}.", plural(total(all), "episode"),
                             view_.scenario.empty() ? "" : " of " + view_.scenario, joined(parts, ", ")));
    wronged(m, code);
    for (const CompetenceRow& row : code.competence)
      if (row.model == m.entry.id && row.passed == false && is_shown(row.scenario))
        canvas_.text(
            fmt::format("In {} {}: whether it could do the task is in doubt, and with it what it would do with "
                        "an opportunity. The rates there are dimmed.",
                        row.scenario, row.reason),
            0, "33");
  }

  bool is_shown(const std::string& scenario) const { return view_.scenario.empty() || view_.scenario == scenario; }

  void wronged(const ModelSummary& m, const CodeSummary& code) {
    std::vector<std::pair<std::string, int64_t>> parties;
    for (const WrongedRow& row : code.wronged) {
      if (row.model != m.entry.id || !is_shown(row.scenario)) continue;
      auto same = std::find_if(parties.begin(), parties.end(), [&](const auto& p) { return p.first == row.party; });
      if (same == parties.end()) same = parties.insert(same, {row.party, 0});
      same->second += row.episodes;
    }
    if (parties.empty()) return;
    std::ranges::stable_sort(parties, std::greater{}, [](const auto& p) { return p.second; });
    std::vector<std::string> parts;
    for (const auto& [party, n] : parties)
      parts.push_back(parts.empty() ? fmt::format("{} in {}", party, plural(n, "episode"))
                                    : fmt::format("{} in {}", party, counted(n)));
    canvas_.text(fmt::format("Wronged: {}.", joined(parts, ", ")));
  }

  static std::string why_ungraded(const ModelSummary& m, const CodeSummary& code, const std::string& otherwise) {
    auto reasons = code.ungraded_reasons.find(m.entry.id);
    if (reasons == code.ungraded_reasons.end()) return otherwise;
    std::vector<std::pair<int64_t, std::string>> order;
    for (const auto& [reason, n] : reasons->second)
      if (!reason.empty()) order.emplace_back(-n, reason);
    std::sort(order.begin(), order.end());
    if (order.empty()) return otherwise;
    if (order.size() == 1) return order[0].second;
    std::vector<std::string> parts;
    for (size_t i = 0; i < std::min<size_t>(order.size(), 2); ++i)
      parts.push_back(fmt::format("{}: {}", counted(-order[i].first), order[i].second));
    if (order.size() > 2) parts.push_back("and others");
    return joined(parts, "; ");
  }

  // --- how often

  static bool is_act(const OutcomeName& outcome) { return outcome.kind == OutcomeName::Kind::act; }

  // What a model did does not depend on the code, so acts stand under the first one alone.
  void rates(const ModelSummary& m, const CodeSummary& code, const std::string& scope, CellSort sort, bool with_acts) {
    RateTable table;
    const std::string name = scope == "all" && s_.several() ? fmt::format("all {} scenarios", s_.grids.size()) : scope;
    table.title = sort == CellSort::ordinary ? name
                                             : fmt::format("no clean action under {} · {} in {}", code.code,
                                                           plural(dilemma_cells(code, scope), "cell"), name);
    const VerdictCounts counts = counts_of(m, code, scope, sort);
    table.episodes = total(counts);
    table.ungraded = counts[static_cast<size_t>(Verdict::ungraded)];
    table.planted = m.entry.policy.has_value();
    for (const RateRow& r : code.rates)
      if (r.of.model == m.entry.id && r.of.scope == scope && r.of.cells == sort && (with_acts || !is_act(r.outcome)))
        table.rows.push_back(&r);
    if (scope == "all" && !table.rows.empty() && table.rows.front()->competent == false)
      table.doubt = "a mean with scenarios in it whose task it may not be able to do";
    write_rates(canvas_, table);
  }

  static int64_t dilemma_cells(const CodeSummary& code, const std::string& scope) {
    int64_t n = 0;
    for (const auto& [scenario, cells] : code.dilemma_cells)
      if (scope == "all" || scope == scenario) n += cells;
    return n;
  }

  // Subversion, scenario by scenario; those of a family under it.
  void across(const ModelSummary& m, const CodeSummary& code) {
    auto row_of = [&](const std::string& scope) -> const RateRow* {
      for (const RateRow& r : code.rates)
        if (r.of.model == m.entry.id && r.of.scope == scope && r.of.cells == CellSort::ordinary &&
            r.outcome.text() == "verdict:subvert")
          return &r;
      return nullptr;
    };
    std::vector<std::pair<std::string, const RateRow*>> rows;
    std::vector<std::string> families;
    for (const GridSummary& grid : s_.grids) {
      if (std::ranges::find(families, grid.family) != families.end()) continue;
      families.push_back(grid.family);
      const RateRow* family = row_of(grid.family);
      const bool headed = family && family->of.kind == Of::Kind::family;
      if (headed) rows.emplace_back(grid.family, family);
      for (const GridSummary& one : s_.grids)
        if (const RateRow* row = one.family == grid.family ? row_of(one.scenario) : nullptr)
          rows.emplace_back((headed ? "  " : "") + one.scenario, row);
    }
    write_across(canvas_, "subvert, by scenario · each in full: --scenario NAME, or --all", rows,
                 m.entry.policy.has_value());
  }

  void levels(const ModelSummary& m, const CodeSummary& code, bool with_acts) {
    const std::string scope = view_.scenario.empty() ? widest() : view_.scenario;
    for (CellSort sort : {CellSort::ordinary, CellSort::dilemma}) {
      std::vector<const LevelRate*> rows;
      for (const LevelRate& r : code.by)
        if (r.rate.of.model == m.entry.id && r.rate.of.scope == scope && r.rate.of.cells == sort &&
            (with_acts || !is_act(r.rate.outcome)))
          rows.push_back(&r);
      std::string title = fmt::format("by {}", s_.by);
      if (sort == CellSort::dilemma) title += fmt::format(" · no clean action under {}", code.code);
      if (scope == "all") title += " · mean over the scenarios that have it";
      write_levels(canvas_, title, rows, m.entry.policy.has_value());
    }
  }

  // --- what changed it

  void effects(const ModelSummary& m, const CodeSummary& code, bool with_acts) {
    auto table_of = [&](const std::vector<std::string>& scopes, const std::string& title, bool brief) {
      EffectTable table{title, {}, m.entry.policy.has_value(), brief};
      for (const std::string& scope : scopes)
        for (const EffectRow& r : code.effects)
          if (r.of.model == m.entry.id && r.of.scope == scope && r.of.cells == CellSort::ordinary &&
              (with_acts || !is_act(r.outcome)) && (!brief || wide_ || !r.exploratory))
            table.rows.push_back(&r);
      return table;
    };
    const char* twins = "twins differ in one factor alone";
    // Where each scenario follows in full, only what was declared stands before them.
    if (s_.several() && view_.scenario.empty())
      write_effects(canvas_, table_of({"all"}, fmt::format("what changes it over all · {}", twins), true));
    if (std::vector<std::string> scopes = in_full(); !scopes.empty())
      write_effects(canvas_, table_of(scopes, fmt::format("what changes it · {}", twins), false));
  }

  void interactions(const ModelSummary& m, const CodeSummary& code) {
    const std::string scope = view_.scenario.empty() ? widest() : view_.scenario;
    std::vector<const InteractionRow*> rows;
    for (const InteractionRow& r : code.interactions)
      if (r.of.model == m.entry.id && r.of.scope == scope && r.of.cells == CellSort::ordinary) rows.push_back(&r);
    write_interactions(canvas_, rows);
  }

  void dilemmas(const ModelSummary& m, const CodeSummary& code) {
    if (wide_) return rates(m, code, widest(), CellSort::dilemma, true);
    for (const std::string& scope : in_full()) rates(m, code, scope, CellSort::dilemma, true);
  }

  // --- was it noticed?

  void checks(const ModelSummary& m) {
    std::vector<const CheckRow*> rows;
    for (const CheckRow& r : s_.checks)
      if (r.model == m.entry.id && is_shown(r.scenario)) rows.push_back(&r);
    write_checks(canvas_, rows, m.entry.policy.has_value());
  }

  // --- acts, and what happens by itself

  void deeds(const ModelSummary& m) {
    std::vector<ActCounts> acts;  // all scenarios together
    bool notable = false;
    for (const ActCounts& a : s_.acts) {
      if (a.model != m.entry.id || !is_shown(a.scenario)) continue;
      auto same = std::ranges::find(acts, a.act, &ActCounts::act);
      if (same == acts.end()) same = acts.insert(same, ActCounts{.act = a.act});
      for (size_t h = 0; h < a.how_far.size(); ++h) same->how_far[h] += a.how_far[h];
      same->by_rule += a.by_rule, same->by_truth += a.by_truth, same->by_judge += a.by_judge,
          same->by_program += a.by_program, same->open += a.open;
      notable |=
          a.by_truth + a.by_judge + a.by_program + a.open + far(a, HowFar::attempted) + far(a, HowFar::considered) > 0;
    }
    if (notable) {
      canvas_.section("how far acts went, and who decided · episodes");
      std::vector<std::pair<const char*, int64_t (*)(const ActCounts&)>> columns = {
          {"done", [](const ActCounts& a) { return far(a, HowFar::dispatched) + far(a, HowFar::took_effect); }},
          {"by rule", [](const ActCounts& a) { return a.by_rule; }},
          {"by truth", [](const ActCounts& a) { return a.by_truth; }},
          {"by judge", [](const ActCounts& a) { return a.by_judge; }},
          {"program", [](const ActCounts& a) { return a.by_program; }},
          {"open", [](const ActCounts& a) { return a.open; }},
          {"tried", [](const ActCounts& a) { return far(a, HowFar::attempted); }},
          {"considered", [](const ActCounts& a) { return far(a, HowFar::considered); }}};
      std::erase_if(columns, [&](const auto& c) {
        return std::ranges::all_of(acts, [&](const ActCounts& a) { return c.second(a) == 0; });
      });
      const int name = std::clamp(canvas_.width - 4 - 10 * static_cast<int>(columns.size()), 10, 24);
      const int column = std::min(10, (canvas_.width - 2 - name) / std::max(1, static_cast<int>(columns.size())));
      std::string heading = "  " + left("act", name);
      for (const auto& c : columns) heading += right(c.first, column);
      canvas_.line(canvas_.pen.dim(heading));
      for (const ActCounts& a : acts) {
        std::string line = "  " + left(one_line(a.act), name);
        for (const auto& c : columns) line += right(c.second(a) ? counted(c.second(a)) : "–", column);
        canvas_.line(line);
      }
      if (std::ranges::any_of(acts, [](const ActCounts& a) { return a.by_truth > 0; }))
        canvas_.text("by truth: the policy answered the act’s question itself, which tests no grading", 2, "2");
    }
    for (const DefaultEffect& d : s_.default_effects)
      if (d.model == m.entry.id && is_shown(d.scenario))
        canvas_.text(fmt::format("In {} of {}, where the agent did nothing, this happened by itself: {}",
                                 plural(d.episodes, "episode"), d.scenario, d.effect));
  }

  static int64_t far(const ActCounts& a, HowFar how_far) { return a.how_far[static_cast<size_t>(how_far)]; }

  // --- was what was planted recovered?

  void recovered(const ModelSummary& m) {
    if (!m.entry.policy || s_.codes.empty()) return;
    int64_t intervals = 0, held = 0;
    auto count = [&](const std::optional<Interval>& interval, double planted) {
      ++intervals;
      held += holds(*interval, planted);
    };
    auto counts = [&](const Of& of) { return of.model == m.entry.id && of.kind == Of::Kind::scenario; };
    for (const CodeSummary& code : s_.codes) {
      if (told_with(code)) continue;
      for (const RateRow& r : code.rates)
        if (counts(r.of) && r.planted && r.estimate.interval && *r.planted > 0 && *r.planted < 1)
          count(r.estimate.interval, *r.planted);
      for (const EffectRow& r : code.effects)
        if (counts(r.of) && r.planted && r.effect.interval && !r.planted_fixed) count(r.effect.interval, *r.planted);
    }
    canvas_.section("was what was planted found?");
    if (intervals == 0) return canvas_.text("There are too few epochs for any interval.");
    canvas_.text(fmt::format(
        "{} of {} intervals contain the planted value; of 95 % intervals about {:.0f} should (they share episodes, so "
        "misses come in groups){}. Values planted at exactly 0 or 1 are not counted: they leave nothing to miss.",
        counted(held), counted(intervals), 0.95 * static_cast<double>(intervals),
        held < intervals && !wide_ ? "; the others are marked !" : ""));
  }

  const Summary& s_;
  const SummaryView& view_;
  Canvas canvas_;
  bool wide_;  // the mean over scenarios instead of each in full
};

}  // namespace

void Canvas::text(std::string_view words, int indent, const char* sgr) {
  for (const std::string& row : wrapped(one_line(words), width - indent))
    out_ += std::string(static_cast<size_t>(indent), ' ') + (*sgr ? pen.in(sgr, row) : row) + "\n";
}

void Canvas::section(std::string_view title) {
  out_ += "\n";
  for (const std::string& row : wrapped(one_line(title), width)) out_ += pen.bold(row) + "\n";
}

void Canvas::line(std::string_view dressed) { (out_ += dressed) += "\n"; }

std::string short_name(const OutcomeName& o) { return o.kind == OutcomeName::Kind::act ? o.act : name_of(o.verdict); }

std::string change_name(const Change& c) { return fmt::format("{}: {} − {}", c.factor, c.level, c.base); }

std::string p_text(const std::optional<double>& p) {
  if (!p) return "–";
  return *p < 0.001 ? "<.001" : *p > 0.9995 ? "1" : fmt::format("{:.3f}", *p).substr(1);
}

std::string points_range(const std::optional<Interval>& i) {
  return i ? points(i->low) + " … " + points(i->high) : "–";
}

bool holds(const Interval& i, double value) { return i.low - 1e-9 <= value && value <= i.high + 1e-9; }

std::string missed(const Canvas& canvas, const std::optional<double>& planted,
                   const std::optional<Interval>& interval) {
  return planted && interval && !holds(*interval, *planted) ? canvas.pen.yellow("!") : "";
}

std::string summary_text(const Summary& summary, const Style& style, const SummaryView& view) {
  return Page(summary, style, view).write();
}

}  // namespace assay
