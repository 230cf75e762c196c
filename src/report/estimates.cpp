#include "report/estimates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/text.h"
#include "report/numbered.h"
#include "report/planted.h"
#include "stats/amce.h"
#include "stats/regression.h"

namespace assay {
namespace {

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<const Tally*> all_of(const Subject& subject) {
  std::vector<const Tally*> out;
  for (const Tally& tally : subject.tallies) out.push_back(&tally);
  return out;
}

// Subversion always, other verdicts where they were seen, every act the suite knows.
bool is_reported(const OutcomeName& outcome, const CodeSummary& code) {
  return outcome.kind == OutcomeName::Kind::act || outcome.verdict == Verdict::subvert ||
         code.verdicts[static_cast<size_t>(outcome.verdict)] > 0;
}

// One of the two sorts of cells of a scope, and an outcome: what one row speaks of. Codes are indices.
class Estimator {
 public:
  Estimator(const Subject& subject, const std::vector<const Code*>& codes, std::vector<CodeSummary>& out)
      : subject_(subject), codes_(codes), out_(out), outcomes_(possible_outcomes(all_of(subject))) {
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
            scope, sort, outcome, [&](const Tally& tally) { return axis_of(tally, change).has_value(); },
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
            const GridRows& all = rows->second;
            for (const auto& [row, weights] : all.marginal) {
              MarginalRow& to = out_[s.code].marginal.emplace_back(row);
              to.planted = planted_sum(s, all.places, weights, 1, to.planted_fixed);
            }
            for (const auto& [row, weights] : all.interactions) {
              bool fixed = false;
              out_[s.code].interactions.emplace_back(row).planted = planted_sum(s, all.places, weights, 2, fixed);
            }
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
    std::vector<std::vector<size_t>> places;  // of each grid's cells, in its tally
    std::vector<std::pair<MarginalRow, std::vector<CellWeight>>> marginal;
    std::vector<std::pair<InteractionRow, std::vector<CellWeight>>> interactions;
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
      const Axis axis = *axis_of(tally, change);
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
    if (!subject_.known) return;
    std::vector<double> means;
    row.planted_fixed = true;
    for (const Tally* tally : s.tallies) {
      const auto& cells = planted_cells(*tally, s);
      if (!cells) return;
      const Axis axis = *axis_of(*tally, change);
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
      if (subject_.known)
        cells = planted_by_cell(*subject_.known, tally.scenario(), tally.cells(), s.outcome, *codes_[s.code]);
      found = planted_.emplace(key, std::move(cells)).first;
    }
    return found->second;
  }

  // What is estimated of these weights, were every cell's rate the planted one; absent where nothing is, or the policy
  // says nothing of a cell. Cut to +-reach, as the estimate is. `fixed`: whether each of those rates is 0 or 1.
  std::optional<double> planted_sum(const Selected& s, const std::vector<std::vector<size_t>>& places,
                                    const std::vector<CellWeight>& weights, double reach, bool& fixed) {
    if (!subject_.known || weights.empty()) return std::nullopt;
    double sum = 0;
    fixed = true;
    const std::vector<double>* rates = nullptr;
    size_t grid = places.size();
    for (const CellWeight& w : weights) {  // one grid after another
      if (w.grid != grid) {
        const auto& cells = planted_cells(*s.tallies[w.grid], s);
        if (!cells) return std::nullopt;
        rates = &*cells, grid = w.grid;
      }
      const double rate = (*rates)[places[w.grid][static_cast<size_t>(w.cell)]];
      sum += w.weight * rate;
      fixed &= rate == 0 || rate == 1;
    }
    return std::abs(sum) < 1e-12 ? 0 : std::clamp(sum, -reach, reach);  // what is left of equal rates is rounding
  }

  // "not estimable: cannot be told apart from threat: replacement and leverage: present"
  static void name_aliases(const Numbered& numbered, MainEffect& e) {
    if (e.aliased.empty()) return;
    std::vector<std::string> names;
    for (const Component& other : e.aliased) {
      const Change& change = numbered.at(other);
      names.push_back(change.factor + ": " + change.level);
    }
    e.contrast.method = "not estimable: cannot be told apart from " + joined(names, " and ");
  }

  GridRows grid_rows(const Selected& s, const std::vector<Change>& changes) {
    const Numbered numbered(changes);
    GridRows out;
    std::vector<Grid> grids;
    std::vector<GridEpisode> episodes;
    bool seen = s.outcome.kind == OutcomeName::Kind::verdict;
    bool part = false;
    for (size_t t = 0; t < s.tallies.size(); ++t) {
      const Tally& tally = *s.tallies[t];
      part |= tally.combinations() > static_cast<int64_t>(tally.cells().size());
      std::vector<int32_t> place(tally.cells().size(), -1);
      std::vector<size_t>& places = out.places.emplace_back();
      for (size_t cell = 0; cell < place.size(); ++cell) {
        if (tally.sort_of(cell, s.code) != s.of.cells) continue;
        place[cell] = static_cast<int32_t>(places.size());
        places.push_back(cell);
      }
      grids.push_back(numbered.grid_of(tally, static_cast<int32_t>(t), places));
      const Tally::Happened happened = tally.happened(s.outcome, s.code);
      episodes.reserve(episodes.size() + tally.size());
      for (size_t i = 0; i < tally.size(); ++i) {
        const std::optional<bool> was = happened(i);
        if (!was || place[tally.cell(i)] < 0) continue;
        episodes.push_back({static_cast<int32_t>(t), tally.epoch(i), place[tally.cell(i)], *was});
        seen |= *was;
      }
    }
    if (!seen) return out;
    auto add_marginal = [&](auto& e) {
      MarginalRow row{s.of, numbered.at(e.of), s.outcome, std::move(e.contrast), e.seen, e.out_of, part};
      out.marginal.push_back({std::move(row), std::move(e.weights)});
    };
    if (part) {
      for (MainEffect& e : least_squares(grids, episodes)) name_aliases(numbered, e), add_marginal(e);
    } else {
      for (MarginalEffect& e : marginal_effects(grids, episodes)) add_marginal(e);
    }
    for (Interaction& e : interactions(grids, episodes)) {
      InteractionRow row{s.of,    numbered.at(e.first), numbered.at(e.second), s.outcome, std::move(e.contrast), e.seen,
                         e.out_of};
      out.interactions.push_back({std::move(row), std::move(e.weights)});
    }
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

std::optional<Axis> axis_of(const Tally& tally, const Change& change) {
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

std::vector<OutcomeName> possible_outcomes(const std::vector<const Tally*>& tallies) {
  std::vector<OutcomeName> out;
  for (Verdict v : all_verdicts)
    if (v != Verdict::ungraded) out.push_back({OutcomeName::Kind::verdict, v, ""});
  for (const Tally* tally : tallies)
    for (const ActRule& act : tally->scenario().acts) {
      OutcomeName outcome{OutcomeName::Kind::act, Verdict::subvert, act.name};
      if (std::find(out.begin(), out.end(), outcome) == out.end()) out.push_back(outcome);
    }
  return out;
}

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

void estimate(const Subject& subject, const std::vector<const Code*>& codes, const std::string& by,
              std::vector<CodeSummary>& out) {
  Estimator estimator(subject, codes, out);
  for (const Scope& scope : scopes_of(subject))
    for (CellSort sort : {CellSort::ordinary, CellSort::dilemma}) {
      estimator.rates(scope, sort);
      if (!by.empty()) estimator.by(scope, sort, by);
      estimator.effects(scope, sort);
      estimator.grid_effects(scope, sort);
    }
}

}  // namespace assay
