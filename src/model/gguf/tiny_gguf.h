// For tests: a GGUF of a language model with random weights, small enough to be written and run in milliseconds.
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace assay {

inline constexpr const char* chatml =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

inline constexpr int tiny_window = 64;  // tokens

struct TinyGguf {
  uint64_t seed = 1;
  // Two layers each, of llama.cpp's architectures:
  //   llama     attention to everything before
  //   mamba     a running state in place of attention
  //   sliding   (olmo2) the first layer attends to the last `tiny_window` tokens alone
  //   hybrid    (lfm2) the first layer has a running state, the second attention
  enum class Kind { llama, mamba, sliding, hybrid } kind = Kind::llama;
  std::string chat_template = chatml;                              // "": none
  int context = 2048;                                              // it claims to have been trained on
  std::vector<std::string> control;                                // more control tokens, behind the bytes
  bool sentencepiece = false;                                      // with a space before texts, as Llama 2 has it
  ggml_type type = GGML_TYPE_F32;                                  // of the layers' matrices, with rows of 256 if not
  bool weights = true;                                             // false: a vocabulary alone
  std::map<std::string, float> liking;                             // token -> what is added to its logit, about
  float scale = 1;                                                 // of all weights; NaN makes a broken model
  std::function<void(gguf_context*)> edit = [](gguf_context*) {};  // last changes to the keys
};

// Its vocabulary: <|endoftext|>, <|im_start|>, <|im_end|> (which ends a turn), the 256 bytes, and `control`.
// With `sentencepiece`: the same, the bytes as <0x00> to <0xFF>, and behind them a token for the space.
void write_tiny_gguf(const std::string& path, const TinyGguf& model);

// A random adapter of rank 2 for the llama kind, on the attention's outputs; `strength` scales what it adds.
void write_tiny_adapter(const std::string& path, uint64_t seed = 1, float strength = 1);

// A control vector for the first layer of the llama kind: every other number `strength`, the rest its opposite.
void write_tiny_control(const std::string& path, float strength);

}  // namespace assay
