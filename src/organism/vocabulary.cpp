#include "organism/vocabulary.h"

#include <fmt/format.h>

#include "base/text.h"
#include "model/gguf/llama_log.h"

namespace assay {

Result<Vocabulary> read_vocabulary(const std::string& gguf) {
  capture_llama_log();
  take_llama_error();
  Vocabulary vocabulary;
  llama_model_params how = llama_model_default_params();
  how.vocab_only = true;
  vocabulary.model.reset(llama_model_load_from_file(gguf.c_str(), how));
  if (!vocabulary.model) {
    const std::string why = take_llama_error();
    return Error{fmt::format("{} cannot be read as a GGUF model{}", for_terminal(gguf), why.empty() ? "" : ": " + why)};
  }
  Result<std::unique_ptr<ChatFormat>> format =
      ChatFormat::make(vocabulary.model.get(), GgufOptions::Template::automatic);
  if (!format) return Error{fmt::format("{} {}", for_terminal(gguf), format.error().text)};
  vocabulary.format = std::move(*format);
  return vocabulary;
}

}  // namespace assay
