#include "model/gguf/block_product.h"

#include <ggml.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "base/lanes.h"

#if defined(__AVX2__) && defined(__F16C__) && defined(__FMA__)
#define ASSAY_MULTIPLIES_BLOCKS
#include <immintrin.h>
#endif

namespace assay {

#ifdef ASSAY_MULTIPLIES_BLOCKS
namespace {

constexpr int in_block = 32;   // numbers
constexpr int rows = lanes;    // that are computed together
constexpr int fours = 8;       // of bytes in a block
constexpr int64_t part = 128;  // columns that are unpacked at a time, so that they stay in the cache
constexpr int at_once = 8;     // columns
static_assert(rows == 8 || rows == 16);

// As ggml lays blocks out; what stands in them is checked by the tests against ggml itself.
struct Q4_0 {
  ggml_fp16_t scale;
  uint8_t nibbles[16];  // low ones first, then the high ones
};
struct Q4_1 {
  ggml_fp16_t scale, least;
  uint8_t nibbles[16];
};
struct Q8_0 {
  ggml_fp16_t scale;
  int8_t bytes[32];
};
struct Q8_1 {
  ggml_fp16_t scale, sum;  // scale times the sum of the bytes
  int8_t bytes[32];
};

float wide(ggml_fp16_t half) { return _cvtsh_ss(half); }

using Words = uint32_t __attribute__((vector_size(width_in_bytes)));

// sum + a[0] b[0] + ... + a[3] b[3] in each lane; the bytes of a have no sign.
Bits with_products(Bits sum, Words a, Bits b) {
#if defined(__AVX512VNNI__)
  return (Bits)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#elif defined(__AVX512BW__)
  // Pairs are added in 16 bits: their bytes of a are below 16 or, of Q8_0, halves of 255 that are added one by one.
  const __m512i one = _mm512_set1_epi16(1);
  const __m512i low = _mm512_and_si512((__m512i)a, _mm512_set1_epi8(0x7F));
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16((__m512i)a, 7), _mm512_set1_epi8(1));
  const __m512i big = _mm512_madd_epi16(_mm512_maddubs_epi16(high, (__m512i)b), one);
  const __m512i small = _mm512_madd_epi16(_mm512_maddubs_epi16(low, (__m512i)b), one);
  return sum + (Bits)small + ((Bits)big << 7);
#else
  // Pairs are added in 16 bits, which 127 * 127 * 2 fits into and 255 * 127 * 2 does not: the highest bits by
  // themselves.
  const __m256i one = _mm256_set1_epi16(1);
  const __m256i low = _mm256_and_si256((__m256i)a, _mm256_set1_epi8(0x7F));
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16((__m256i)a, 7), _mm256_set1_epi8(1));
  const __m256i big = _mm256_madd_epi16(_mm256_maddubs_epi16(high, (__m256i)b), one);
  const __m256i small = _mm256_madd_epi16(_mm256_maddubs_epi16(low, (__m256i)b), one);
  return sum + (Bits)small + ((Bits)big << 7);
#endif
}

// sum + a b, rounded once: said here, since a compiler may fuse in one tile and not in another.
Lanes fused(Lanes sum, Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return (Lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
#else
  return (Lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#endif
}

// A block of all the rows: bytes without sign, four of a row to a lane, and what makes numbers of them.
struct RowBlock {
  Words fours_of[fours];
  Lanes scale, least;  // number = scale * byte + least
};

// 16 bytes of each row, four to a lane: to[i] has the i-th four of every row. Each 128 bits of a register take four
// rows and turn them by themselves.
template <class Block>
void transpose(const Block* const* from, ptrdiff_t at, Words* to) {
  auto bytes = [&](int row) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const char*>(from[row]) + at));
  };
#if defined(__AVX512F__)
  auto quarter = [&](int row) {
    __m512i x = _mm512_castsi128_si512(bytes(row));
    x = _mm512_inserti32x4(x, bytes(row + 4), 1);
    x = _mm512_inserti32x4(x, bytes(row + 8), 2);
    return _mm512_inserti32x4(x, bytes(row + 12), 3);
  };
  const __m512i p = quarter(0), q = quarter(1), r = quarter(2), s = quarter(3);
  const __m512i a = _mm512_unpacklo_epi32(p, q), b = _mm512_unpacklo_epi32(r, s);
  const __m512i c = _mm512_unpackhi_epi32(p, q), d = _mm512_unpackhi_epi32(r, s);
  to[0] = (Words)_mm512_unpacklo_epi64(a, b);
  to[1] = (Words)_mm512_unpackhi_epi64(a, b);
  to[2] = (Words)_mm512_unpacklo_epi64(c, d);
  to[3] = (Words)_mm512_unpackhi_epi64(c, d);
#else
  auto half = [&](int row) { return _mm256_set_m128i(bytes(row + 4), bytes(row)); };
  const __m256i p = half(0), q = half(1), r = half(2), s = half(3);
  const __m256i a = _mm256_unpacklo_epi32(p, q), b = _mm256_unpacklo_epi32(r, s);
  const __m256i c = _mm256_unpackhi_epi32(p, q), d = _mm256_unpackhi_epi32(r, s);
  to[0] = (Words)_mm256_unpacklo_epi64(a, b);
  to[1] = (Words)_mm256_unpackhi_epi64(a, b);
  to[2] = (Words)_mm256_unpacklo_epi64(c, d);
  to[3] = (Words)_mm256_unpackhi_epi64(c, d);
#endif
}

// The scales of a block of all rows, a half beside what follows it, to a register of floats each.
struct Halves {
  uint32_t of[rows];
};
void widen(const Halves& halves, RowBlock& to) {
#if defined(__AVX512F__)
  const __m512i both = _mm512_loadu_si512(halves.of);
  to.scale = (Lanes)_mm512_cvtph_ps(_mm512_cvtepi32_epi16(both));
  to.least = (Lanes)_mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(both, 16)));
#else
  const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves.of));
  auto floats = [](__m256i words) {  // of 32 bits, whose upper halves are zero
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0x08);
    return (Lanes)_mm256_cvtph_ps(_mm256_castsi256_si128(packed));
  };
  to.scale = floats(_mm256_and_si256(both, _mm256_set1_epi32(0xFFFF)));
  to.least = floats(_mm256_srli_epi32(both, 16));
#endif
}

template <class Block>
void unpack(const Block* const* from, RowBlock& to) {
  if constexpr (std::is_same_v<Block, Q8_0>) {
    transpose(from, offsetof(Q8_0, bytes), to.fours_of);
    transpose(from, offsetof(Q8_0, bytes) + 16, to.fours_of + 4);
    for (Words& word : to.fours_of) word ^= 0x80808080u;  // -128..127 -> 0..255
  } else {
    Words packed[4];
    transpose(from, offsetof(Block, nibbles), packed);
    for (int i = 0; i < 4; ++i) {
      to.fours_of[i] = packed[i] & 0x0F0F0F0Fu;
      to.fours_of[4 + i] = (packed[i] >> 4) & 0x0F0F0F0Fu;
    }
  }
}

// What the bytes of a row are more than the numbers they stand for.
template <class Block>
constexpr int offset = std::is_same_v<Block, Q8_0>   ? 128
                       : std::is_same_v<Block, Q4_0> ? 8
                                                     : 0;

// A block of a column.
struct ColumnBlock {
  float scale, sum;
  int32_t begin;  // -offset times the sum of the bytes: the products' sums begin there
  int32_t fours_of[fours];
};

template <class Block, class Input>
void take(const Input& from, ColumnBlock& to) {
  to.scale = wide(from.scale);
  to.sum = 0;
  to.begin = 0;
  if constexpr (std::is_same_v<Input, Q8_1>)
    to.sum = wide(from.sum);
  else
    for (int8_t byte : from.bytes) to.begin -= offset<Block> * byte;
  std::memcpy(to.fours_of, from.bytes, in_block);
}

// So many columns times a tile of rows. `columns`: block b of column c at [b * stride + c].
template <int count, bool with_least>
void tile(const RowBlock* row_blocks, const ColumnBlock* columns, int64_t stride, int64_t blocks, Lanes* sums) {
  Lanes sum[count] = {};
  for (int64_t b = 0; b < blocks; ++b) {
    const RowBlock& of_rows = row_blocks[b];
    const ColumnBlock* of = columns + b * stride;
    Bits whole[count];
    for (int c = 0; c < count; ++c) whole[c] = Bits{} + of[c].begin;
    for (int i = 0; i < fours; ++i)
      for (int c = 0; c < count; ++c)
        whole[c] = with_products(whole[c], of_rows.fours_of[i], Bits{} + of[c].fours_of[i]);
    for (int c = 0; c < count; ++c) {
      sum[c] = fused(sum[c], __builtin_convertvector(whole[c], Lanes), of_rows.scale * of[c].scale);
      if constexpr (with_least) sum[c] = fused(sum[c], of_rows.least, Lanes{} + of[c].sum);
    }
  }
  for (int c = 0; c < count; ++c) sums[c] = sum[c];
}

// Columns from `begin` on, at most `part` of them, times the tiles from `first` on.
template <class Block, class Input>
void multiply_part(const BlockProduct& p, int64_t begin, int64_t count, int64_t first, int64_t end) {
  constexpr bool with_least = std::is_same_v<Block, Q4_1>;
  thread_local std::vector<ColumnBlock> columns;
  thread_local std::vector<RowBlock> row_blocks;
  thread_local std::vector<Halves> halves;
  columns.resize(static_cast<size_t>(p.blocks * count));
  row_blocks.resize(static_cast<size_t>(p.blocks));
  halves.resize(static_cast<size_t>(p.blocks));
  for (int64_t c = 0; c < count; ++c)
    for (int64_t b = 0; b < p.blocks; ++b)
      take<Block>(static_cast<const Input*>(p.inputs)[(begin + c) * p.input_stride + b],
                  columns[static_cast<size_t>(b * count + c)]);
  for (int64_t t = first; t < end; ++t) {
    const int64_t row = t * rows, here = std::min<int64_t>(rows, p.rows - row);
    const Block* of_row[rows];
    for (int i = 0; i < rows; ++i)  // those that are missing are computed and thrown away
      of_row[i] = static_cast<const Block*>(p.weights) + (row + std::min<int64_t>(i, here - 1)) * p.weight_stride;
    for (int i = 0; i < rows; ++i)  // all of them first: what was just written in parts cannot be read whole at once
      for (int64_t b = 0; b < p.blocks; ++b)
        std::memcpy(&halves[static_cast<size_t>(b)].of[i], of_row[i] + b, sizeof(uint32_t));
    for (int64_t b = 0; b < p.blocks; ++b) {
      widen(halves[static_cast<size_t>(b)], row_blocks[static_cast<size_t>(b)]);
      unpack(of_row, row_blocks[static_cast<size_t>(b)]);
      for (const Block*& next : of_row) ++next;
    }
    auto some = [&]<int width>(int64_t column) {
      Lanes sums[width];
      tile<width, with_least>(row_blocks.data(), columns.data() + column, count, p.blocks, sums);
      for (int c = 0; c < width; ++c)
        std::memcpy(p.products + (begin + column + c) * p.product_stride + row, &sums[c],
                    static_cast<size_t>(here) * sizeof(float));
      return column + width;
    };
    int64_t column = 0;
    while (column + at_once <= count) column = some.template operator()<at_once>(column);
    if (column + 4 <= count) column = some.template operator()<4>(column);
    if (column + 2 <= count) column = some.template operator()<2>(column);
    if (column < count) some.template operator()<1>(column);
  }
}

template <class Block, class Input>
void multiply(const BlockProduct& p, int thread, int threads) {
  const int64_t tiles = (p.rows + rows - 1) / rows;
  const int64_t first = tiles * thread / threads, end = tiles * (thread + 1) / threads;
  if (first == end) return;
  for (int64_t begin = 0; begin < p.columns; begin += part)
    multiply_part<Block, Input>(p, begin, std::min(part, p.columns - begin), first, end);
}

}  // namespace

bool multiplies_blocks(int type, int input_type) {
  return ((type == GGML_TYPE_Q8_0 || type == GGML_TYPE_Q4_0) && input_type == GGML_TYPE_Q8_0) ||
         (type == GGML_TYPE_Q4_1 && input_type == GGML_TYPE_Q8_1);
}

void multiply_blocks(const BlockProduct& product, int thread, int threads) {
  switch (product.type) {
    case GGML_TYPE_Q8_0: return multiply<Q8_0, Q8_0>(product, thread, threads);
    case GGML_TYPE_Q4_0: return multiply<Q4_0, Q8_0>(product, thread, threads);
    case GGML_TYPE_Q4_1: return multiply<Q4_1, Q8_1>(product, thread, threads);
    default: return;
  }
}

#else

bool multiplies_blocks(int, int) { return false; }
void multiply_blocks(const BlockProduct&, int, int) {}

#endif

}  // namespace assay
