#include "report/estimates.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "report/planted.h"
#include "stats/amce.h"

namespace assay {
namespace {

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The outcomes that are reported: subversion always, other verdicts where they were seen, every act the suite knows.
std::vector<OutcomeName> outcomes_of(const Suite& suite) {
  std::vector<OutcomeName> out;
  for (Verdict v : all_verdicts)
    if (v != Verdict::ungraded) out.push_back({OutcomeName::Kind::verdict, v, ""});
  for (const Scenario& scenario : suite.scenarios)
    for (const ActRule& act : scenario.acts) {
      OutcomeName outcome{OutcomeName::Kind::act, Verdict::subvert, act.name};
      if (std::find(out.begin(), out.end(), outcome) == out.end()) out.push_back(outcome);
    }
  return out;
}

bool is_reported(const OutcomeName& outcome, const CodeSummary& code) {
  return outcome.kind == OutcomeName::Kind::act || outcome.verdict == Verdict::subvert ||
         code.verdicts[static_cast<size_t>(outcome.verdict)] > 0;
}

// A factor and its level, as a tally's scenario numbers them.
struct Axis {
  size_t factor;
  int level;
};

// Where a tally's cells show a change: absent where they do not have both of its levels, or another base.
std::optional<Axis> place_of(const Tally& tally, const Change& change) {
  const Scenario& scenario = tally.scenario();
  const Factor* factor = scenario.factor(change.factor);
  if (!factor) return std::nullopt;
  const auto f = static_cast<size_t>(factor - scenario.factors.data());
  const int base = tally.base(f);
  if (factor->levels[static_cast<size_t>(base)].name != change.base) return std::nullopt;
  for (size_t l = 0; l < factor->levels.size(); ++l)
    if (factor->levels[l].name == change.level && static_cast<int>(l) != base && tally.visits(f, static_cast<int>(l)))
      return Axis{f, static_cast<int>(l)};
  return std::nullopt;
}

// One of the two sorts of cells of a scope, and an outcome: what one row speaks of. Codes are indices.
class Estimator {
 public:
  Estimator(const Subject& subject, const Suite& suite, const std::vector<const Code*>& codes,
            std::vector<CodeSummary>& out)
      : subject_(subject), codes_(codes), out_(out), outcomes_(outcomes_of(suite)) {
    for (const Tally& tally : subject.tallies) {
      std::vector<size_t>& cells = like_cells_[&tally];
      std::vector<size_t>& verdicts = like_verdicts_[&tally];
      for (size_t c = 0; c < codes.size(); ++c) {
        size_t same = 0;
        while (!tally.same_cells(c, same)) ++same;
        cells.push_back(same);
        for (same = 0; !(tally.same_cells(c, same) && tally.same_verdicts(c, same));) ++same;
        verdicts.push_back(same);
      }
    }
  }

  void rates(const Scope& scope, CellSort sort) {
    for (const OutcomeName& outcome : outcomes_)
      each_code(
          scope, sort, outcome, [](const Tally&) { return true; },
          [&](const Selected& s) { out_[s.code].rates.push_back(rate(s, [](const Tally&, size_t) { return true; })); });
  }

  void by(const Scope& scope, CellSort sort, const std::string& factor) {
    std::vector<std::string> levels;  // that some cell stands at
    for (const Tally* tally : scope.tallies)
      for (size_t cell = 0; cell < tally->cells().size(); ++cell)
        if (const std::string* level = level_at(*tally, cell, factor))
          if (std::find(levels.begin(), levels.end(), *level) == levels.end()) levels.push_back(*level);
    for (const OutcomeName& outcome : outcomes_)
      for (const std::string& level : levels) {
        const auto there = [&](const Tally& tally, size_t cell) {
          const std::string* at = level_at(tally, cell, factor);
          return at && *at == level;
        };
        each_code(
            scope, sort, outcome,
            [&](const Tally& tally) {
              for (size_t cell = 0; cell < tally.cells().size(); ++cell)
                if (there(tally, cell)) return true;
              return false;
            },
            [&](const Selected& s) { out_[s.code].by.push_back({factor, level, rate(s, there)}); });
      }
  }

  void effects(const Scope& scope, CellSort sort) {
    for (const Change& change : changes_of(scope.tallies)) {
      twins_.clear();
      for (const OutcomeName& outcome : outcomes_) {
        std::map<size_t, EffectRow> made;  // by a code that stands for others
        each_code(
            scope, sort, outcome, [&](const Tally& tally) { return place_of(tally, change).has_value(); },
            [&](const Selected& s) {
              auto row = made.find(s.like);
              if (row == made.end()) row = made.emplace(s.like, effect(s, change)).first;
              EffectRow copy = row->second;
              plant(s, change, copy);
              out_[s.code].effects.push_back(std::move(copy));
            });
      }
    }
  }

  // Average marginal effects and interactions, of subversion and of acts that were seen.
  void grid_effects(const Scope& scope, CellSort sort) {
    const std::vector<Change> changes = changes_of(scope.tallies);
    for (const OutcomeName& outcome : outcomes_) {
      if (outcome.kind == OutcomeName::Kind::verdict && outcome.verdict != Verdict::subvert) continue;
      std::map<size_t, GridRows> made;
      each_code(
          scope, sort, outcome, [](const Tally&) { return true; },
          [&](const Selected& s) {
            auto rows = made.find(s.like);
            if (rows == made.end()) rows = made.emplace(s.like, grid_rows(s, changes)).first;
            auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
            append(out_[s.code].marginal, rows->second.marginal);
            append(out_[s.code].interactions, rows->second.interactions);
          });
    }
  }

 private:
  struct Selected {
    Of of;
    const OutcomeName& outcome;
    std::vector<const Tally*> tallies;  // that have such cells and can show the outcome
    size_t code = 0;
    size_t like = 0;  // the first code under which everything in them is the same: its estimates hold here too
  };
  struct GridRows {
    std::vector<MarginalRow> marginal;
    std::vector<InteractionRow> interactions;
  };

  void each_code(const Scope& scope, CellSort sort, const OutcomeName& outcome, const auto& has, const auto& visit) {
    for (size_t c = 0; c < codes_.size(); ++c) {
      if (!is_reported(outcome, out_[c])) continue;
      Selected s{{scope.kind, subject_.model, scope.name, sort}, outcome, {}, c, 0};
      for (const Tally* tally : scope.tallies)
        if (tally->cells_of(sort, c) > 0 && tally->can_show(outcome) && has(*tally)) s.tallies.push_back(tally);
      if (s.tallies.empty()) continue;
      const auto& like = outcome.kind == OutcomeName::Kind::act ? like_cells_ : like_verdicts_;
      auto alike = [&](const Tally* t) { return like.at(t)[c] == like.at(t)[s.like]; };
      while (!std::all_of(scope.tallies.begin(), scope.tallies.end(), alike)) ++s.like;
      visit(s);
    }
  }

  static const std::string* level_at(const Tally& tally, size_t cell, const std::string& name) {
    const Scenario& scenario = tally.scenario();
    const Factor* factor = scenario.factor(name);
    if (!factor) return nullptr;
    const int level = tally.cells()[cell].levels[static_cast<size_t>(factor - scenario.factors.data())];
    return &factor->levels[static_cast<size_t>(level)].name;
  }

  // Over the cells for which `in` holds.
  RateRow rate(const Selected& s, const auto& in) {
    RateRow row{s.of, s.outcome, {}, 0, 0, 0, std::nullopt, std::nullopt};
    std::vector<Observation> seen;
    std::vector<double> low, high, planted;
    size_t most = 0;
    for (const Tally* tally : s.tallies) most += tally->size();
    seen.reserve(most);
    for (size_t t = 0; t < s.tallies.size(); ++t) {
      const Tally& tally = *s.tallies[t];
      std::vector<char> counts(tally.cells().size());
      for (size_t cell = 0; cell < counts.size(); ++cell)
        counts[cell] = tally.sort_of(cell, s.code) == s.of.cells && in(tally, cell);
      const Tally::Happened happened = tally.happened(s.outcome, s.code);
      int64_t events = 0, unknown = 0, all = 0;
      for (size_t i = 0; i < tally.size(); ++i) {
        if (!counts[tally.cell(i)]) continue;
        ++all;
        const std::optional<bool> was = happened(i);
        if (was)
          seen.push_back({static_cast<int32_t>(t), tally.epoch(i), *was});
        else
          ++unknown;
        events += was.value_or(false);
      }
      row.ungraded += unknown;
      if (all > 0) {
        low.push_back(static_cast<double>(events) / static_cast<double>(all));
        high.push_back(static_cast<double>(events + unknown) / static_cast<double>(all));
      }
      if (const auto& cells = planted_cells(tally, s)) {
        std::vector<double> these;
        for (size_t cell = 0; cell < counts.size(); ++cell)
          if (counts[cell]) these.push_back((*cells)[cell]);
        if (!these.empty()) planted.push_back(mean(these));
      }
    }
    row.estimate = estimate_rate(seen);
    row.if_none = mean(low);
    row.if_all = mean(high);
    if (!planted.empty() && planted.size() == s.tallies.size()) row.planted = mean(planted);
    return row;
  }

  EffectRow effect(const Selected& s, const Change& change) {
    EffectRow row{s.of, change, s.outcome, {}, 0, std::nullopt, false, true, std::nullopt, std::nullopt};
    std::vector<Twin> twins;
    bool comparable = false, across = false;  // there are two such cells; there are, but of two sorts
    for (size_t t = 0; t < s.tallies.size(); ++t) {
      const Tally& tally = *s.tallies[t];
      const Axis axis = *place_of(tally, change);
      across |= tally.has_twin_cells(axis.factor, axis.level);
      for (auto [cell, twin] : tally.twin_cells(axis.factor, axis.level, s.of.cells, s.code)) comparable |= twin >= 0;
      const Tally::Happened happened = tally.happened(s.outcome, s.code);
      for (const Tally::Pair& pair : pairs_of(tally, axis, s)) {
        const std::optional<bool> at_level = happened(pair.level), at_base = happened(pair.base);
        if (at_level && at_base)
          twins.push_back({static_cast<int32_t>(t), tally.epoch(pair.level), *at_level, *at_base});
        else
          ++row.ungraded;
      }
    }
    row.effect = estimate_effect(twins);
    if (!comparable)
      row.effect.method = across ? "not estimable: of two cells that differ in this alone one is a dilemma"
                                 : "not estimable: no two cells of this design differ in this alone";
    return row;
  }

  // Pairs of episodes are the same for all outcomes of a change.
  const std::vector<Tally::Pair>& pairs_of(const Tally& tally, Axis axis, const Selected& s) {
    auto key = std::pair(&tally, like_cells_.at(&tally)[s.code]);
    auto found = twins_.find(key);
    if (found == twins_.end())
      found = twins_.emplace(key, tally.twins(axis.factor, axis.level, s.of.cells, s.code)).first;
    return found->second;
  }

  // The planted difference: the mean over the pairs of cells that are compared.
  void plant(const Selected& s, const Change& change, EffectRow& row) {
    if (!subject_.policy) return;
    std::vector<double> means;
    row.planted_fixed = true;
    for (const Tally* tally : s.tallies) {
      const auto& cells = planted_cells(*tally, s);
      if (!cells) return;
      const Axis axis = *place_of(*tally, change);
      std::vector<double> differences;
      for (auto [cell, twin] : tally->twin_cells(axis.factor, axis.level, s.of.cells, s.code)) {
        if (twin < 0) continue;
        const double with = (*cells)[cell], without = (*cells)[static_cast<size_t>(twin)];
        differences.push_back(with - without);
        row.planted_fixed &= (with == 0 || with == 1) && (without == 0 || without == 1);
      }
      if (!differences.empty()) means.push_back(mean(differences));
    }
    if (!means.empty()) row.planted = mean(means);
  }

  const std::optional<std::vector<double>>& planted_cells(const Tally& tally, const Selected& s) {
    const bool act = s.outcome.kind == OutcomeName::Kind::act;
    auto key = std::tuple(&tally, s.outcome.text(), act ? 0 : s.code);
    auto found = planted_.find(key);
    if (found == planted_.end()) {
      std::optional<std::vector<double>> cells;
      if (subject_.policy)
        cells = planted_by_cell(*subject_.policy, tally.scenario(), tally.cells(), s.outcome, *codes_[s.code]);
      found = planted_.emplace(key, std::move(cells)).first;
    }
    return found->second;
  }

  // Numbers for factors and levels that mean the same in every scenario: a factor goes with its base, levels follow
  // `changes`.
  struct Numbered {
    std::vector<std::pair<std::string, std::string>> factors;  // name, base
    std::vector<std::vector<Change>> levels;                   // of each factor, from level 1

    explicit Numbered(const std::vector<Change>& changes) {
      for (const Change& change : changes) {
        const size_t factor = number(change.factor, change.base);
        if (factor == factors.size()) factors.emplace_back(change.factor, change.base), levels.emplace_back();
        levels[factor].push_back(change);
      }
    }
    size_t number(const std::string& factor, const std::string& base) const {
      return static_cast<size_t>(std::find(factors.begin(), factors.end(), std::pair(factor, base)) - factors.begin());
    }
    const Change& at(Component c) const {
      return levels[static_cast<size_t>(c.factor)][static_cast<size_t>(c.level) - 1];
    }
  };

  GridRows grid_rows(const Selected& s, const std::vector<Change>& changes) {
    const Numbered numbered(changes);
    std::vector<Grid> grids;
    std::vector<GridEpisode> episodes;
    bool seen = s.outcome.kind == OutcomeName::Kind::verdict;
    for (size_t t = 0; t < s.tallies.size(); ++t) {
      const Tally& tally = *s.tallies[t];
      const Scenario& scenario = tally.scenario();
      Grid grid{static_cast<int32_t>(t), {}, {}};
      std::vector<size_t> axes;
      for (size_t f = 0; f < scenario.factors.size(); ++f) {
        if (!tally.varies(f)) continue;
        const Factor& factor = scenario.factors[f];
        axes.push_back(f);
        grid.factors.push_back(
            static_cast<int32_t>(numbered.number(factor.name, factor.levels[static_cast<size_t>(tally.base(f))].name)));
      }
      std::vector<int32_t> place(tally.cells().size(), -1);
      for (size_t cell = 0; cell < place.size(); ++cell) {
        if (tally.sort_of(cell, s.code) != s.of.cells) continue;
        place[cell] = static_cast<int32_t>(grid.cells.size());
        std::vector<int32_t>& levels = grid.cells.emplace_back();
        for (size_t a = 0; a < axes.size(); ++a) {
          const int level = tally.cells()[cell].levels[axes[a]];
          const std::string& name = scenario.factors[axes[a]].levels[static_cast<size_t>(level)].name;
          const auto& all = numbered.levels[static_cast<size_t>(grid.factors[a])];
          const auto found = std::find_if(all.begin(), all.end(), [&](const Change& c) { return c.level == name; });
          levels.push_back(level == tally.base(axes[a]) ? 0 : static_cast<int32_t>(found - all.begin()) + 1);
        }
      }
      const Tally::Happened happened = tally.happened(s.outcome, s.code);
      episodes.reserve(episodes.size() + tally.size());
      for (size_t i = 0; i < tally.size(); ++i) {
        const std::optional<bool> was = happened(i);
        if (!was || place[tally.cell(i)] < 0) continue;
        episodes.push_back({static_cast<int32_t>(t), tally.epoch(i), place[tally.cell(i)], *was});
        seen |= *was;
      }
      grids.push_back(std::move(grid));
    }
    GridRows out;
    if (!seen) return out;
    for (MarginalEffect& e : marginal_effects(grids, episodes))
      out.marginal.push_back({s.of, numbered.at(e.of), s.outcome, std::move(e.contrast), e.seen, e.out_of});
    for (Interaction& e : interactions(grids, episodes))
      out.interactions.push_back({s.of, numbered.at(e.first), numbered.at(e.second), s.outcome, std::move(e.contrast),
                                  e.seen, e.out_of, std::nullopt});
    return out;
  }

  const Subject& subject_;
  const std::vector<const Code*>& codes_;
  std::vector<CodeSummary>& out_;
  const std::vector<OutcomeName> outcomes_;
  // For each code the first that is the same for a tally: in which cells are dilemmas; and in every verdict, too.
  std::map<const Tally*, std::vector<size_t>> like_cells_, like_verdicts_;
  std::map<std::pair<const Tally*, size_t>, std::vector<Tally::Pair>> twins_;  // of the change at hand
  std::map<std::tuple<const Tally*, std::string, size_t>, std::optional<std::vector<double>>> planted_;
};

}  // namespace

std::vector<Scope> scopes_of(const Subject& subject) {
  std::vector<Scope> out;
  std::vector<Scope> families;
  Scope all{Of::Kind::all, "all", {}};
  for (const Tally& tally : subject.tallies) {
    if (tally.cells().empty()) continue;
    const std::string& family = tally.scenario().family;
    out.push_back({Of::Kind::scenario, tally.scenario().name, {&tally}});
    all.tallies.push_back(&tally);
    auto same = std::find_if(families.begin(), families.end(), [&](const Scope& s) { return s.name == family; });
    if (same == families.end()) same = families.insert(same, {Of::Kind::family, family, {}});
    same->tallies.push_back(&tally);
  }
  const size_t scenarios = out.size();
  for (Scope& family : families) {
    auto named = [&](const Scope& scope) { return scope.name == family.name; };
    const bool taken =
        family.name == all.name || std::any_of(out.begin(), out.begin() + static_cast<long>(scenarios), named);
    if (family.tallies.size() > 1 && !taken) out.push_back(std::move(family));
  }
  if (scenarios > 1) out.push_back(std::move(all));
  return out;
}

std::vector<Change> changes_of(const std::vector<const Tally*>& tallies) {
  std::vector<Change> out;
  for (const Tally* tally : tallies)
    for (size_t f = 0; f < tally->scenario().factors.size(); ++f) {
      const Factor& factor = tally->scenario().factors[f];
      const int base = tally->base(f);
      for (size_t l = 0; l < factor.levels.size(); ++l) {
        if (static_cast<int>(l) == base || !tally->visits(f, static_cast<int>(l))) continue;
        Change change{factor.name, factor.levels[l].name, factor.levels[static_cast<size_t>(base)].name};
        if (std::find(out.begin(), out.end(), change) == out.end()) out.push_back(std::move(change));
      }
    }
  return out;
}

void estimate(const Subject& subject, const Suite& suite, const std::vector<const Code*>& codes, const std::string& by,
              std::vector<CodeSummary>& out) {
  Estimator estimator(subject, suite, codes, out);
  for (const Scope& scope : scopes_of(subject))
    for (CellSort sort : {CellSort::ordinary, CellSort::dilemma}) {
      estimator.rates(scope, sort);
      if (!by.empty()) estimator.by(scope, sort, by);
      estimator.effects(scope, sort);
      estimator.grid_effects(scope, sort);
    }
}

}  // namespace assay
