// All factors at once: average marginal component effects (Hainmueller, Hopkins & Yamamoto 2014) over a crossed grid,
// and two-way interactions as differences of differences.
//
//   auto effects = marginal_effects(grids, episodes);    // every factor, every level against its base
//   auto pairs = interactions(grids, episodes);          // every pair of factors, every pair of levels
//
// The effect of a level is the mean, over the combinations of the other factors, of level minus base; the weights are
// declared, not found: every combination of a scenario weighs the same (uniform over cells, not over episodes), and so
// does every scenario. So the estimate does not drift with where episodes happened to be gradable.
//
// Within a combination only epochs count that have both sides (their surface cancels). A combination without any such
// epoch is left out, and what is estimated then is the mean over the combinations that are left: `seen` of `of` says
// so. Where all were seen equally often (contrast.even), value, interval and p equal the twin effect's (effect.h)
// exactly. In a part of a grid few combinations have both cells, or none: see regression.h.
//
// The interaction of level a of one factor with level b of another is
//   (outcome(a, b) - outcome(base, b)) - (outcome(a, base) - outcome(base, base)),
// averaged likewise over the rest: how many points more a matters under b. Symmetric in the two; in -2 .. 2.
//
// Method, limits and measured coverage: contrast.h, docs/statistics.md. Which family to correct over: multiple.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stats/contrast.h"

namespace assay {

// What one scenario crosses. Numbers for factors and levels are the caller's and mean the same in every scenario.
struct Grid {
  int32_t scenario = 0;
  std::vector<int32_t> factors;             // one for each axis, each once
  std::vector<std::vector<int32_t>> cells;  // [cell][axis] is a level, 0 the base. Need not be all combinations
};

// One graded episode. Ungraded ones are left out and counted beside.
struct GridEpisode {
  int32_t scenario = 0;
  int64_t epoch = 0;
  int32_t cell = 0;  // index into its grid's cells; seen once an epoch (of several, the last counts)
  bool event = false;
};

struct Component {
  int32_t factor = 0;
  int32_t level = 0;  // never 0: that is what it is compared with
  bool operator==(const Component&) const = default;
};

// Estimated is the sum of weight x rate over cells: what a planted rate in each comes to (report/planted.h) says this.
struct CellWeight {
  size_t grid = 0;  // a place in `grids`
  int32_t cell = 0;
  double weight = 0;  // summed over all cells: 0
};

struct MarginalEffect {
  Component of;
  Contrast contrast;   // reach 1: a proportion in -1 .. 1
  int64_t seen = 0;    // combinations of the other factors that had both sides in some epoch, over all scenarios
  int64_t out_of = 0;  // combinations for which the grids hold both cells
  std::vector<CellWeight> weights;
};

struct Interaction {
  Component first, second;  // first.factor < second.factor
  Contrast contrast;        // reach 2
  int64_t seen = 0, out_of = 0;
  std::vector<CellWeight> weights;
};

// For each grid its episodes, in their order; without those whose scenario has no grid, or whose cell lies outside it.
std::vector<std::vector<GridEpisode>> by_grid(std::span<const Grid> grids, std::span<const GridEpisode> episodes);

// Episodes whose scenario has no grid, or whose cell lies outside it, are ignored; a scenario has one grid. Where no
// grid holds the components, out_of is 0 and nothing is estimable.
MarginalEffect marginal_effect(std::span<const Grid> grids, std::span<const GridEpisode> episodes, Component of,
                               double level = 0.95);
// Components of two different factors, in either order.
Interaction interaction(std::span<const Grid> grids, std::span<const GridEpisode> episodes, Component first,
                        Component second, double level = 0.95);

// All of them, sorted by component, also those of which nothing can be estimated.
std::vector<MarginalEffect> marginal_effects(std::span<const Grid> grids, std::span<const GridEpisode> episodes,
                                             double level = 0.95);
// Every pair of components of two factors that stand together in some grid.
std::vector<Interaction> interactions(std::span<const Grid> grids, std::span<const GridEpisode> episodes,
                                      double level = 0.95);

}  // namespace assay
