// A GGUF file, looked at before llama.cpp maps it: llama.cpp trusts much of what a file says, and some of its checks
// abort.
#pragma once

#include <string>

#include "base/result.h"

namespace assay {

struct GgufFile {
  std::string name;    // without its folder
  std::string sha256;  // of the whole file
};

// Without its folder.
std::string name_of_file(const std::string& path);

// Refuses, each with one sentence (bad_input): what is no readable file, no GGUF, truncated or damaged, a part of a
// split model, a vocabulary without a model, no text model, one without a chat template.
Result<GgufFile> check_gguf(const std::string& path);

// The same of a LoRA adapter, as far as can be seen without its base. Errors are whole sentences.
Result<GgufFile> check_adapter(const std::string& path);

}  // namespace assay
