// Which comparisons were declared before the run, and what p-values mean when there are many.
#include <algorithm>

#include "report/estimates.h"
#include "stats/multiple.h"

namespace assay {
namespace {

// The scope that all of a model's episodes are in, and its ordinary cells; where it has none, its dilemma cells.
bool is_declared(const auto& row, const CodeSummary& code, Of::Kind widest, CellSort sort) {
  return code.registered && row.of.kind == widest && row.of.cells == sort &&
         row.outcome == OutcomeName{OutcomeName::Kind::verdict, Verdict::subvert, ""};
}

// Adjusted p-values of those rows, by `adjusted`; `p_of` may say that a row has none.
void assign(const auto& rows, const auto& p_of, const auto& adjusted, const auto& set) {
  std::vector<MaybeP> ps;
  for (auto* row : rows) ps.push_back(p_of(*row));
  const std::vector<MaybeP> out = adjusted(ps);
  for (size_t i = 0; i < rows.size(); ++i) set(*rows[i], out[i]);
}

}  // namespace

void adjust(CodeSummary& code, const std::string& model) {
  auto widest = Of::Kind::scenario;
  CellSort sort = CellSort::dilemma;
  for (const RateRow& r : code.rates)
    if (r.of.model == model && r.of.kind == Of::Kind::all) widest = Of::Kind::all;
  for (const RateRow& r : code.rates)
    if (r.of.model == model && r.of.kind == widest && r.of.cells == CellSort::ordinary) sort = CellSort::ordinary;

  std::vector<EffectRow*> declared, explored;
  for (EffectRow& row : code.effects) {
    if (row.of.model != model) continue;
    row.exploratory = !is_declared(row, code, widest, sort);
    // Where no twin differed, p is 1 whatever the factor does; leaving such rows out makes no other p smaller.
    if (!row.exploratory)
      declared.push_back(&row);
    else if (row.effect.p && row.effect.up + row.effect.down > 0)
      explored.push_back(&row);
  }
  auto p_of = [](const EffectRow& row) { return row.effect.p; };
  assign(
      declared, p_of, [](const auto& ps) { return holm(ps); },
      [](EffectRow& row, const MaybeP& p) { row.p_adjusted = p; });
  assign(
      explored, p_of, [](const auto& ps) { return benjamini_hochberg(ps); },
      [](EffectRow& row, const MaybeP& q) { row.q = q; });

  std::vector<MarginalRow*> fitted;
  for (MarginalRow& row : code.marginal)
    if (row.of.model == model && row.least_squares && is_declared(row, code, widest, sort)) fitted.push_back(&row);
  assign(
      fitted, [](const MarginalRow& row) { return row.contrast.p; }, [](const auto& ps) { return holm(ps); },
      [](MarginalRow& row, const MaybeP& p) { row.p_adjusted = p; });

  std::vector<InteractionRow*> pairs;
  for (InteractionRow& row : code.interactions)
    if (row.of.model == model && row.contrast.p && row.contrast.up + row.contrast.down > 0) pairs.push_back(&row);
  assign(
      pairs, [](const InteractionRow& row) { return row.contrast.p; },
      [](const auto& ps) { return benjamini_hochberg(ps); }, [](InteractionRow& row, const MaybeP& q) { row.q = q; });
}

}  // namespace assay
