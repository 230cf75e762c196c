#include "model/gguf/exact.h"

#include <atomic>
#include <cstdint>

namespace assay {
namespace {
std::atomic<int> wanted{0};
}  // namespace

ExactArithmetic::ExactArithmetic() { ++wanted; }
ExactArithmetic::~ExactArithmetic() { --wanted; }

}  // namespace assay

// ggml's own declaration is in no header that is installed; --wrap binds by name, whatever the types.
struct ggml_compute_params;
extern "C" bool __real_llamafile_sgemm(const ggml_compute_params*, int64_t m, int64_t n, int64_t k, const void* a,
                                       int64_t lda, const void* b, int64_t ldb, void* c, int64_t ldc, int a_type,
                                       int b_type, int c_type);
extern "C" bool __wrap_llamafile_sgemm(const ggml_compute_params* params, int64_t m, int64_t n, int64_t k,
                                       const void* a, int64_t lda, const void* b, int64_t ldb, void* c, int64_t ldc,
                                       int a_type, int b_type, int c_type) {
  if (assay::wanted.load(std::memory_order_relaxed) > 0) return false;  // ggml then takes its plain way
  return __real_llamafile_sgemm(params, m, n, k, a, lda, b, ldb, c, ldc, a_type, b_type, c_type);
}
