// Exact arithmetic: the same numbers whatever else is computed beside them.
//
// ggml multiplies matrices with llamafile's kernels where their shapes suit those, and in another order of additions
// where they do not: a token then gets other bits in a batch of eight than alone. While an ExactArithmetic exists
// anywhere in the process, those kernels are off (their entry point is wrapped by the linker), and every product is the
// plain one, row by row. That is one of three conditions; the others are attention without flash kernels and a stream
// for each sequence (engine.h).
#pragma once

namespace assay {

class ExactArithmetic {
 public:
  ExactArithmetic();
  ~ExactArithmetic();
  ExactArithmetic(const ExactArithmetic&) = delete;
  ExactArithmetic& operator=(const ExactArithmetic&) = delete;
};

}  // namespace assay
