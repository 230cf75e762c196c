#include "model/gguf/exact.h"

#include <ggml-backend.h>
#include <llama-cpp.h>

#include <atomic>
#include <cstdint>

#include "model/gguf/attention.h"
#include "model/gguf/block_product.h"

namespace assay {
namespace {

std::atomic<int> living{0};

struct Seen {
  bool any = false, all_ours = true;
};

bool look(ggml_tensor* node, bool ask, void* seen) {
  if (!ask || node->op != GGML_OP_FLASH_ATTN_EXT) return false;
  auto* to = static_cast<Seen*>(seen);
  const ggml_backend_buffer* keys = node->src[1]->view_src ? node->src[1]->view_src->buffer : node->src[1]->buffer;
  to->any = true;
  to->all_ours &= attends_by_mask(node) && keys && ggml_backend_buffer_is_host(const_cast<ggml_backend_buffer*>(keys));
  return false;
}

}  // namespace

ExactArithmetic::ExactArithmetic() { ++living; }
ExactArithmetic::~ExactArithmetic() { --living; }
bool ExactArithmetic::alive() { return living.load(std::memory_order_relaxed) > 0; }

bool attention_can_be_exact(llama_model* model) {
  ExactArithmetic exact;
  Seen seen;
  llama_context_params how = llama_context_default_params();
  how.n_ctx = how.n_batch = how.n_ubatch = 256;
  how.n_seq_max = 1;
  how.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
  how.no_perf = true;
  how.cb_eval = look;
  how.cb_eval_user_data = &seen;
  const llama_context_ptr context(llama_init_from_model(model, how));
  llama_token token = 0;
  return context && llama_decode(context.get(), llama_batch_get_one(&token, 1)) == 0 && seen.any && seen.all_ours;
}

}  // namespace assay

// ggml's own declarations are in no header that is installed; --wrap binds by name, whatever the types. Of the
// parameters only the beginning is read.
struct ggml_compute_params {
  int ith, nth;
};
extern "C" bool __real_llamafile_sgemm(const ggml_compute_params*, int64_t m, int64_t n, int64_t k, const void* a,
                                       int64_t lda, const void* b, int64_t ldb, void* c, int64_t ldc, int a_type,
                                       int b_type, int c_type);
extern "C" bool __wrap_llamafile_sgemm(const ggml_compute_params* params, int64_t m, int64_t n, int64_t k,
                                       const void* a, int64_t lda, const void* b, int64_t ldb, void* c, int64_t ldc,
                                       int a_type, int b_type, int c_type) {
  if (assay::multiplies_blocks(a_type, b_type) && c_type == GGML_TYPE_F32) {
    assay::multiply_blocks({m, n, k, a, lda, b, ldb, static_cast<float*>(c), ldc, a_type, b_type}, params->ith,
                           params->nth);
    return true;
  }
  if (assay::ExactArithmetic::alive()) {
#ifndef __x86_64__
    return false;  // ggml then takes its plain way
#endif
    // The same column twice, into the same place: both lie in one tile, so one thread writes both. Strides of 0 would
    // fail the assertions of a llama.cpp built for debugging; scripts/llama_build.sh builds none, whatever its source.
    if (n == 1) return __real_llamafile_sgemm(params, m, 2, k, a, lda, b, 0, c, 0, a_type, b_type, c_type);
  }
  return __real_llamafile_sgemm(params, m, n, k, a, lda, b, ldb, c, ldc, a_type, b_type, c_type);
}

// Whether a product takes ggml's panel kernels, which add otherwise than its plain way does. ggml also asks when it
// plans the memory of a graph; a plan without them needs no more than one with them.
extern "C" bool __real_ggml_cpu_iqp_supports_mul_mat(const ggml_tensor* product);
extern "C" bool __wrap_ggml_cpu_iqp_supports_mul_mat(const ggml_tensor* product) {
  return !assay::ExactArithmetic::alive() && __real_ggml_cpu_iqp_supports_mul_mat(product);
}
extern "C" bool __real_ggml_cpu_iqp_supports_mul_mat_id(const ggml_tensor* product);
extern "C" bool __wrap_ggml_cpu_iqp_supports_mul_mat_id(const ggml_tensor* product) {
  return !assay::ExactArithmetic::alive() && __real_ggml_cpu_iqp_supports_mul_mat_id(product);
}
