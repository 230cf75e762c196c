// Made-up experiments whose truth is known, for the tests and bench/coverage.cpp: the same seed, the same experiment.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "stats/amce.h"
#include "stats/effect.h"
#include "stats/rate.h"

namespace assay::simulated {

struct Design {
  int scenarios = 1;
  int epochs = 30;
  int cells = 8;             // per epoch and scenario
  double correlation = 0.3;  // between two cells of one epoch (intra-cluster correlation)
};

// Episodes whose rate is beta-distributed over epochs with mean `rate`; with several scenarios their rates lie evenly
// spread from rate/2 to 3/2 rate. Drawn by Polya's urn: j events in i cells so far make the next one likelier, which is
// the same as drawing the epoch's rate first.
inline std::vector<Observation> episodes(Rng& rng, double rate, const Design& design) {
  std::vector<Observation> all;
  for (int s = 0; s < design.scenarios; ++s) {
    const double p = design.scenarios == 1 ? rate : rate * (0.5 + static_cast<double>(s) / (design.scenarios - 1));
    const double r = design.correlation;
    for (int e = 0; e < design.epochs; ++e) {
      int events = 0;
      for (int i = 0; i < design.cells; ++i) {
        const bool event = rng.uniform() * (1 - r + r * i) < p * (1 - r) + r * events;
        events += event;
        all.push_back({s, e, event});
      }
    }
  }
  return all;
}

// cells/2 twins an epoch. An episode listens to its epoch's surface with probability sqrt(correlation) and otherwise to
// itself, and the event happens where what it hears lies below its rate: any two rates, the same correlation.
inline std::vector<Twin> twins(Rng& rng, double base_rate, double level_rate, const Design& design) {
  std::vector<Twin> all;
  const double listens = std::sqrt(design.correlation);
  for (int s = 0; s < design.scenarios; ++s) {
    for (int e = 0; e < design.epochs; ++e) {
      const double surface = rng.uniform();
      auto event = [&](double rate) { return (rng.uniform() < listens ? surface : rng.uniform()) < rate; };
      for (int i = 0; i < design.cells / 2; ++i) {
        const bool at_level = event(level_rate), at_base = event(base_rate);
        all.push_back({s, e, at_level, at_base});
      }
    }
  }
  return all;
}

// All combinations of factors 0, 1, ... with so many levels, the last varying fastest.
inline Grid full_grid(const std::vector<int32_t>& levels, int32_t scenario = 0) {
  Grid grid{.scenario = scenario, .factors = {}, .cells = {{}}};
  for (int32_t count : levels) {
    grid.factors.push_back(static_cast<int32_t>(grid.factors.size()));
    std::vector<std::vector<int32_t>> longer;
    for (const std::vector<int32_t>& cell : grid.cells) {
      for (int32_t level = 0; level < count; ++level) {
        longer.push_back(cell);
        longer.back().push_back(level);
      }
    }
    grid.cells = std::move(longer);
  }
  return grid;
}

// What a pairwise design draws of 2 x 2 x 2 x 2: five cells in which every two factors show all four pairs of levels.
inline Grid pairwise_part() {
  return {.factors = {0, 1, 2, 3}, .cells = {{0, 0, 0, 0}, {0, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}, {1, 1, 1, 0}}};
}

// `count` cells of a full grid, drawn at random.
inline Grid random_part(Rng& rng, Grid grid, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const auto left = static_cast<double>(grid.cells.size() - i);
    std::swap(grid.cells[i], grid.cells[i + static_cast<size_t>(rng.uniform() * left)]);
  }
  grid.cells.resize(count);
  return grid;
}

// Every cell once an epoch, with the rate of its own; episodes listen to their epoch's surface as twins do. `missing`
// is each cell's chance to stay ungraded, whatever happened in it; empty: none.
inline std::vector<GridEpisode> grid_episodes(Rng& rng, const Grid& grid, const std::vector<double>& rates, int epochs,
                                              double correlation, const std::vector<double>& missing = {}) {
  std::vector<GridEpisode> all;
  const double listens = std::sqrt(correlation);
  for (int e = 0; e < epochs; ++e) {
    const double surface = rng.uniform();
    for (size_t cell = 0; cell < grid.cells.size(); ++cell) {
      const bool event = (rng.uniform() < listens ? surface : rng.uniform()) < rates[cell];
      const bool graded = missing.empty() || rng.uniform() >= missing[cell];
      if (graded) all.push_back({grid.scenario, e, static_cast<int32_t>(cell), event});
    }
  }
  return all;
}

}  // namespace assay::simulated
