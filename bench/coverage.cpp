// How often do the 95 % intervals of src/stats contain the truth, and how wide are they? Beside them their rivals:
// pooled Clopper-Pearson, which takes episodes as independent; the plain cluster-robust t interval; Korn-Graubard as
// published. The tables of docs/statistics.md come from here:
//
//   cmake --build --preset release --target coverage && build/release/bench/coverage     (half a minute)
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/rng.h"
#include "stats/clusters.h"
#include "stats/effect.h"
#include "stats/rate.h"
#include "stats/simulated.h"

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
}
