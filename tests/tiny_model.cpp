// For the whole-program cases: writes a language model of random weights that runs in milliseconds.
//   tiny_model OUT.gguf [--like TOKEN=LOGIT]... [--context TOKENS] [--seed N] [--broken]
// --like adds about LOGIT to a token's logit wherever it stands; the tokens are the 256 bytes, so that a judge that
// likes "y" says yes. --broken: its weights are not numbers.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>

#include "model/gguf/tiny_gguf.h"

int main(int argc, char** argv) {
  auto usage = [] {
    std::fputs("usage: tiny_model OUT.gguf [--like TOKEN=LOGIT]... [--context TOKENS] [--seed N] [--broken]\n", stderr);
    return 2;
  };
  if (argc < 2) return usage();
  assay::TinyGguf model;
  for (int i = 2; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--broken") {
      model.scale = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    if (++i == argc) return usage();
    const std::string value = argv[i];
    if (option == "--like") {
      const size_t equals = value.rfind('=');
      if (equals == value.npos || equals == 0) return usage();
      model.liking[value.substr(0, equals)] = std::strtof(value.c_str() + equals + 1, nullptr);
    } else if (option == "--context") {
      model.context = std::atoi(value.c_str());
    } else if (option == "--seed") {
      model.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else {
      return usage();
    }
  }
  try {
    assay::write_tiny_gguf(argv[1], model);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tiny_model: %s\n", e.what());
    return 1;
  }
  return 0;
}
