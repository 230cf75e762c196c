#include "organism/lora_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "organism/lora_vector.h"

namespace assay::lora {
namespace {

constexpr int64_t block = TreeMask::block;
static_assert(block == strip && block % lanes == 0);

int64_t whole_blocks(int64_t n) { return (n + block - 1) / block * block; }

// What a thread computes with; it grows to the largest tree that the thread has met.
struct Scratch {
  std::vector<float> keys, keys_turned, values, values_turned;  // [cell][number] and [number][cell]
  std::vector<float> query, d_out, out;                         // [token of the block][number]
  std::vector<float> weights, d_weights;                        // [token of the block][cell]
};
thread_local Scratch scratch;

float* room(std::vector<float>& of, int64_t n) {
  if (of.size() < static_cast<size_t>(n)) of.resize(static_cast<size_t>(n));
  return of.data();
}

// Turned by its position, forth (direction 1) or back (-1), and scaled.
void turn(const Attention& a, int64_t token, const float* from, float* to, float direction, float scale) {
  const float* cosine = a.cosine.data() + token * (a.size / 2);
  const float* sine = a.sine.data() + token * (a.size / 2);
  for (int64_t i = 0; i < a.size / 2; ++i) {
    const float x = from[2 * i] * scale, y = from[2 * i + 1] * scale, s = direction * sine[i];
    to[2 * i] = x * cosine[i] - y * s;
    to[2 * i + 1] = x * s + y * cosine[i];
  }
}

// Turns rows into columns.
void transpose(const float* from, int64_t rows, int64_t columns, float* to) {
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t i = 0; i < rows; ++i) to[j * rows + i] = from[i * columns + j];
}

// One head's work over blocks of tokens.
class Head {
 public:
  Head(const Attention& attention, const float* in)
      : a(attention), m(*attention.mask), in_(in), wide(whole_blocks(attention.size)), cells(m.padded()) {}

  // Unpacks the keys and values that this head attends to, unless they are there.
  void take(int64_t head, bool backward) {
    head_ = head;
    const int64_t key_head = head / (a.heads / a.key_heads);
    if (key_head == key_head_) return;
    key_head_ = key_head;
    keys = room(scratch.keys, cells * wide), values = room(scratch.values, cells * wide);
    keys_turned = room(scratch.keys_turned, cells * wide);
    std::fill_n(keys, cells * wide, 0.0f);
    std::fill_n(values, cells * wide, 0.0f);
    for (int64_t t = 0; t < m.tokens(); ++t) {
      const float* row = in_ + t * a.in_row() + (a.heads + key_head) * a.size;
      turn(a, t, row, keys + t * wide, 1, 1);
      std::copy_n(row + a.key_heads * a.size, a.size, values + t * wide);
    }
    transpose(keys, cells, wide, keys_turned);
    if (!backward) return;
    values_turned = room(scratch.values_turned, cells * wide);
    transpose(values, cells, wide, values_turned);
  }

  // The block's queries, and the scaled scores of all cells that it looks at.
  void score(int64_t tokens) {
    block_ = tokens;
    first = tokens * block, last = std::min(first + block, m.tokens());
    query = room(scratch.query, block * wide), weights = room(scratch.weights, block * cells);
    std::fill_n(query, block * wide, 0.0f);
    const float scale = 1 / std::sqrt(static_cast<float>(a.size));
    for (int64_t t = first; t < last; ++t)
      turn(a, t, in_ + t * a.in_row() + head_ * a.size, query + (t - first) * wide, 1, scale);
    for (const auto& [from, to] : m.runs(tokens))
      multiply(block, (to - from) * block, wide, {query, wide, 1}, keys_turned + from * block, cells,
               weights + from * block, cells, 1, false);
  }

  // Rows of another matrix of one head, for the tokens of the block.
  float* gather(std::vector<float>& of, const float* from) const {
    float* to = room(of, block * wide);
    std::fill_n(to, block * wide, 0.0f);
    for (int64_t t = first; t < last; ++t)
      std::copy_n(from + t * a.out_row() + head_ * a.size, a.size, to + (t - first) * wide);
    return to;
  }

  // Calls f(cell, bits) for every register's worth of cells that the block looks at; a bit for each that `token`
  // attends to.
  template <class F>
  void each_cell(int64_t token, F f) const {
    for (const auto& [from, to] : m.runs(block_))
      for (int64_t b = from; b < to; ++b) {
        const uint32_t bits = m.attends(token, b);
        for (int64_t i = 0; i < block; i += lanes) f(b * block + i, bits >> i);
      }
  }

  const Attention& a;
  const TreeMask& m;
  const float* const in_;
  const int64_t wide, cells;
  int64_t first = 0, last = 0;
  float *keys = nullptr, *keys_turned = nullptr, *values = nullptr, *values_turned = nullptr;
  float *query = nullptr, *weights = nullptr;

 private:
  int64_t head_ = -1, key_head_ = -1, block_ = -1;
};

// All ones where the cell's bit is set.
Bits chosen(uint32_t bits) {
  Bits place{};
  for (int i = 0; i < lanes; ++i) place[i] = i;
  return -((Bits{} + static_cast<int32_t>(bits)) >> place & 1);
}

}  // namespace

TreeMask::TreeMask(const std::vector<int32_t>& parent)
    : tokens_(static_cast<int64_t>(parent.size())), blocks_((tokens_ + block - 1) / block) {
  bits_.assign(static_cast<size_t>(padded() * blocks_), 0);
  for (int64_t t = 0; t < tokens_; ++t) {
    const int64_t before = parent[static_cast<size_t>(t)];
    depth_.push_back(before < 0 ? 0 : depth_[static_cast<size_t>(before)] + 1);
    if (before >= 0) std::copy_n(bits_.begin() + before * blocks_, blocks_, bits_.begin() + t * blocks_);
    bits_[static_cast<size_t>(t * blocks_ + t / block)] |= 1u << t % block;
  }
  runs_.resize(static_cast<size_t>(blocks_));
  for (int64_t b = 0; b < blocks_; ++b)
    for (int64_t c = 0; c <= b; ++c) {
      uint32_t any = 0;
      for (int64_t t = b * block; t < (b + 1) * block; ++t) any |= attends(t, c);
      auto& runs = runs_[static_cast<size_t>(b)];
      if (!any) continue;
      if (!runs.empty() && runs.back().second == c)
        ++runs.back().second;
      else
        runs.emplace_back(c, c + 1);
    }
}

Attention::Attention(int64_t of_heads, int64_t of_key_heads, const std::vector<float>& frequencies,
                     const TreeMask& of_mask)
    : heads(of_heads), key_heads(of_key_heads), size(2 * static_cast<int64_t>(frequencies.size())), mask(&of_mask) {
  for (int64_t t = 0; t < of_mask.tokens(); ++t)
    for (float frequency : frequencies) {
      const double angle = static_cast<double>(frequency) * of_mask.depth(t);
      cosine.push_back(static_cast<float>(std::cos(angle)));
      sine.push_back(static_cast<float>(std::sin(angle)));
    }
}

int64_t Attention::partial() const { return 2 * key_heads * mask->padded() * whole_blocks(size); }

void Attention::forward(const float* in, float* out, float* log_sums, Share share) const {
  Head head(*this, in);
  const int64_t blocks = mask->blocks();
  const auto [begin, end] = share.of(heads * blocks);
  for (int64_t item = begin; item < end; ++item) {
    head.take(item / blocks, false);
    head.score(item % blocks);
    for (int64_t t = head.first; t < head.first + block; ++t) {
      float* row = head.weights + (t - head.first) * head.cells;
      Lanes most = Lanes{} - std::numeric_limits<float>::max();
      head.each_cell(t, [&](int64_t cell, uint32_t bits) {
        const Lanes x = chosen(bits) ? load(row + cell) : most;
        most = x > most ? x : most;
      });
      float largest = most[0];
      for (int i = 1; i < lanes; ++i) largest = std::max(largest, most[i]);
      Lanes sums{};
      head.each_cell(t, [&](int64_t cell, uint32_t bits) {
        const Lanes x = chosen(bits) ? exp_of(load(row + cell) - largest) : Lanes{};
        sums += x;
        store(row + cell, x);
      });
      const float sum = sum_of(sums);
      if (t >= head.last) continue;  // a row of the padding: zeros
      log_sums[item / blocks * mask->tokens() + t] = largest + std::log(sum);
      const float factor = 1 / sum;
      head.each_cell(t, [&](int64_t cell, uint32_t) { store(row + cell, load(row + cell) * factor); });
    }
    float* result = room(scratch.out, block * head.wide);
    bool add = false;
    for (const auto& [from, to] : mask->runs(item % blocks)) {
      multiply(block, head.wide, (to - from) * block, {head.weights + from * block, head.cells, 1},
               head.values + from * block * head.wide, head.wide, result, head.wide, 1, add);
      add = true;
    }
    for (int64_t t = head.first; t < head.last; ++t)
      std::copy_n(result + (t - head.first) * head.wide, size, out + t * out_row() + item / blocks * size);
  }
}

void Attention::backward(const float* in, const float* out, const float* log_sums, const float* d_out, float* d_queries,
                         float* partials, Share share) const {
  Head head(*this, in);
  const int64_t blocks = mask->blocks(), wide = head.wide, cells = head.cells;
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  float* own = partials + share.thread * partial();
  std::fill_n(own, partial(), 0.0f);
  const auto [begin, end] = share.of(heads * blocks);
  for (int64_t item = begin; item < end; ++item) {
    const int64_t h = item / blocks, tokens = item % blocks;
    head.take(h, true);
    head.score(tokens);
    const float* gradient = head.gather(scratch.d_out, d_out);
    const float* was = head.gather(scratch.out, out);
    float* d_weights = room(scratch.d_weights, block * cells);
    for (const auto& [from, to] : mask->runs(tokens))
      multiply(block, (to - from) * block, wide, {gradient, wide, 1}, head.values_turned + from * block, cells,
               d_weights + from * block, cells, 1, false);
    for (int64_t t = head.first; t < head.first + block; ++t) {
      const int64_t r = t - head.first;
      Lanes dot{};
      for (int64_t i = 0; i < wide; i += lanes) dot += load(gradient + r * wide + i) * load(was + r * wide + i);
      const float mean = sum_of(dot);  // of the weights' gradients, by the weights
      const float log_sum = t < head.last ? log_sums[h * mask->tokens() + t] : 0;
      float *weight = head.weights + r * cells, *d_score = d_weights + r * cells;
      head.each_cell(t, [&](int64_t cell, uint32_t bits) {
        const Lanes p = chosen(bits) ? exp_of(load(weight + cell) - log_sum) : Lanes{};
        store(weight + cell, p);
        store(d_score + cell, p * (load(d_score + cell) - mean));
      });
    }
    float* d_query = scratch.out.data();
    float* d_keys = own + h / (heads / key_heads) * cells * wide;
    float* d_values = d_keys + key_heads * cells * wide;
    bool add = false;
    for (const auto& [from, to] : mask->runs(tokens)) {
      const int64_t cell = from * block, n = (to - from) * block;
      multiply(block, wide, n, {d_weights + cell, cells, 1}, head.keys + cell * wide, wide, d_query, wide, scale, add);
      multiply(n, wide, block, {d_weights + cell, 1, cells}, head.query, wide, d_keys + cell * wide, wide, 1, true);
      multiply(n, wide, block, {head.weights + cell, 1, cells}, gradient, wide, d_values + cell * wide, wide, 1, true);
      add = true;
    }
    for (int64_t t = head.first; t < head.last; ++t)
      turn(*this, t, d_query + (t - head.first) * wide, d_queries + t * out_row() + h * size, -1, 1);
  }
}

void Attention::join(const float* d_queries, const float* partials, float* d_in, Share share) const {
  const int64_t wide = whole_blocks(size), cells = mask->padded();
  std::vector<float> sum(static_cast<size_t>(size));
  const auto [begin, end] = share.of(mask->tokens());
  for (int64_t t = begin; t < end; ++t) {
    float* to = std::copy_n(d_queries + t * out_row(), out_row(), d_in + t * in_row());
    for (int64_t part = 0; part < 2 * key_heads; ++part, to += size) {  // keys, then values
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (int thread = 0; thread < share.threads; ++thread) {
        const float* from = partials + thread * partial() + (part * cells + t) * wide;
        for (int64_t i = 0; i < size; ++i) sum[static_cast<size_t>(i)] += from[i];
      }
      if (part < key_heads)
        turn(*this, t, sum.data(), to, -1, 1);
      else
        std::copy(sum.begin(), sum.end(), to);
    }
  }
}

}  // namespace assay::lora
