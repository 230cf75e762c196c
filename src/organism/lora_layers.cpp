#include "organism/lora_layers.h"

#include <algorithm>
#include <cmath>

#include "organism/lora_vector.h"

namespace assay::lora {
namespace {

Lanes sigmoid(Lanes x) { return 1.0f / (exp_of(-x) + 1.0f); }

float largest_of(const float* row, int64_t count) {
  Lanes most = Lanes{} + row[0];
  each(count, [&](int64_t i, int64_t n) {
    const Lanes x = n == lanes ? load(row + i) : Lanes{} + *std::max_element(row + i, row + i + n);
    most = x > most ? x : most;
  });
  float largest = most[0];
  for (int i = 1; i < lanes; ++i) largest = std::max(largest, most[i]);
  return largest;
}

}  // namespace

void RmsNorm::forward(const float* x, int64_t rows, float* y, Share share) const {
  const auto [first, last] = share.of(rows);
  for (int64_t r = first; r < last; ++r) {
    const float* from = x + r * width;
    Lanes squares{};
    each(width, [&](int64_t i, int64_t n) { squares += load(from + i, n) * load(from + i, n); });
    const float factor = 1 / std::sqrt(sum_of(squares) / static_cast<float>(width) + epsilon);
    each(width,
         [&](int64_t i, int64_t n) { store(y + r * width + i, load(from + i, n) * factor * load(weight + i, n), n); });
  }
}

void RmsNorm::backward(const float* x, const float* dy, const float* plus, int64_t rows, float* dx, Share share) const {
  const auto [first, last] = share.of(rows);
  for (int64_t r = first; r < last; ++r) {
    const float *from = x + r * width, *gradient = dy + r * width;
    Lanes squares{}, products{};
    each(width, [&](int64_t i, int64_t n) {
      const Lanes value = load(from + i, n);
      squares += value * value;
      products += value * load(gradient + i, n) * load(weight + i, n);
    });
    const float factor = 1 / std::sqrt(sum_of(squares) / static_cast<float>(width) + epsilon);
    const float along = sum_of(products) * factor * factor / static_cast<float>(width);
    each(width, [&](int64_t i, int64_t n) {
      Lanes to = (load(gradient + i, n) * load(weight + i, n) - load(from + i, n) * along) * factor;
      if (plus) to += load(plus + r * width + i, n);
      store(dx + r * width + i, to, n);
    });
  }
}

void swiglu(const float* in, int64_t width, int64_t rows, float* out, Share share) {
  const auto [first, last] = share.of(rows);
  for (int64_t r = first; r < last; ++r) {
    const float *gate = in + r * 2 * width, *up = gate + width;
    each(width, [&](int64_t i, int64_t n) {
      const Lanes x = load(gate + i, n);
      store(out + r * width + i, x * sigmoid(x) * load(up + i, n), n);
    });
  }
}

void swiglu_back(const float* in, const float* d_out, int64_t width, int64_t rows, float* d_in, Share share) {
  const auto [first, last] = share.of(rows);
  for (int64_t r = first; r < last; ++r) {
    const float *gate = in + r * 2 * width, *up = gate + width;
    float* to = d_in + r * 2 * width;
    each(width, [&](int64_t i, int64_t n) {
      const Lanes x = load(gate + i, n), s = sigmoid(x), d = load(d_out + r * width + i, n);
      store(to + i, d * load(up + i, n) * (s + x * s * (1.0f - s)), n);
      store(to + width + i, d * x * s, n);
    });
  }
}

void cross_entropy(float* logits, int64_t vocabulary, const std::vector<RowTargets>& rows, bool gradient, Share share) {
  const auto [first, last] = share.of(static_cast<int64_t>(rows.size()));
  for (int64_t r = first; r < last; ++r) {
    float* row = logits + r * vocabulary;
    const std::vector<RowTargets::Target>& targets = rows[static_cast<size_t>(r)].targets;
    const float largest = largest_of(row, vocabulary);
    double sum = 0;
    for (int64_t begin = 0; begin < vocabulary; begin += 4096) {  // tens of thousands of small numbers, added by parts
      Lanes part{};
      each(std::min<int64_t>(4096, vocabulary - begin), [&](int64_t i, int64_t n) {
        const Lanes x = exp_of(load(row + begin + i, n) - largest);
        if (n == lanes)
          part += x;
        else
          for (int64_t j = 0; j < n; ++j) part[j] += x[j];
      });
      sum += sum_of(part);
    }
    const float log_sum = largest + static_cast<float>(std::log(sum));
    float weight = 0;
    for (const RowTargets::Target& target : targets) {
      *target.log_prob = row[target.token] - log_sum;
      weight += target.weight;
    }
    if (!gradient) continue;
    each(vocabulary, [&](int64_t i, int64_t n) { store(row + i, exp_of(load(row + i, n) - log_sum) * weight, n); });
    for (const RowTargets::Target& target : targets) row[target.token] -= target.weight;
  }
}

}  // namespace assay::lora
