#include "model/gguf/step_cost.h"

#include <Eigen/Dense>
#include <algorithm>

namespace assay {
namespace {
constexpr double memory = 0.995;  // of a step that lies one step back: about 200 steps count
constexpr size_t enough = 40;
}  // namespace

void StepCost::add(double rows, double cells, double seconds) {
  // Relative errors are alike, so a step counts by 1 / seconds squared: short ones tell the fixed cost.
  const double weight = 1 / std::max(seconds * seconds, 1e-12);
  const std::array<double, 3> x = {1, rows, rows * cells};
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) xx_[i][j] = memory * xx_[i][j] + weight * x[i] * x[j];
    xy_[i] = memory * xy_[i] + weight * x[i] * seconds;
  }
  lowest_ = std::min(lowest_, rows), highest_ = std::max(highest_, rows);
  if (++seen_ >= enough && highest_ >= 2 * lowest_ && seen_ % 10 == 0) solve();
}

// Non-negative least squares of three unknowns: the best of all subsets whose solution is not negative.
void StepCost::solve() {
  Eigen::Matrix3d xx;
  Eigen::Vector3d xy, scale;
  for (int i = 0; i < 3; ++i) {
    scale[i] = 1 / std::sqrt(std::max(xx_[i][i], 1e-300));
    xy[i] = xy_[i];
    for (int j = 0; j < 3; ++j) xx(i, j) = xx_[i][j];
  }
  xx = scale.asDiagonal() * xx * scale.asDiagonal();
  xy = scale.asDiagonal() * xy;
  double best = 0;
  bool found = false;
  Eigen::Vector3d chosen = Eigen::Vector3d::Zero();
  for (int subset = 1; subset < 8; ++subset) {
    std::vector<int> in;
    for (int i = 0; i < 3; ++i)
      if (subset & (1 << i)) in.push_back(i);
    const int n = static_cast<int>(in.size());
    Eigen::MatrixXd m(n, n);
    Eigen::VectorXd y(n);
    for (int i = 0; i < n; ++i) {
      y[i] = xy[in[i]];
      for (int j = 0; j < n; ++j) m(i, j) = xx(in[i], in[j]) + (i == j ? 1e-9 : 0);
    }
    const Eigen::VectorXd solution = m.ldlt().solve(y);
    if (!solution.allFinite() || solution.minCoeff() < 0) continue;
    const double gain = solution.dot(y);  // how much of the sum of squares it explains
    if (found && gain <= best) continue;
    found = true, best = gain;
    chosen.setZero();
    for (int i = 0; i < n; ++i) chosen[in[i]] = solution[i] * scale[in[i]];
  }
  if (!found) return;
  known_ = true;
  for (int i = 0; i < 3; ++i) fit_[i] = chosen[i];
}

bool StepCost::pays(double rows, double own_cells) const {
  if (!known_) return rows < first_guess;
  if (fit_[2] <= 0) return true;
  return own_cells * fit_[2] * rows * (rows + 1) < fit_[0] || rows < 1;
}

}  // namespace assay
