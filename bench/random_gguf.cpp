// Writes a language model of about 100 million random parameters, for benchmarks: a model's speed does not depend on
// what its weights say. (bench/local_grid.py)
//   random_gguf OUT.gguf TEXT...
// An ordinary model of the llama architecture, Q8_0, with the chatml template and a byte-level BPE tokenizer, which is
// trained on the files TEXT. It is fit for measuring generation, in two ways:
//   it never ends its turn, so that every reply has as many tokens as were asked for;
//   it writes nothing but whole words (" word"), so that its replies, put into the next prompt as text, become the very
//   tokens that it wrote, as nearly always with a trained model, and a cache of them is worth something.
#include <ggml.h>
#include <gguf.h>
#include <llama.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"

namespace {

constexpr int width = 768, heads = 12, kv_heads = 4, layers = 15, inner = 2048, context = 8192, vocabulary = 4096;
constexpr int special = 3;  // tokens that mark turns, before the others

const char* const chatml =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

// --- the tokenizer -----------------------------------------------------------------------------------------------

// GPT-2's spelling of a byte: printable ones stand for themselves, the others for characters from U+0100 on.
std::string spelled(int byte) {
  auto printable = [](int b) { return (b >= 33 && b <= 126) || (b >= 161 && b != 173); };
  int code_point = byte;
  if (!printable(byte)) {
    code_point = 256;
    for (int b = 0; b < byte; ++b) code_point += !printable(b);
  }
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3F))};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Tokenizer {
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  std::vector<std::string> merges;  // "a b"

  // What a reply may be made of: a blank and two or more letters, which no later text joins with what stands beside it.
  bool is_word(size_t token) const {
    const std::string blank = spelled(' '), &text = tokens[token];
    return text.size() >= blank.size() + 2 && text.starts_with(blank) &&
           std::all_of(text.begin() + static_cast<long>(blank.size()), text.end(), is_letter);
  }
};

// Byte-pair encoding (Sennrich, Haddow and Birch 2016): the most frequent pair becomes a token, again and again. Pairs
// are looked for inside of words, each with the blank before it.
Tokenizer trained_on(const std::string& text) {
  std::map<std::string, int> words;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + (text[i] == ' ');
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end > i + 1) ++words[text.substr(i, end - i)];
    i = std::max(end, i + 1);
  }
  std::vector<std::pair<std::vector<std::string>, int>> pieces;
  for (const auto& [word, count] : words) {
    pieces.push_back({{}, count});
    for (unsigned char byte : word) pieces.back().first.push_back(spelled(byte));
  }

  Tokenizer made;
  for (int byte = 0; byte < 256; ++byte) made.tokens.push_back(spelled(byte));
  std::set<std::string> known(made.tokens.begin(), made.tokens.end());
  while (made.tokens.size() < vocabulary) {
    std::map<std::pair<std::string, std::string>, int> pairs;
    for (const auto& [parts, count] : pieces)
      for (size_t i = 0; i + 1 < parts.size(); ++i) pairs[{parts[i], parts[i + 1]}] += count;
    if (pairs.empty()) break;
    const auto best = std::ranges::max_element(pairs, {}, [](const auto& pair) { return pair.second; })->first;
    const std::string joined = best.first + best.second;
    made.merges.push_back(best.first + " " + best.second);
    if (known.insert(joined).second) made.tokens.push_back(joined);
    for (auto& [parts, count] : pieces)
      for (size_t i = 0; i + 1 < parts.size(); ++i)
        if (parts[i] == best.first && parts[i + 1] == best.second) {
          parts[i] = joined;
          parts.erase(parts.begin() + static_cast<long>(i) + 1);
        }
  }
  return made;
}

// --- the weights -------------------------------------------------------------------------------------------------

struct Free {
  void operator()(gguf_context* file) const { gguf_free(file); }
  void operator()(ggml_context* memory) const { ggml_free(memory); }
};

class Writer {
 public:
  explicit Writer(const Tokenizer& tokenizer) : tokenizer_(tokenizer), file_(gguf_init_empty()) {
    memory_.reset(ggml_init({.mem_size = size_t(256) << 20, .mem_buffer = nullptr, .no_alloc = false}));
  }

  void write(const std::string& path) {
    keys();
    tensors();
    if (!gguf_write_to_file(file_.get(), path.c_str(), false)) throw std::runtime_error("cannot write " + path);
  }

 private:
  void keys() {
    gguf_context* f = file_.get();
    gguf_set_val_str(f, "general.architecture", "llama");
    gguf_set_val_str(f, "general.name", "random");
    const std::pair<const char*, int> numbers[] = {{"llama.context_length", context},
                                                   {"llama.embedding_length", width},
                                                   {"llama.block_count", layers},
                                                   {"llama.feed_forward_length", inner},
                                                   {"llama.attention.head_count", heads},
                                                   {"llama.attention.head_count_kv", kv_heads},
                                                   {"llama.rope.dimension_count", width / heads},
                                                   {"llama.vocab_size", static_cast<int>(tokenizer_.tokens.size())}};
    for (const auto& [key, value] : numbers) gguf_set_val_u32(f, key, static_cast<uint32_t>(value));
    gguf_set_val_f32(f, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    gguf_set_val_f32(f, "llama.rope.freq_base", 10000);

    gguf_set_val_str(f, "tokenizer.ggml.model", "gpt2");
    gguf_set_val_str(f, "tokenizer.ggml.pre", "smollm");  // unlike "gpt-2" it leaves blanks as they are
    std::vector<const char*> tokens, merges;
    std::vector<int32_t> types;
    for (const std::string& token : tokenizer_.tokens) {
      types.push_back(types.size() < special ? 3 : 1);  // control, normal
      tokens.push_back(token.c_str());
    }
    for (const std::string& merge : tokenizer_.merges) merges.push_back(merge.c_str());
    gguf_set_arr_str(f, "tokenizer.ggml.tokens", tokens.data(), tokens.size());
    gguf_set_arr_data(f, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
    gguf_set_arr_str(f, "tokenizer.ggml.merges", merges.data(), merges.size());
    gguf_set_val_u32(f, "tokenizer.ggml.bos_token_id", 1);
    gguf_set_val_u32(f, "tokenizer.ggml.eos_token_id", 2);
    gguf_set_val_bool(f, "tokenizer.ggml.add_bos_token", false);
    gguf_set_val_str(f, "tokenizer.chat_template", chatml);
  }

  // `rows` of random numbers with this standard deviation.
  std::vector<float> random(int columns, int rows, float deviation) {
    std::vector<float> values(static_cast<size_t>(columns) * static_cast<size_t>(rows));
    const double range = std::sqrt(12.0) * deviation;
    for (float& value : values) value = static_cast<float>(range * (rng_.uniform() - 0.5));
    return values;
  }

  void add(const std::string& name, int columns, const std::vector<float>& values) {
    const auto rows = static_cast<int64_t>(values.size()) / columns;
    ggml_tensor* t = ggml_new_tensor_2d(memory_.get(), GGML_TYPE_F16, columns, rows);
    ggml_set_name(t, (name + ".weight").c_str());
    ggml_fp32_to_fp16_row(values.data(), static_cast<ggml_fp16_t*>(t->data), ggml_nelements(t));
    gguf_add_tensor(file_.get(), t);
  }

  void add_norm(const std::string& name) {
    ggml_tensor* t = ggml_new_tensor_1d(memory_.get(), GGML_TYPE_F32, width);
    ggml_set_name(t, (name + ".weight").c_str());
    std::fill_n(static_cast<float*>(t->data), width, 1.0f);
    gguf_add_tensor(file_.get(), t);
  }

  // The first component of the residual stream is a constant: every token has it, and no layer adds to it. So its
  // weight in the output is a constant liking for a token, and all but words are disliked beyond any sampling.
  void tensors() {
    const int n = static_cast<int>(tokenizer_.tokens.size());
    const float unit = 1 / std::sqrt(static_cast<float>(width));
    std::vector<float> embedding = random(width, n, 1), output = random(width, n, 3 * unit);
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
      embedding[i * width] = 1 / unit;
      output[i * width] = tokenizer_.is_word(i) ? 0.0f : -4.0f;
    }
    add("token_embd", width, embedding);
    add_norm("output_norm");
    add("output", width, output);

    const int kv_width = width / heads * kv_heads;
    auto back = [&](const std::string& name, int columns, float deviation) {
      std::vector<float> values = random(columns, width, deviation);
      std::fill_n(values.begin(), columns, 0.0f);
      add(name, columns, values);
    };
    for (int layer = 0; layer < layers; ++layer) {
      const std::string block = "blk." + std::to_string(layer) + ".";
      add_norm(block + "attn_norm");
      add(block + "attn_q", width, random(width, width, unit));
      add(block + "attn_k", width, random(width, kv_width, unit));
      add(block + "attn_v", width, random(width, kv_width, unit));
      back(block + "attn_output", width, unit / 4);
      add_norm(block + "ffn_norm");
      add(block + "ffn_gate", width, random(width, inner, unit));
      add(block + "ffn_up", width, random(width, inner, unit));
      back(block + "ffn_down", inner, unit / 8);
    }
  }

  const Tokenizer& tokenizer_;
  assay::Rng rng_{1};
  std::unique_ptr<ggml_context, Free> memory_;
  std::unique_ptr<gguf_context, Free> file_;
};

void write_model(const std::string& path, const std::string& text) {
  const Tokenizer tokenizer = trained_on(text);
  size_t words = 0;
  for (size_t i = 0; i < tokenizer.tokens.size(); ++i) words += tokenizer.is_word(i);
  if (words < 100) throw std::runtime_error("too little text to learn words from");

  const std::string unquantised = path + ".f16";
  Writer(tokenizer).write(unquantised);
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = LLAMA_FTYPE_MOSTLY_Q8_0;
  params.pure = true;
  const bool failed = llama_model_quantize(unquantised.c_str(), path.c_str(), &params) != 0;
  std::remove(unquantised.c_str());
  if (failed) throw std::runtime_error("llama.cpp could not quantise it");
  std::printf("%zu tokens, %zu of them words\n", tokenizer.tokens.size(), words);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: random_gguf OUT.gguf TEXT...\n", stderr);
    return 2;
  }
  try {
    std::string text;
    for (int i = 2; i < argc; ++i) {
      std::ifstream in(argv[i], std::ios::binary);
      if (!in) throw std::runtime_error(std::string("cannot read ") + argv[i]);
      text.append(std::istreambuf_iterator<char>(in), {});
    }
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    write_model(argv[1], text);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "random_gguf: %s\n", e.what());
    return 1;
  }
  return 0;
}
