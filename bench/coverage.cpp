// How often do the 95 % intervals of src/stats contain the truth, and how wide are they? Beside them their rivals:
// pooled Clopper-Pearson, which takes episodes as independent; the plain cluster-robust t interval; Korn-Graubard as
// published. The tables of docs/statistics.md come from here:
//
//   cmake --build --preset release --target coverage && build/release/bench/coverage     (five minutes)
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "stats/amce.h"
#include "stats/clusters.h"
#include "stats/effect.h"
#include "stats/rate.h"
#include "stats/regression.h"
#include "stats/simulated.h"
#include "stats/simultaneous.h"

namespace {

using namespace assay;

// The textbook interval; of zero width where the clusters do not differ.
Interval plain_t(double value, double variance, double df) {
  const double half = student_t(df) * std::sqrt(std::max(0.0, variance));
  return {value - half, value + half};
}

// Korn & Graubard (1998) for 0 < p < 1, with the effective sample at most n; clusters as units where nothing varies.
Interval published_korn_graubard(const ClusteredMean& mean) {
  const double spread = mean.x * (1 - mean.x), n = mean.effective_n;
  if (mean.var_x <= 0) return clopper_pearson(mean.x * mean.effective_clusters, mean.effective_clusters);
  const double by_df = student_t(n - 1) / student_t(static_cast<double>(mean.df));
  const double size = std::min(n, spread / mean.var_x) * by_df * by_df;
  return clopper_pearson(mean.x * size, size);
}

struct Score {
  int runs = 0, too_high = 0, too_low = 0;  // the interval lies wholly above, below the truth
  double width = 0;
  void add(const Interval& interval, double truth) {
    ++runs;
    too_high += truth < interval.low;
    too_low += truth > interval.high;
    width += interval.width();
  }
  double coverage() const { return 1 - static_cast<double>(too_high + too_low) / runs; }
  double mean_width() const { return width / runs; }
};

void rate_table(const char* title, const simulated::Design& shape, int runs) {
  fmt::print("\n{}\n\n", title);
  fmt::print(
      "| rate | epochs | coverage | too high | too low | mean width | K-G 1998: coverage | width | plain t: coverage | "
      "width | pooled: coverage |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (double rate : {0.005, 0.02, 0.1, 0.5}) {
    for (int epochs : {10, 30, 100}) {
      simulated::Design design = shape;
      design.epochs = epochs;
      Rng rng(derive_seed(1, {"coverage", title, std::to_string(rate), std::to_string(epochs)}));
      Score ours, published, plain, pooled;
      for (int run = 0; run < runs; ++run) {
        const auto episodes = simulated::episodes(rng, rate, design);
        const Estimate e = estimate_rate(episodes);
        ours.add(*e.interval, rate);
        std::vector<Mark> marks;
        for (const Observation& o : episodes) marks.push_back({o.scenario, o.epoch, o.event});
        const ClusteredMean mean = clustered_mean(gather_clusters(std::move(marks)));
        plain.add(plain_t(mean.x, mean.var_x, static_cast<double>(mean.df)), rate);
        published.add(published_korn_graubard(mean), rate);
        pooled.add(*estimate_rate_in_cell(e.k, e.n).interval, rate);
      }
      fmt::print("| {} | {} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} |\n", rate,
                 epochs, ours.coverage(), static_cast<double>(ours.too_high) / runs,
                 static_cast<double>(ours.too_low) / runs, ours.mean_width(), published.coverage(),
                 published.mean_width(), plain.coverage(), plain.mean_width(), pooled.coverage());
    }
  }
}

void effect_table(const char* title, const simulated::Design& shape, int runs) {
  fmt::print("\n{}\n\n", title);
  fmt::print("| base | level | epochs | coverage | mean width | p < 0.05 | plain t: coverage | width |\n");
  fmt::print("|---|---|---|---|---|---|---|---|\n");
  struct Rates {
    double base, level;
  };
  for (Rates r : {Rates{0.01, 0.01},
                  {0.1, 0.1},
                  {0.5, 0.5},
                  {0.005, 0.02},
                  {0.02, 0.06},
                  {0.05, 0.15},
                  {0.45, 0.55},
                  {0.1, 0.9}}) {
    for (int epochs : {10, 30, 100}) {
      simulated::Design design = shape;
      design.epochs = epochs;
      Rng rng(derive_seed(1, {"effect", title, fmt::format("{} {} {}", r.base, r.level, epochs)}));
      Score ours, plain;
      int found = 0;
      const double truth = r.level - r.base;
      for (int run = 0; run < runs; ++run) {
        const auto twins = simulated::twins(rng, r.base, r.level, design);
        const Effect e = estimate_effect(twins);
        ours.add(*e.interval, truth);
        found += *e.p < 0.05;
        std::vector<Mark> marks;
        for (const Twin& t : twins) marks.push_back({t.scenario, t.epoch, t.at_level - t.at_base});
        const ClusteredMean mean = clustered_mean(gather_clusters(std::move(marks)));
        plain.add(plain_t(mean.x, mean.var_x, static_cast<double>(mean.df)), truth);
      }
      fmt::print("| {} | {} | {} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {:.3f} |\n", r.base, r.level, epochs,
                 ours.coverage(), ours.mean_width(), static_cast<double>(found) / runs, plain.coverage(),
                 plain.mean_width());
    }
  }
}

// Rates of the cells of a 2 x 2 x 2 grid, the last factor varying fastest, and what is true of the first two factors.
struct Profile {
  const char* name;
  std::vector<double> rates;
  double effect, interaction;
};

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = {
      {"0.01 everywhere", std::vector(8, 0.01), 0, 0},
      {"0.1 everywhere", std::vector(8, 0.1), 0, 0},
      {"0.5 everywhere", std::vector(8, 0.5), 0, 0},
      {"a 0.005 v. 0.02", {0.005, 0.005, 0.005, 0.005, 0.02, 0.02, 0.02, 0.02}, 0.015, 0},
      {"a and b +0.2 each", {0.1, 0.1, 0.3, 0.3, 0.3, 0.3, 0.5, 0.5}, 0.2, 0},
      {"a +0.5 under b alone", {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.6, 0.6}, 0.25, 0.5},
      {"a +0.5 in one cell", {0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.7}, 0.125, 0.25},
  };
  return all;
}

// All differences in the first factor, as twins: their mean weighs episodes, not combinations.
std::vector<Twin> twins_of(const std::vector<GridEpisode>& episodes) {
  std::vector<Twin> twins;
  for (size_t begin = 0, end = 0; begin < episodes.size(); begin = end) {
    std::optional<bool> outcome[8];
    for (; end < episodes.size() && episodes[end].epoch == episodes[begin].epoch; ++end) {
      outcome[episodes[end].cell] = episodes[end].event;
    }
    for (int base = 0; base < 4; ++base) {
      if (outcome[base] && outcome[base + 4]) {
        twins.push_back({0, episodes[begin].epoch, *outcome[base + 4], *outcome[base]});
      }
    }
  }
  return twins;
}

void grid_table(const char* title, const std::vector<double>& missing, int runs) {
  fmt::print("\n{}\n\n", title);
  fmt::print(
      "| rates | epochs | effect of a | coverage | mean width | p < 0.05 | twins: coverage | interaction a x b | "
      "coverage "
      "| mean width | p < 0.05 |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|---|\n");
  const std::vector<Grid> grids{simulated::full_grid({2, 2, 2})};
  for (const Profile& profile : profiles()) {
    for (int epochs : {10, 30, 100}) {
      Rng rng(derive_seed(1, {"grid", title, profile.name, std::to_string(epochs)}));
      Score effects, pairs, twins;
      int effect_found = 0, pair_found = 0;
      for (int run = 0; run < runs; ++run) {
        const auto episodes = simulated::grid_episodes(rng, grids[0], profile.rates, epochs, 0.3, missing);
        const Contrast effect = marginal_effect(grids, episodes, {0, 1}).contrast;
        const Contrast pair = interaction(grids, episodes, {0, 1}, {1, 1}).contrast;
        if (!effect.interval || !pair.interval) continue;
        effects.add(*effect.interval, profile.effect);
        pairs.add(*pair.interval, profile.interaction);
        twins.add(*estimate_effect(twins_of(episodes)).interval, profile.effect);
        effect_found += *effect.p < 0.05;
        pair_found += *pair.p < 0.05;
      }
      fmt::print("| {} | {} | {} | {:.3f} | {:.3f} | {:.3f} | {:.3f} | {} | {:.3f} | {:.3f} | {:.3f} |\n", profile.name,
                 epochs, profile.effect, effects.coverage(), effects.mean_width(),
                 static_cast<double>(effect_found) / effects.runs, twins.coverage(), profile.interaction,
                 pairs.coverage(), pairs.mean_width(), static_cast<double>(pair_found) / pairs.runs);
    }
  }
}

// Rates that add up: base, and so much more for each factor that does not stand at its base.
std::vector<double> additive(const Grid& grid, double base, const std::vector<double>& more) {
  std::vector<double> rates;
  for (const auto& cell : grid.cells) {
    rates.push_back(base);
    for (size_t f = 0; f < cell.size(); ++f) rates.back() += cell[f] != 0 ? more[f] : 0;
  }
  return rates;
}

// The cluster-robust t interval of Cameron & Miller, with the CR2 factor G/(G-1); where every epoch saw every cell.
Interval plain_least_squares(const MainEffect& effect, const std::vector<GridEpisode>& episodes, int epochs) {
  std::vector<double> weight;
  for (const CellWeight& w : effect.weights) {
    weight.resize(std::max(weight.size(), static_cast<size_t>(w.cell) + 1), 0);
    weight[static_cast<size_t>(w.cell)] = w.weight;
  }
  std::vector<double> by_epoch(static_cast<size_t>(epochs), 0);
  for (const GridEpisode& e : episodes)
    if (e.event && static_cast<size_t>(e.cell) < weight.size())
      by_epoch[static_cast<size_t>(e.epoch)] += weight[static_cast<size_t>(e.cell)];
  double mean = 0, squares = 0;
  for (double x : by_epoch) mean += x / epochs;
  for (double x : by_epoch) squares += (x - mean) * (x - mean);
  return plain_t(mean, squares / (epochs - 1) / epochs, epochs - 1);
}

// Least squares over a part of a grid. The truth is what the weights make of the rates: with rates that add up, the
// factor's own.
void least_squares_table(const char* title, const Grid& grid, const std::vector<double>& missing, int runs) {
  fmt::print("\n{}\n\n", title);
  fmt::print("| rates | epochs | effect of a | coverage | mean width | p < 0.05 |{}\n",
             missing.empty() ? " plain t: coverage | width |" : "");
  fmt::print("|---|---|---|---|---|---|{}\n", missing.empty() ? "---|---|" : "");
  struct Conduct {
    const char* name;
    double base;
    std::vector<double> more;
  };
  for (const Conduct& conduct : {Conduct{"0.01 everywhere", 0.01, {0, 0, 0, 0}},
                                 {"0.1 everywhere", 0.1, {0, 0, 0, 0}},
                                 {"0.5 everywhere", 0.5, {0, 0, 0, 0}},
                                 {"b alone, +0.6", 0.1, {0, 0.6, 0, 0}},
                                 {"a +0.03", 0.01, {0.03, 0, 0, 0}},
                                 {"a +0.2, b +0.2", 0.1, {0.2, 0.2, 0, 0}},
                                 {"a +0.4, b -0.3, c +0.1", 0.4, {0.4, -0.3, 0.1, 0}}}) {
    const std::vector<double> rates = additive(grid, conduct.base, conduct.more);
    for (int epochs : {10, 30, 100}) {
      Rng rng(derive_seed(1, {"least squares", title, conduct.name, std::to_string(epochs)}));
      Score ours, plain;
      int found = 0;
      for (int run = 0; run < runs; ++run) {
        const auto episodes = simulated::grid_episodes(rng, grid, rates, epochs, 0.3, missing);
        const MainEffect effect = least_squares(std::vector{grid}, episodes).front();
        if (!effect.contrast.interval) continue;
        ours.add(*effect.contrast.interval, conduct.more[0]);
        found += *effect.contrast.p < 0.05;
        if (missing.empty()) plain.add(plain_least_squares(effect, episodes, epochs), conduct.more[0]);
      }
      fmt::print("| {} | {} | {} | {:.3f} | {:.3f} | {:.3f} |", conduct.name, epochs, conduct.more[0], ours.coverage(),
                 ours.mean_width(), static_cast<double>(found) / ours.runs);
      fmt::print("{}\n",
                 missing.empty() ? fmt::format(" {:.3f} | {:.3f} |", plain.coverage(), plain.mean_width()) : "");
    }
  }
}

// Validations of agents that do as planted, eight units each.
void alarm_table(const char* title, int runs) {
  fmt::print("\n{}\n\n", title);
  fmt::print("| draws | correlation | epochs | false alarms at 1 % | hits a unit | expected hits a unit |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  using Draws = PlantedUnit::Draws;
  for (double correlation : {0.0, 0.3, 0.6}) {
    for (int epochs : {10, 30, 100}) {
      const Draws draws = correlation > 0 ? Draws::clustered : Draws::independent;
      Rng rng(derive_seed(1, {"alarm", title, std::to_string(correlation), std::to_string(epochs)}));
      int alarms = 0;
      double hits = 0, expected = 0;
      for (int run = 0; run < runs; ++run) {
        std::vector<PlantedUnit> units;
        for (double rate : {0.005, 0.02, 0.05, 0.1, 0.3, 0.5, 0.8, 0.95}) {
          PlantedUnit& unit = units.emplace_back(PlantedUnit{.planted = rate, .draws = draws});
          unit.clusters.resize(static_cast<size_t>(epochs));
          for (const Observation& o :
               simulated::episodes(rng, rate, {.epochs = epochs, .cells = 8, .correlation = correlation})) {
            ClusterCount& cluster = unit.clusters[static_cast<size_t>(o.epoch)];
            cluster.n += 1, cluster.k += o.event;
          }
        }
        const Validation v = validate_units(units);
        alarms += !v.agrees;
        hits += static_cast<double>(v.hits) / static_cast<double>(units.size());
        expected += v.expected_hits / static_cast<double>(units.size());
      }
      fmt::print("| {} | {} | {} | {:.4f} | {:.3f} | {:.3f} |\n",
                 draws == Draws::clustered ? "clustered" : "independent", correlation, epochs,
                 static_cast<double>(alarms) / runs, hits / runs, expected / runs);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  int runs = 4000;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), runs);
  if (runs < 1 || argc > 2) {
    fmt::print(stderr, "usage: coverage [RUNS]   (runs for each row of the tables, 4000 unless told)\n");
    return 2;
  }
  fmt::print("Nominal 0.950; {} runs a row, so a coverage of 0.950 is shown with a standard error of {:.4f}.\n", runs,
             std::sqrt(0.05 * 0.95 / runs));
  rate_table("Rate; 8 cells an epoch that share a surface, correlation 0.3", {.correlation = 0.3}, runs);
  rate_table("Rate; the same, correlation 0.6", {.correlation = 0.6}, runs);
  rate_table("Rate; 8 independent cells an epoch", {.correlation = 0}, runs);
  rate_table("Rate; two scenarios at half and one and a half times the rate, 4 cells each, correlation 0.3",
             {.scenarios = 2, .cells = 4, .correlation = 0.3}, runs);
  effect_table("Effect; 4 twins an epoch that share a surface, correlation 0.3", {.correlation = 0.3}, runs);
  effect_table("Effect; one twin an epoch, correlation 0.3", {.cells = 2, .correlation = 0.3}, runs);
  const int fewer = (runs + 1) / 2;  // costlier ones
  grid_table("Grid; 2 x 2 x 2, correlation 0.3, everything graded", {}, fewer);
  grid_table("Grid; the same, every episode ungraded with probability 0.2", std::vector(8, 0.2), fewer);
  grid_table("Grid; the same, the last cell ungraded with probability 0.7", {0, 0, 0, 0, 0, 0, 0, 0.7}, fewer);
  const int fewest = (runs + 7) / 8;  // each has a p by the interval for all of its factors
  least_squares_table("Least squares; five cells of 2 x 2 x 2 x 2 (pairwise), correlation 0.3",
                      simulated::pairwise_part(), {}, fewest);
  Rng drawn(derive_seed(1, {"random part"}));
  const Grid part = simulated::random_part(drawn, simulated::full_grid({2, 2, 2, 3}), 10);
  least_squares_table("Least squares; ten random cells of 2 x 2 x 2 x 3, correlation 0.3", part, {}, fewest);
  least_squares_table("Least squares; the same, every episode ungraded with probability 0.2", part,
                      std::vector(10, 0.2), fewest);
  alarm_table("Validation; eight units of 8 cells an epoch", fewer);
}
