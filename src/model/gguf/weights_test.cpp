// That weights are shared, and that in exact mode they lie where a sum does not depend on what is computed beside it.
#include "model/gguf/weights.h"

#include <ggml-backend.h>

#include "model/gguf/engine_fixture.h"
#include "model/gguf/exact.h"

namespace assay {
namespace {

// Whether llama.cpp would repack a matrix of this type on this CPU, and so multiply with other kernels.
bool repacks(ggml_type type) {
  ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  auto extra = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), "ggml_backend_dev_get_extra_bufts"));
  const std::unique_ptr<ggml_context, decltype(&ggml_free)> context(ggml_init({1 << 20, nullptr, true}), &ggml_free);
  ggml_tensor* weights = ggml_new_tensor_2d(context.get(), type, 256, 256);
  ggml_tensor* product = ggml_mul_mat(context.get(), weights, ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, 256, 1));
  bool any = false;
  for (ggml_backend_buffer_type_t* one = extra ? extra(cpu) : nullptr; one && *one; ++one) {
    ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(*one, 0);
    weights->buffer = buffer;
    any |= ggml_backend_dev_supports_op(cpu, product);
    ggml_backend_buffer_free(buffer);
  }
  return any;
}

class Weights : public EngineTest, public testing::WithParamInterface<ggml_type> {
 protected:
  // Of 24 jobs behind a common beginning: how many saw other bits among the others than alone.
  int that_differ(bool weights_for_exact) {
    write_tiny_gguf(path, {.context = 4096, .type = GetParam()});
    std::vector<std::vector<Written>> runs;
    for (int width : {1, 24}) {
      engine.reset();
      Result<SharedWeights> loaded = load_weights(path, 0, weights_for_exact);
      EXPECT_TRUE(loaded) << loaded.error().text;
      weights = *loaded;
      Result<std::unique_ptr<Engine>> made =
          Engine::make(weights.get(), {.exact = true, .memory = 64 << 20, .width = width});
      EXPECT_TRUE(made) << made.error().text;
      engine = std::move(*made);
      words = llama_vocab_n_tokens(llama_model_get_vocab(weights.get()));
      std::vector<Written> written(24);
      for (size_t i = 0; i < written.size(); ++i)
        engine->submit(job(text(1, 50) + text(100 + i, 5 + i), 10, i, written[i]));
      wait();
      runs.push_back(std::move(written));
    }
    int differ = 0;
    for (size_t i = 0; i < runs[0].size(); ++i) differ += !same_bits(runs[0][i], runs[1][i]);
    return differ;
  }
};

TEST_P(Weights, GiveTheSameBitsInExactMode) { EXPECT_EQ(that_differ(/*weights_for_exact=*/true), 0); }

// That the test above can fail.
class RepackedWeights : public Weights {};
TEST_P(RepackedWeights, DoNot) {
  if (!repacks(GetParam())) GTEST_SKIP() << "this CPU does not repack them";
  EXPECT_GT(that_differ(/*weights_for_exact=*/false), 0);
}

INSTANTIATE_TEST_SUITE_P(Of, Weights,
                         testing::Values(GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_IQ4_NL, GGML_TYPE_Q2_K,
                                         GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, GGML_TYPE_IQ4_XS),
                         [](const auto& type) { return ggml_type_name(type.param); });
INSTANTIATE_TEST_SUITE_P(Of, RepackedWeights, testing::Values(GGML_TYPE_Q4_K),
                         [](const auto& type) { return ggml_type_name(type.param); });

using WeightsTest = EngineTest;

TEST_F(WeightsTest, AreSharedAsLongAsSomebodyUsesThem) {
  make({});
  const SharedWeights again = *load_weights(path, 0), exact = *load_weights(path, 0, true);
  EXPECT_EQ(again, weights);
  EXPECT_NE(exact, weights) << "those may lie otherwise";
  EXPECT_EQ(*load_weights(path, 0, true), exact);
}

TEST_F(WeightsTest, AreSharedByAdapters) {
  make({});
  const std::string file = path + ".lora";
  write_tiny_adapter(file);
  const SharedWeights again = *load_weights(path, 0);
  Result<llama_adapter_lora*> one = load_adapter(weights, file), other = load_adapter(again, file);
  ASSERT_TRUE(one && other);
  EXPECT_NE(*one, *other);
  EXPECT_EQ(again.get(), weights.get());
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace assay
