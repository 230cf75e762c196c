// Least squares over a part of a grid: what each factor does where few or no twins were drawn (pairwise, random:N).
//
//   auto effects = least_squares(grids, episodes);    // every factor, every level against its base
//
// In each scenario the rate of a cell is taken as a base rate plus one number for each level that is not the base
// (linear probability model with main effects; Hainmueller et al. 2014), and fitted to the cells' means by least
// squares: each cell weighs the same however often it could be graded. The fit is linear in the means, so a level's
// effect is a sum of weights b times means; b comes from a column-pivoted QR of the cells' design matrix (Eigen), which
// also shows what cannot be told. Over scenarios it is the plain mean over those where it can be, as everywhere here.
//
//   effect = 1/S sum_s sum_c b_sc mean_sc
//
// Over a full grid, everything graded, that is the average marginal effect of amce.h. In a part of one it is that only
// as far as effects add up: what two factors do together is laid at the door of some factor, and which one depends on
// the cells that were drawn. `weights` say what is estimated in any case; estimate, interval and a planted value are
// cut to -1 .. 1, where every difference of two rates lies.
//
// The interval. The b of a scenario sum to 0, so the effect is B (share of events among the cells with b > 0 - share
// among those with b < 0), the b being weights and B their sum. The two shares are joined as those of twins are
// (shares.h), with clusters = scenario x epoch and
//   V = sum_s G_s/(G_s - 1) sum_{e in s} u_e^2,   u_e = sum_{i in e} w_i (y_i - mean_s),   df = G - S
// w_i = b_c/(S B n_c). Where every epoch saw every cell, that factor is the CR2 correction (Bell & McCaffrey 2002), and
// in large samples the interval is effect +- t sqrt(V) (Cameron & Miller 2015). Without events it is +- B times the
// exact limit of 0 clusters. Residuals are taken from the share's mean in the scenario, not from the fit: the same
// where every epoch saw every cell; where some are missing it errs to the wide side.
//
// p is the interval's dual: the least error at which it excludes 0. No twins, so no signs to flip.
//
// Measured coverage: docs/statistics.md.
#pragma once

#include <span>
#include <vector>

#include "stats/amce.h"

namespace assay {

struct MainEffect {
  Component of;
  // reach 1; units: episodes with a weight; up, down: events in cells that weigh for, against the level. `method` says
  // why nothing is estimable, but for the names of `aliased`.
  Contrast contrast;
  int64_t seen = 0;    // cells with a graded episode, of the scenarios whose cells have the level
  int64_t out_of = 0;  // cells of those scenarios
  std::vector<CellWeight> weights;
  // Where it cannot be told in any scenario: levels that stand together with it wherever it stands, so that no cell
  // shows one without the others. May be empty: then nothing was graded at it, or nothing but it.
  std::vector<Component> aliased;
};

// Sorted by component, also those of which nothing can be estimated. Episodes outside the grids are ignored; a scenario
// has one grid.
std::vector<MainEffect> least_squares(std::span<const Grid> grids, std::span<const GridEpisode> episodes,
                                      double level = 0.95);

}  // namespace assay
