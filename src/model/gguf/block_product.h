// Products of weights in blocks of 32 with columns in blocks of 32 bytes: Q4_0, Q4_1 and Q8_0, on x86-64.
//
// ggml multiplies these row by row, or in small tiles that unpack a block for each column anew. Here a register's lanes
// are rows: a block of 8 or 16 rows is unpacked once, four bytes of a row to a lane, and meets all columns. A lane's
// four products are added as integers (VPDPBUSD, or VPMADDUBSW before AVX-512 VNNI), the blocks of a row in their order
// as floats. So a number depends on its row and its column alone, whatever stands beside it: these types need nothing
// else to be exact (exact.h).
//
// It takes the place of llamafile's entry point, which ggml asks first, and which has no kernel for Q4_1.
#pragma once

#include <cstdint>

namespace assay {

struct BlockProduct {
  int64_t rows, columns, blocks;  // of the weights, of what they meet, and in a row of either
  const void* weights;            // rows of blocks of `type`, `weight_stride` blocks from one row to the next
  int64_t weight_stride;
  const void* inputs;  // columns of blocks of `input_type`
  int64_t input_stride;
  float* products;  // [column * product_stride + row]
  int64_t product_stride;
  int type, input_type;  // ggml_type
};

// Whether there is a kernel for these types on the CPU that this was compiled for.
bool multiplies_blocks(int type, int input_type);

// The share of thread `thread` of `threads`; each does its own once, in any order. Only where multiplies_blocks.
void multiply_blocks(const BlockProduct& product, int thread, int threads);

}  // namespace assay
