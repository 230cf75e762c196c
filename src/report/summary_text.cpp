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

class Page {
 public:
  Page(const Summary& summary, const Style& style, const SummaryView& view) : s_(summary), view_(view), canvas_(style) {
    wide_ = view.scenario.empty() && !view.all && summary.grids.size() > few_scenarios;
  }

  std::string write() {
    write_head(canvas_, s_);
    for (const ModelSummary& model : s_.models) {
      write_model(canvas_, model);
      if (model.episodes == 0) {
        choices(model);
        continue;
      }
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
        choices(model);
      }
    }
    return canvas_.take();
  }

 private:
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

  void conduct(const ModelSummary& m, const CodeSummary& code) {
    const std::string scope = view_.scenario.empty() ? widest() : view_.scenario;
    write_conduct(canvas_, m.entry.id, code, counts_of(m, code, scope), view_.scenario);
  }

  bool is_shown(const std::string& scenario) const { return view_.scenario.empty() || view_.scenario == scenario; }

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
      if (scope == "all") title += " · over the scenarios that have it";
      write_levels(canvas_, title, rows, m.entry.policy.has_value());
    }
  }

  // --- what changed it

  void effects(const ModelSummary& m, const CodeSummary& code, bool with_acts) {
    const bool planted = m.entry.policy.has_value();
    auto belongs = [&](const Of& of, const OutcomeName& outcome, const std::string& scope) {
      return of.model == m.entry.id && of.scope == scope && of.cells == CellSort::ordinary &&
             (with_acts || !is_act(outcome));
    };
    auto write = [&](const std::vector<std::string>& scopes, const std::string& title, bool brief) {
      EffectTable twins{title + " · twins differ in one factor alone", {}, planted, brief};
      EffectTable fitted{title + " · least squares over the cells drawn", {}, planted, brief, true};
      for (const std::string& scope : scopes) {
        for (const EffectRow& r : code.effects)
          if (belongs(r.of, r.outcome, scope) && (!brief || wide_ || !r.exploratory)) twins.rows.push_back(line_of(r));
        for (const MarginalRow& r : code.marginal)
          if (belongs(r.of, r.outcome, scope) && r.least_squares) fitted.rows.push_back(line_of(r));
      }
      by_change(fitted.rows);
      twins.silent = !fitted.rows.empty();
      write_effects(canvas_, twins);
      write_effects(canvas_, fitted);
    };
    // Where each scenario follows in full, only what was declared stands before them.
    if (s_.several() && view_.scenario.empty()) write({"all"}, "what changes it over all", true);
    if (std::vector<std::string> scopes = in_full(); !scopes.empty()) write(scopes, "what changes it", false);
  }

  // From an outcome after another to a change after another, each scope for itself.
  static void by_change(std::vector<EffectLine>& rows) {
    std::vector<std::pair<std::string, Change>> order;
    auto place = [&](const EffectLine& row) {
      return std::ranges::find(order, std::pair(row.of.scope, row.change)) - order.begin();
    };
    for (const EffectLine& row : rows)
      if (place(row) == static_cast<long>(order.size())) order.emplace_back(row.of.scope, row.change);
    std::ranges::stable_sort(rows, {}, place);
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

  // --- forced choice

  // Under the first code; a run of many scenarios shows what the alternatives come to on average.
  void choices(const ModelSummary& m) {
    if (m.choices == 0 && m.unanswered.empty()) return;
    write_choices(canvas_, m);
    if (s_.codes.empty()) return;
    const CodeSummary& code = s_.codes.front();
    std::vector<std::string> scopes = in_full();
    if (wide_) scopes = {widest()};
    for (const std::string& scope : scopes) {
      ChoiceTable table;
      table.scenario = scope == "all" && s_.several() ? fmt::format("all {} scenarios", s_.grids.size()) : scope;
      table.code = code.code;
      for (const AlternativeRow& row : s_.alternatives)
        if (row.model == m.entry.id && row.scenario == scope) table.alternatives.push_back(&row);
      for (const AlternativeEffectRow& row : s_.alternative_effects)
        if (row.model == m.entry.id && row.scenario == scope) table.turns.push_back(&row);
      auto belongs = [&](const Of& of) {
        return of.model == m.entry.id && of.scope == scope && of.cells == CellSort::ordinary;
      };
      for (const PropensityRow& row : code.propensities) {
        if (!belongs(row.of)) continue;
        const auto sampled = std::ranges::find_if(
            code.rates, [&](const RateRow& r) { return belongs(r.of) && r.outcome == row.outcome; });
        table.outcomes.emplace_back(&row, sampled == code.rates.end() ? nullptr : &*sampled);
      }
      for (const PropensityEffectRow& row : code.propensity_effects)
        if (belongs(row.of)) table.effects.push_back(&row);
      write_choices(canvas_, table);
    }
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
    std::vector<const ActCounts*> acts;
    for (const ActCounts& a : s_.acts)
      if (a.model == m.entry.id && is_shown(a.scenario)) acts.push_back(&a);
    write_deeds(canvas_, acts);
    std::vector<const DefaultEffect*> by_itself;
    for (const DefaultEffect& d : s_.default_effects)
      if (d.model == m.entry.id && is_shown(d.scenario)) by_itself.push_back(&d);
    write_default_effects(canvas_, by_itself);
  }

  // --- was what was planted recovered?

  void recovered(const ModelSummary& m) {
    if (!m.entry.policy || s_.codes.empty()) return;
    Recovered recovered;
    auto counts = [&](const Of& of) { return of.model == m.entry.id && of.kind == Of::Kind::scenario; };
    for (const CodeSummary& code : s_.codes) {
      if (told_with(code)) continue;
      for (const RateRow& r : code.rates)
        if (counts(r.of) && r.planted.value_or(0) > 0 && r.planted.value_or(1) < 1)
          recovered.add(r.estimate.interval, r.planted);
      for (const EffectRow& r : code.effects)
        if (counts(r.of) && !r.planted_fixed) recovered.add(r.effect.interval, r.planted);
      for (const MarginalRow& r : code.marginal)
        if (counts(r.of) && r.least_squares && !r.planted_fixed) recovered.add(r.contrast.interval, r.planted);
    }
    recovered.write(canvas_, !wide_);
    if (!m.entry.card.is_null())
      canvas_.text(
          "An organism is a network that learned what was planted, more or less; assay validate compares with "
          "what is true of it.",
          2, "2");
  }

  const Summary& s_;
  const SummaryView& view_;
  Canvas canvas_;
  bool wide_;  // the mean over scenarios instead of each in full
};

}  // namespace

std::string summary_text(const Summary& summary, const Style& style, const SummaryView& view) {
  return Page(summary, style, view).write();
}

}  // namespace assay
