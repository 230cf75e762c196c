// Exact arithmetic: the same numbers whatever else is computed beside them.
//
// A token's numbers depend on what shares its batch where sums are added in an order that the batch's shape decides.
// While an ExactArithmetic exists anywhere in the process, none does on the CPU:
//   matrices   block_product.h computes each number by itself. llamafile's kernels, which have the other types, add
//              along a row in one order, whatever the number of columns, but leave a single column to ggml, which may
//              add in another. So a single column is given to them twice (their entry point is wrapped by the linker).
//              Where nobody has looked at the kernels - other processors than x86-64 - they are off, and every product
//              is ggml's plain one, column by column. What neither has a kernel for is that plain one everywhere;
//              ggml's panel kernels (iqp.h), which take the place of it for IQ types from eight columns on, are off.
//              The weights must lie as the file has them: llama.cpp would repack many types for kernels that add in
//              one order for one column and in another for four (load_weights: `exact`).
//   attention  attention.h takes every row by itself, and also where there is only one. For a model that it was not
//              made for, ggml's attention without flash kernels is exact too, and slower (attention_can_be_exact).
// The last condition is a stream for each sequence (engine.h): then its keys lie in the same order always.
//
// None may come or go while a graph is computed, in whichever context: its threads would take different ways.
#pragma once

struct llama_model;

namespace assay {

class ExactArithmetic {
 public:
  ExactArithmetic();
  ~ExactArithmetic();
  ExactArithmetic(const ExactArithmetic&) = delete;
  ExactArithmetic& operator=(const ExactArithmetic&) = delete;
  static bool alive();  // whether one exists; from any thread
};

// Whether every attention in this model's graph would be computed by attention.h if flash attention were on. Computes
// one token to see.
bool attention_can_be_exact(llama_model* model);

}  // namespace assay
