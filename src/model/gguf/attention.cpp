#include "model/gguf/attention.h"

#include <ggml-cpu.h>
#include <ggml.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/lanes.h"
#include "model/gguf/exact.h"

namespace assay {
namespace {

// Sums that are held in registers, beside what is multiplied: of 32 registers, or of 16.
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int accumulators = 24;
#else
constexpr int accumulators = 12;
#endif

constexpr int64_t block = lanes;                   // rows that are computed together
constexpr int64_t tile = 64;                       // shared cells that are unpacked at a time
constexpr int at_once = 4;                         // heads of one key head that are computed together
constexpr int shared_by = std::min(4, lanes / 2);  // rows from which on a cell counts as shared
constexpr uint16_t masked = 0xFC00;                // minus infinity, in 16 bits
constexpr float nothing = -std::numeric_limits<float>::infinity();

Lanes all(float x) { return Lanes{} + x; }
Lanes larger(Lanes a, Lanes b) { return a > b ? a : b; }

// A fourth of a register's worth of floats, or all of it.
using Four = float __attribute__((vector_size(16)));

template <class Register>
Four folded(Register x) {
  if constexpr (lanes == 16) {
    const auto half = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                      __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    return __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
  } else if constexpr (lanes == 8) {
    return __builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 4, 5, 6, 7);
  } else {
    return x;
  }
}

// The sum of each of four.
Four sums_of(const Lanes& a, const Lanes& b, const Lanes& c, const Lanes& d) {
  const Four i = folded(a), j = folded(b), k = folded(c), l = folded(d);
  const Four ij = __builtin_shufflevector(i, j, 0, 4, 1, 5) + __builtin_shufflevector(i, j, 2, 6, 3, 7);
  const Four kl = __builtin_shufflevector(k, l, 0, 4, 1, 5) + __builtin_shufflevector(k, l, 2, 6, 3, 7);
  return __builtin_shufflevector(ij, kl, 0, 1, 4, 5) + __builtin_shufflevector(ij, kl, 2, 3, 6, 7);
}
float sum_of(const Lanes& x) { return sums_of(x, x, x, x)[0]; }

// As many numbers of 16 bits.
Lanes unpacked(const ggml_fp16_t* from) {
#if defined(__AVX512F__)
  __m256i packed;
  std::memcpy(&packed, from, sizeof packed);
  return _mm512_maskz_cvtph_ps(0xFFFF, packed);  // the plain one is warned of by GCC 12
#elif defined(__F16C__)
  __m128i packed;
  std::memcpy(&packed, from, sizeof packed);
  return _mm256_cvtph_ps(packed);
#else
  float to[lanes];
  ggml_cpu_fp16_to_fp32(from, to, lanes);
  return load(to);
#endif
}

// Asks the memory for numbers that are needed soon: a head's part of a cell is too short for the CPU to see it coming.
constexpr size_t ahead = 24;  // cells
void fetch(const ggml_fp16_t* from, int64_t n) {
  for (int64_t i = 0; i < n; i += 32) __builtin_prefetch(from + i);
}

// What a thread computes with; it grows to the largest node that the thread has met.
struct Scratch {
  std::vector<uint16_t> rows;   // of each cell: the rows of the block that attend to it, a bit each
  std::vector<int32_t> shared;  // cells
  std::array<std::vector<int32_t>, block> own;
  std::vector<float> keys, values;  // a tile, unpacked: [cell][number]
  std::vector<Lanes> query, out;    // [group of heads][number][head of the group]: a lane for each row
  std::vector<Lanes> scores;        // [cell][head of a group]
  std::vector<float> own_scores;    // [head][cell]
};
thread_local Scratch scratch;

struct Node {
  explicit Node(const ggml_tensor* node)
      : q(node->src[0]), k(node->src[1]), v(node->src[2]), mask(node->src[3]), out(node) {
    std::memcpy(&scale, node->op_params, sizeof scale);
  }
  const ggml_tensor *q, *k, *v, *mask, *out;
  float scale = 1;

  int64_t rows() const { return q->ne[1]; }
  int64_t cells() const { return k->ne[1]; }
  int64_t key_heads() const { return k->ne[2]; }
  int64_t heads_each() const { return q->ne[2] / k->ne[2]; }  // that share a key head
  int64_t streams() const { return q->ne[3]; }
  int64_t key_size() const { return k->ne[0]; }
  int64_t value_size() const { return v->ne[0]; }

  const float* query(int64_t row, int64_t head, int64_t stream) const { return at<float>(q, row, head, stream); }
  const ggml_fp16_t* key(int64_t cell, int64_t head, int64_t stream) const {
    return at<ggml_fp16_t>(k, cell, head, stream);
  }
  const ggml_fp16_t* value(int64_t cell, int64_t head, int64_t stream) const {
    return at<ggml_fp16_t>(v, cell, head, stream);
  }
  const uint16_t* mask_of(int64_t row, int64_t stream) const {
    return at<uint16_t>(mask, row, 0, stream % mask->ne[3]);
  }
  float* result(int64_t row, int64_t head, int64_t stream) const {
    return reinterpret_cast<float*>(static_cast<char*>(out->data) + row * out->nb[2] + head * out->nb[1] +
                                    stream * out->nb[3]);
  }

 private:
  template <class T>
  static const T* at(const ggml_tensor* t, int64_t i1, int64_t i2, int64_t i3) {
    return reinterpret_cast<const T*>(static_cast<const char*>(t->data) + i1 * t->nb[1] + i2 * t->nb[2] +
                                      i3 * t->nb[3]);
  }
};

// Up to `block` rows of one stream, for all heads of one key head.
class Block {
 public:
  Block(const Node& node, int64_t stream, int64_t key_head, int64_t first)
      : n_(node),
        s_(scratch),
        stream_(stream),
        key_head_(key_head),
        first_(first),
        rows_(std::min(block, node.rows() - first)) {}

  void compute() {
    sort_cells();
    gather_queries();
    const int64_t heads = n_.heads_each();
    maxima_.assign(static_cast<size_t>(heads), all(nothing));
    sums_.assign(static_cast<size_t>(heads), Lanes{});
    s_.out.assign(static_cast<size_t>(heads * n_.value_size()), Lanes{});
    for (size_t begin = 0; begin < s_.shared.size(); begin += tile) {
      const int64_t n = std::min<int64_t>(tile, static_cast<int64_t>(s_.shared.size() - begin));
      unpack(&s_.shared[begin], n);
      for (int64_t head = 0; head < heads; head += at_once) switch (std::min<int64_t>(at_once, heads - head)) {
          case 1: add_shared<1>(head, &s_.shared[begin], n); break;
          case 2: add_shared<2>(head, &s_.shared[begin], n); break;
          case 3: add_shared<3>(head, &s_.shared[begin], n); break;
          default: add_shared<4>(head, &s_.shared[begin], n); break;
        }
    }
    for (int64_t row = 0; row < rows_; ++row) finish(row);
  }

 private:
  void sort_cells() {
    const auto cells = static_cast<size_t>(n_.cells());
    s_.rows.assign(cells, 0);
    for (int64_t row = 0; row < rows_; ++row) {
      const uint16_t* mask = n_.mask_of(first_ + row, stream_);
      uint16_t* to = s_.rows.data();
      for (size_t cell = 0; cell < cells; ++cell)
        to[cell] = static_cast<uint16_t>(to[cell] | (mask[cell] != masked ? 1u << row : 0u));
    }
    const int from = ExactArithmetic::alive() ? lanes + 1 : shared_by;
    s_.shared.clear();
    for (auto& own : s_.own) own.clear();
    for (size_t cell = 0; cell < cells; ++cell) {
      uint16_t rows = s_.rows[cell];
      if (rows == 0) continue;
      if (std::popcount(rows) >= from) {
        s_.shared.push_back(static_cast<int32_t>(cell));
        continue;
      }
      for (; rows; rows = static_cast<uint16_t>(rows & (rows - 1)))
        s_.own[static_cast<size_t>(std::countr_zero(rows))].push_back(static_cast<int32_t>(cell));
    }
  }

  void gather_queries() {
    const int64_t heads = n_.heads_each(), size = n_.key_size();
    s_.query.assign(static_cast<size_t>(heads * size), Lanes{});
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t group = head / at_once * at_once, width = std::min<int64_t>(at_once, heads - group);
      Lanes* to = &s_.query[static_cast<size_t>(group * size + head - group)];
      for (int64_t row = 0; row < rows_; ++row) {
        const float* from = n_.query(first_ + row, key_head_ * heads + head, stream_);
        for (int64_t i = 0; i < size; ++i) to[i * width][row] = from[i] * n_.scale;
      }
    }
  }

  void unpack(const int32_t* cells, int64_t n) {
    s_.keys.resize(static_cast<size_t>(tile * n_.key_size()));
    s_.values.resize(static_cast<size_t>(tile * n_.value_size()));
    for (int64_t i = 0; i < n; ++i) {
      ggml_cpu_fp16_to_fp32(n_.key(cells[i], key_head_, stream_), &s_.keys[static_cast<size_t>(i * n_.key_size())],
                            n_.key_size());
      ggml_cpu_fp16_to_fp32(n_.value(cells[i], key_head_, stream_),
                            &s_.values[static_cast<size_t>(i * n_.value_size())], n_.value_size());
    }
  }

  // The unpacked tile, for `width` heads from `head` on.
  template <int width>
  void add_shared(int64_t head, const int32_t* cells, int64_t n) {
    constexpr int together = std::min(12, accumulators / width);  // so many cells, or numbers, fit the registers
    s_.scores.resize(static_cast<size_t>(tile * at_once));
    Lanes* scores = s_.scores.data();
    const Lanes* query = &s_.query[static_cast<size_t>(head * n_.key_size())];
    int64_t i = 0;
    for (; i + together <= n; i += together) multiply_keys<width, together>(query, i, scores);
    for (; i < n; ++i) multiply_keys<width, 1>(query, i, scores);

    const uint16_t everyone = static_cast<uint16_t>((1u << rows_) - 1);
    Bits one;
    for (int row = 0; row < lanes; ++row) one[row] = 1 << row;
    for (int64_t cell = 0; cell < n; ++cell) {
      const uint16_t rows = s_.rows[static_cast<size_t>(cells[cell])];
      if (rows == everyone) continue;
      const Bits attends = (Bits{} + rows) & one;
      for (int h = 0; h < width; ++h) {
        Lanes& score = scores[cell * width + h];
        score = attends != 0 ? score : all(nothing);
      }
    }

    Lanes fade[width];
    for (int h = 0; h < width; ++h) {
      const auto at = static_cast<size_t>(head + h);
      Lanes most = maxima_[at];
      for (int64_t cell = 0; cell < n; ++cell) most = larger(most, scores[cell * width + h]);
      const Lanes from = most == all(nothing) ? Lanes{} : most;
      fade[h] = exp_of(maxima_[at] - from);
      maxima_[at] = most;
      Lanes sum = sums_[at] * fade[h];
      for (int64_t cell = 0; cell < n; ++cell) {
        Lanes& score = scores[cell * width + h];
        score = exp_of(score - from);
        sum += score;
      }
      sums_[at] = sum;
    }

    Lanes* out = &s_.out[static_cast<size_t>(head * n_.value_size())];
    int64_t d = 0;
    for (; d + together <= n_.value_size(); d += together) multiply_values<width, together>(out, d, n, scores, fade);
    for (; d < n_.value_size(); ++d) multiply_values<width, 1>(out, d, n, scores, fade);
  }

  template <int width, int together>
  void multiply_keys(const Lanes* query, int64_t cell, Lanes* scores) const {
    Lanes sum[together][width] = {};
    const float* key = &s_.keys[static_cast<size_t>(cell * n_.key_size())];
    const int64_t size = n_.key_size();
    for (int64_t i = 0; i < size; ++i)
      for (int h = 0; h < width; ++h) {
        const Lanes q = query[i * width + h];
        for (int c = 0; c < together; ++c) sum[c][h] += q * key[c * size + i];
      }
    for (int c = 0; c < together; ++c)
      for (int h = 0; h < width; ++h) scores[(cell + c) * width + h] = sum[c][h];
  }

  template <int width, int together>
  void multiply_values(Lanes* out, int64_t first, int64_t n, const Lanes* weights, const Lanes* fade) const {
    Lanes sum[together][width];
    for (int d = 0; d < together; ++d)
      for (int h = 0; h < width; ++h) sum[d][h] = out[(first + d) * width + h] * fade[h];
    const int64_t size = n_.value_size();
    for (int64_t cell = 0; cell < n; ++cell) {
      const float* value = &s_.values[static_cast<size_t>(cell * size + first)];
      for (int h = 0; h < width; ++h) {
        const Lanes weight = weights[cell * width + h];
        for (int d = 0; d < together; ++d) sum[d][h] += weight * value[d];
      }
    }
    for (int d = 0; d < together; ++d)
      for (int h = 0; h < width; ++h) out[(first + d) * width + h] = sum[d][h];
  }

  // The row's own cells, joined to what it has of the shared ones.
  void finish(int64_t row) {
    const int64_t heads = n_.heads_each();
    const std::vector<int32_t>& cells = s_.own[static_cast<size_t>(row)];
    const auto n = static_cast<int64_t>(cells.size()), padded = (n + lanes - 1) / lanes * lanes;
    s_.own_scores.assign(static_cast<size_t>(heads * padded), nothing);
    by_heads(heads, [&](auto width, int64_t head) { score_own<width()>(row, cells, head, padded); });
    for (int64_t head = 0; head < heads; ++head) {
      const int64_t group = head / at_once * at_once, width = std::min<int64_t>(at_once, heads - group);
      float* scores = s_.own_scores.data() + head * padded;
      Lanes highest = all(maxima_[static_cast<size_t>(head)][row]);
      for (int64_t i = 0; i < padded; i += lanes) highest = larger(highest, load(scores + i));
      float most = highest[0];
      for (int i = 1; i < lanes; ++i) most = std::max(most, highest[i]);
      if (most == nothing) most = 0;
      const float fade = exp_of(all(maxima_[static_cast<size_t>(head)][row] - most))[0];
      Lanes weights{};
      for (int64_t i = 0; i < padded; i += lanes) {
        const Lanes weight = exp_of(load(scores + i) - most);
        weights += weight;
        store(scores + i, weight);
      }
      const float sum = sums_[static_cast<size_t>(head)][row] * fade + sum_of(weights);
      float* to = n_.result(first_ + row, key_head_ * heads + head, stream_);
      const Lanes* shared = &s_.out[static_cast<size_t>(group * n_.value_size() + head - group)];
      const float by = sum == 0 ? 0 : 1 / sum;  // 0: it attends to nothing
      for (int64_t d = 0; d < n_.value_size(); ++d) to[d] = shared[d * width][row] * (fade * by);
      for (int64_t i = 0; i < padded; i += lanes) store(scores + i, load(scores + i) * by);
    }
    by_heads(heads, [&](auto width, int64_t head) {
      constexpr int together = accumulators / width() >= 4 ? 4 : 2;
      int64_t d = 0;
      for (; d + together * lanes <= n_.value_size(); d += together * lanes)
        add_own<width(), together>(row, cells, head, d, padded);
      for (; d < n_.value_size(); d += lanes) add_own<width(), 1>(row, cells, head, d, padded);
    });
  }

  // Calls f(how many, first) for groups of heads that are computed together.
  template <class F>
  static void by_heads(int64_t heads, F f) {
    for (int64_t head = 0; head < heads; head += at_once) switch (heads - head) {
        case 1: f(std::integral_constant<int, 1>(), head); break;
        case 2: f(std::integral_constant<int, 2>(), head); break;
        case 3: f(std::integral_constant<int, 3>(), head); break;
        default: f(std::integral_constant<int, 4>(), head); break;
      }
  }

  // Four cells at a time, each unpacked once for `width` heads. The last four may be the same cell again: so each sum
  // is made in one and the same way.
  template <int width>
  void score_own(int64_t row, const std::vector<int32_t>& cells, int64_t head, int64_t padded) const {
    const int64_t size = n_.key_size();
    const float* query[width];
    for (int h = 0; h < width; ++h) query[h] = n_.query(first_ + row, key_head_ * n_.heads_each() + head + h, stream_);
    for (size_t i = 0; i < cells.size(); i += 4) {
      const ggml_fp16_t* key[4];
      for (size_t c = 0; c < 4; ++c) key[c] = n_.key(cells[std::min(i + c, cells.size() - 1)], key_head_, stream_);
      for (size_t c = i + ahead; c < std::min(i + ahead + 4, cells.size()); ++c)
        fetch(n_.key(cells[c], key_head_, stream_), size);
      Lanes sum[width][4] = {};
      for (int64_t d = 0; d < size; d += lanes) {
        Lanes part[4];
        for (int c = 0; c < 4; ++c) part[c] = unpacked(key[c] + d);
        for (int h = 0; h < width; ++h) {
          const Lanes q = load(query[h] + d);
          for (int c = 0; c < 4; ++c) sum[h][c] += q * part[c];
        }
      }
      for (int h = 0; h < width; ++h) {
        const Four scores = sums_of(sum[h][0], sum[h][1], sum[h][2], sum[h][3]) * n_.scale;
        float* to = &s_.own_scores[static_cast<size_t>((head + h) * padded) + i];
        for (size_t c = 0; c < 4 && i + c < cells.size(); ++c) to[c] = scores[static_cast<int>(c)];
      }
    }
  }

  // `width` heads from `head` on, whose scores are weights by now; `together` registers of numbers from `d` on.
  template <int width, int together>
  void add_own(int64_t row, const std::vector<int32_t>& cells, int64_t head, int64_t d, int64_t padded) const {
    const float* weights = s_.own_scores.data() + head * padded;
    Lanes sum[width][together] = {};
    for (size_t i = 0; i < cells.size(); ++i) {
      const ggml_fp16_t* value = n_.value(cells[i], key_head_, stream_) + d;
      if (i + ahead < cells.size()) fetch(n_.value(cells[i + ahead], key_head_, stream_) + d, together * lanes);
      for (int part = 0; part < together; ++part) {
        const Lanes v = unpacked(value + part * lanes);
        for (int h = 0; h < width; ++h) sum[h][part] += v * weights[h * padded + static_cast<int64_t>(i)];
      }
    }
    for (int h = 0; h < width; ++h) {
      float* to = n_.result(first_ + row, key_head_ * n_.heads_each() + head + h, stream_) + d;
      for (int part = 0; part < together; ++part) store(to + part * lanes, load(to + part * lanes) + sum[h][part]);
    }
  }

  const Node& n_;
  Scratch& s_;
  const int64_t stream_, key_head_, first_, rows_;
  std::vector<Lanes> maxima_, sums_;  // of each head: so far, over the shared cells
};

}  // namespace

bool attends_by_mask(const ggml_tensor* node) {
  const ggml_tensor *q = node->src[0], *k = node->src[1], *v = node->src[2], *mask = node->src[3];
  float bias = 0, cap = 0;
  std::memcpy(&bias, reinterpret_cast<const float*>(node->op_params) + 1, sizeof bias);
  std::memcpy(&cap, reinterpret_cast<const float*>(node->op_params) + 2, sizeof cap);
  return q->type == GGML_TYPE_F32 && k->type == GGML_TYPE_F16 && v->type == GGML_TYPE_F16 && mask &&
         mask->type == GGML_TYPE_F16 && mask->ne[2] == 1 && mask->ne[1] >= q->ne[1] && bias == 0 && cap == 0 &&
         !node->src[4] && k->ne[0] % 16 == 0 && v->ne[0] % 16 == 0 && k->ne[2] == v->ne[2] &&
         q->ne[2] % k->ne[2] == 0 && q->ne[3] == k->ne[3] && q->ne[3] == v->ne[3] &&
         (q->ne[1] * q->ne[3] > 1 || ExactArithmetic::alive());
}

void attend_by_mask(ggml_tensor* tensor, int thread, int threads) {
  const Node node(tensor);
  const int64_t blocks = (node.rows() + block - 1) / block;
  const int64_t all_work = node.streams() * node.key_heads() * blocks;
  for (int64_t i = all_work * thread / threads; i < all_work * (thread + 1) / threads; ++i)
    Block(node, i / (node.key_heads() * blocks), i / blocks % node.key_heads(), i % blocks * block).compute();
}

}  // namespace assay

// The head of ggml's struct, which is in no header that is installed; --wrap binds by name.
struct ggml_compute_params {
  int ith, nth;
};
extern "C" void __real_ggml_compute_forward_flash_attn_ext(const ggml_compute_params*, ggml_tensor* node);
extern "C" void __wrap_ggml_compute_forward_flash_attn_ext(const ggml_compute_params* params, ggml_tensor* node) {
  if (!assay::attends_by_mask(node)) return __real_ggml_compute_forward_flash_attn_ext(params, node);
  assay::attend_by_mask(node, params->ith, params->nth);
}
