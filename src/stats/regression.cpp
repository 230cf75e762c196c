#include "stats/regression.h"

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "stats/least_error.h"
#include "stats/shares.h"

namespace assay {
namespace {

constexpr double kNothing = 1e-9;  // entries of what follows from zeros and ones: below, rounding

using Matrix = Eigen::MatrixXd;

// One scenario: its graded episodes, and what its cells can tell.
class Fit {
 public:
  Fit(const Grid& grid, std::vector<GridEpisode> episodes) : grid_(&grid), episodes_(std::move(episodes)) {
    if (!std::ranges::is_sorted(episodes_, {}, &GridEpisode::epoch))
      std::ranges::stable_sort(episodes_, {}, &GridEpisode::epoch);
    graded_.resize(grid.cells.size(), 0);
    for (const GridEpisode& e : episodes_) ++graded_[static_cast<size_t>(e.cell)];
    for (size_t cell = 0; cell < graded_.size(); ++cell)
      if (graded_[cell] > 0) cells_.push_back(cell);
    solve();
  }

  // Episodes by epoch.
  const std::vector<GridEpisode>& episodes() const { return episodes_; }
  int64_t graded(size_t cell) const { return graded_[cell]; }
  int64_t cells_seen() const { return static_cast<int64_t>(cells_.size()); }
  int64_t cells() const { return static_cast<int64_t>(graded_.size()); }

  // Whether some cell stands at the level, seen or not.
  bool holds(Component of) const {
    const auto axis = std::ranges::find(grid_->factors, of.factor);
    if (axis == grid_->factors.end()) return false;
    const auto a = static_cast<size_t>(axis - grid_->factors.begin());
    return std::ranges::any_of(grid_->cells, [&](const auto& levels) { return levels[a] == of.level; });
  }
  // Whether the seen cells tell it apart from all others.
  bool tells(Component of) const {
    const int column = column_of(of);
    return column > 0 && (kernel_.cols() == 0 || kernel_.row(column).cwiseAbs().maxCoeff() < kNothing);
  }
  // By cell, only where it tells: the effect is the sum of weight x mean.
  std::vector<double> weights(Component of) const {
    std::vector<double> out(graded_.size(), 0);
    const int column = column_of(of);
    for (size_t i = 0; i < cells_.size(); ++i) {
      const double b = inverse_(column, static_cast<Eigen::Index>(i));
      out[cells_[i]] = std::abs(b) < kNothing ? 0 : b;
    }
    return out;
  }
  // The fewest others that make up for it in every seen cell.
  std::vector<Component> aliased(Component of) const {
    std::vector<Component> fewest;
    const int column = column_of(of);
    if (column < 0) return fewest;
    for (Eigen::Index k = 0; k < kernel_.cols(); ++k) {
      if (std::abs(kernel_(column, k)) < kNothing) continue;
      std::vector<Component> others;
      for (size_t c = 0; c < columns_.size(); ++c)
        if (!(columns_[c] == of) && std::abs(kernel_(static_cast<Eigen::Index>(c) + 1, k)) >= kNothing)
          others.push_back(columns_[c]);
      if (!others.empty() && (fewest.empty() || others.size() < fewest.size())) fewest = std::move(others);
    }
    return fewest;
  }

 private:
  // Of the design matrix; 0 is the base rate. -1: no seen cell stands there.
  int column_of(Component of) const {
    const auto found = std::ranges::find(columns_, of);
    return found == columns_.end() ? -1 : static_cast<int>(found - columns_.begin()) + 1;
  }

  void solve() {
    std::set<std::pair<int32_t, int32_t>> levels;
    for (size_t cell : cells_)
      for (size_t axis = 0; axis < grid_->factors.size(); ++axis)
        if (grid_->cells[cell][axis] != 0) levels.emplace(grid_->factors[axis], grid_->cells[cell][axis]);
    for (const auto& [factor, level] : levels) columns_.push_back({factor, level});
    if (cells_.empty()) return;

    const auto rows = static_cast<Eigen::Index>(cells_.size()),
               columns = static_cast<Eigen::Index>(columns_.size()) + 1;
    Matrix design = Matrix::Zero(rows, columns);
    for (Eigen::Index row = 0; row < rows; ++row) {
      const std::vector<int32_t>& at = grid_->cells[cells_[static_cast<size_t>(row)]];
      design(row, 0) = 1;
      for (size_t axis = 0; axis < at.size(); ++axis)
        if (at[axis] != 0) design(row, column_of({grid_->factors[axis], at[axis]})) = 1;
    }
    // X P = Q [R S; 0 0]. P [R^-1 Q'; 0] y fits best, and so does whatever P [-R^-1 S; I] z is added to it.
    const Eigen::ColPivHouseholderQR<Matrix> qr(design);
    const Eigen::Index rank = qr.rank(), free = columns - rank;
    const auto r = qr.matrixR().topLeftCorner(rank, rank).triangularView<Eigen::Upper>();
    const Matrix q = qr.householderQ() * Matrix::Identity(rows, rank);
    Matrix best = Matrix::Zero(columns, rows), unmoved = Matrix::Zero(columns, free);
    best.topRows(rank) = r.solve(q.transpose());
    if (free > 0) unmoved.topRows(rank) = -r.solve(Matrix(qr.matrixR().topRightCorner(rank, free)));
    unmoved.bottomRows(free).setIdentity();
    inverse_ = qr.colsPermutation() * best;
    kernel_ = qr.colsPermutation() * unmoved;
  }

  const Grid* grid_;
  std::vector<GridEpisode> episodes_;
  std::vector<int64_t> graded_;     // episodes by cell
  std::vector<size_t> cells_;       // seen
  std::vector<Component> columns_;  // of the design matrix, behind the base rate
  Matrix inverse_;                  // column x seen cell: a best fit's coefficients, from the cells' means
  Matrix kernel_;                   // a column for each thing that the cells cannot tell
};

std::vector<Fit> fit_all(std::span<const Grid> grids, std::span<const GridEpisode> episodes) {
  std::vector<std::vector<GridEpisode>> sorted = by_grid(grids, episodes);
  std::vector<Fit> fits;
  for (size_t g = 0; g < grids.size(); ++g) fits.emplace_back(grids[g], std::move(sorted[g]));
  return fits;
}

// The two shares of an effect, side 0 of the cells that weigh for the level, side 1 against.
struct Sides {
  double total = 0;  // B
  std::array<double, 2> mean{}, squares{}, cluster_squares{};
  std::array<double, 4> covariance{};
  bool spread_seen = true;  // each scenario has two clusters
};

// Adds one scenario, whose episodes weigh weight[cell] each.
void add_scenario(Sides& sides, Contrast& contrast, const Fit& fit, const std::vector<double>& weight) {
  const std::vector<GridEpisode>& episodes = fit.episodes();
  auto side_of = [&](const GridEpisode& e) { return weight[static_cast<size_t>(e.cell)] > 0 ? 0u : 1u; };
  auto weight_of = [&](const GridEpisode& e) { return std::abs(weight[static_cast<size_t>(e.cell)]) / sides.total; };

  std::array<double, 2> size{}, events{};
  for (const GridEpisode& e : episodes) {
    const double w = weight_of(e);
    if (w == 0) continue;
    const size_t side = side_of(e);
    size[side] += w, events[side] += w * e.event;
    sides.squares[side] += w * w;
    ++contrast.units;
    (side == 0 ? contrast.up : contrast.down) += e.event;
  }
  for (size_t side : {0, 1}) sides.mean[side] += events[side];
  const std::array<double, 2> rate{events[0] / size[0], events[1] / size[1]};

  int64_t groups = 0;
  std::array<double, 4> squares{};
  for (size_t begin = 0, end = 0; begin < episodes.size(); begin = end) {
    std::array<double, 2> pull{}, mass{};
    for (; end < episodes.size() && episodes[end].epoch == episodes[begin].epoch; ++end) {
      const double w = weight_of(episodes[end]);
      const size_t side = side_of(episodes[end]);
      mass[side] += w, pull[side] += w * (episodes[end].event - rate[side]);
    }
    if (mass[0] + mass[1] == 0) continue;
    ++groups;
    for (size_t j : {0, 1}) {
      sides.cluster_squares[j] += mass[j] * mass[j];
      for (size_t k : {0, 1}) squares[2 * j + k] += pull[j] * pull[k];
    }
  }
  const double factor = groups > 1 ? static_cast<double>(groups) / static_cast<double>(groups - 1) : 0;
  for (size_t i = 0; i < squares.size(); ++i) sides.covariance[i] += factor * squares[i];
  sides.spread_seen &= groups > 1;
  contrast.clusters += groups;
}

double tidied(double share) {  // what is none or all but for rounding is none or all
  return share < kNothing ? 0 : share > 1 - kNothing ? 1 : share;
}

void estimate(MainEffect& effect, const std::vector<Fit>& fits, double level) {
  Contrast& contrast = effect.contrast;
  int64_t holding = 0;
  std::vector<std::pair<size_t, std::vector<double>>> told;  // a fit, its weights
  for (size_t f = 0; f < fits.size(); ++f) {
    if (!fits[f].holds(effect.of)) continue;
    ++holding;
    effect.seen += fits[f].cells_seen(), effect.out_of += fits[f].cells();
    if (fits[f].tells(effect.of)) {
      told.emplace_back(f, fits[f].weights(effect.of));
    } else if (std::vector<Component> others = fits[f].aliased(effect.of);
               effect.aliased.empty() || (!others.empty() && others.size() < effect.aliased.size())) {
      effect.aliased = std::move(others);
    }
  }
  if (told.empty()) {
    contrast.method = effect.aliased.empty() ? "not estimable: nothing was graded at this level, or nothing but it"
                                             : "not estimable: cannot be told apart from other levels";
    return;
  }
  effect.aliased.clear();

  Sides sides;
  contrast.scenarios = static_cast<int64_t>(told.size());
  for (auto& [f, weights] : told) {
    for (size_t cell = 0; cell < weights.size(); ++cell) {
      weights[cell] /= static_cast<double>(told.size());
      if (weights[cell] == 0) continue;
      effect.weights.push_back({f, static_cast<int32_t>(cell), weights[cell]});
      if (weights[cell] > 0) sides.total += weights[cell];
      weights[cell] /= static_cast<double>(fits[f].graded(cell));
      ++contrast.combinations;
    }
  }
  for (const auto& [f, weights] : told) add_scenario(sides, contrast, fits[f], weights);

  for (double& c : sides.covariance) c = std::abs(c) < 1e-24 ? 0 : c;  // what is left of clusters that do not differ
  std::vector<Share> shares;
  for (size_t side : {0, 1})
    shares.push_back({side == 0 ? sides.total : -sides.total, tidied(sides.mean[side]), 1 / sides.squares[side],
                      1 / sides.cluster_squares[side]});
  const double value = sides.total * (shares[0].mean - shares[1].mean);
  contrast.value = std::abs(value) < kNothing ? 0 : std::clamp(value, -1.0, 1.0);
  if (contrast.clusters < 2) {
    contrast.method = "not estimable: fewer than 2 clusters";
    return;
  }
  const double df = sides.spread_seen ? static_cast<double>(contrast.clusters - contrast.scenarios) : 0;
  auto interval_at = [&](double at) {
    const Interval joint = join_shares(shares, sides.covariance, df, at);
    return Interval{std::clamp(joint.low, -1.0, 1.0), std::clamp(joint.high, -1.0, 1.0)};
  };
  contrast.interval = interval_at(level);
  contrast.p = least_error(0, interval_at);
  contrast.method = contrast.up + contrast.down == 0 ? "least squares, exact (Clopper-Pearson) bound, clusters as units"
                    : df == 0 ? "least squares, exact (Clopper-Pearson) shares, clusters as units"
                              : "least squares, cluster-robust (MOVER of Korn-Graubard)";
  contrast.method += "; p by the interval";
  if (effect.seen < effect.out_of)
    contrast.method += "; over " + std::to_string(effect.seen) + " of " + std::to_string(effect.out_of) + " cells";
  if (contrast.scenarios < holding)
    contrast.method +=
        "; told in " + std::to_string(contrast.scenarios) + " of " + std::to_string(holding) + " scenarios";
}

}  // namespace

std::vector<MainEffect> least_squares(std::span<const Grid> grids, std::span<const GridEpisode> episodes,
                                      double level) {
  const std::vector<Fit> fits = fit_all(grids, episodes);
  std::set<std::pair<int32_t, int32_t>> found;
  for (const Grid& grid : grids)
    for (const auto& levels : grid.cells)
      for (size_t axis = 0; axis < levels.size(); ++axis)
        if (levels[axis] != 0) found.emplace(grid.factors[axis], levels[axis]);
  std::vector<MainEffect> effects;
  for (const auto& [factor, of] : found) {
    effects.push_back({.of = {factor, of}});
    estimate(effects.back(), fits, level);
  }
  return effects;
}

}  // namespace assay
