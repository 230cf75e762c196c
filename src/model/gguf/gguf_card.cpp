#include "model/gguf/gguf_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace assay {
namespace {

std::string meta(const llama_model* model, const char* key) {
  char value[256] = "";
  return llama_model_meta_val_str(model, key, value, sizeof value) < 0 ? "" : value;
}

std::optional<ModelCard::Token> token(const llama_vocab* vocab, llama_token id) {
  if (id == LLAMA_TOKEN_NULL) return std::nullopt;
  const char* text = llama_vocab_get_text(vocab, id);
  return ModelCard::Token{id, text ? text : ""};
}

ModelCard::File file_of(const GgufFile& file, const std::string& path) {
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(path, failed);
  return {file.name, failed ? std::nullopt : std::optional(static_cast<int64_t>(bytes)), file.sha256};
}

std::string memory_of(const llama_model* model) {
  if (llama_model_is_recurrent(model)) return "a running state";
  const int window = llama_model_n_swa(model);
  std::string attention =
      window > 0 ? fmt::format("attention, in some layers to the last {} tokens", window) : "attention";
  return llama_model_is_hybrid(model) ? "a running state and " + attention : attention;
}

}  // namespace

ModelCard gguf_card(const GgufParts& parts) {
  const llama_model* model = parts.model;
  const llama_vocab* vocab = llama_model_get_vocab(model);
  ModelCard card;
  card.backend = "llama.cpp";
  card.what = "a GGUF model, computed in this process";
  card.name = meta(model, "general.name");
  card.architecture = meta(model, "general.architecture");
  card.memory = memory_of(model);
  card.parameters = static_cast<int64_t>(llama_model_n_params(model));
  card.layers = llama_model_n_layer(model);
  card.quantisation = llama_ftype_name(llama_model_ftype(model));
  card.file = file_of(parts.file, parts.options.path);
  if (parts.adapter) card.adapter = {file_of(*parts.adapter, parts.options.lora), parts.options.lora_scale};
  card.vocabulary = llama_vocab_n_tokens(vocab);
  card.bos = token(vocab, llama_vocab_bos(vocab));
  card.eos = token(vocab, llama_vocab_eos(vocab));
  card.eot = token(vocab, llama_vocab_eot(vocab));
  card.trained_context = llama_model_n_ctx_train(model);
  if (const char* source = llama_model_chat_template(model, nullptr)) card.chat_template = source;

  const ChatAbilities can = parts.format.abilities();
  card.system_role = can.system_role;
  card.thinks = can.thinks;
  if (can.thinks) card.thoughts = {can.thoughts_begin, can.thoughts_end};
  card.tool_format = parts.format.name();
  const bool generic = card.tool_format == "generic";
  card.why_format = !generic               ? "its chat template describes tools itself"
                    : !can.describes_tools ? "its chat template describes no tools"
                    : !can.reads_calls     ? "llama.cpp cannot read the calls that its chat template writes"
                                           : "asked for with template=generic";
  card.constrainable = can.constrains_calls;
  card.constrained = parts.options.grammar && can.constrains_calls;
  card.context = parts.context;
  card.mode = parts.options.mode == GgufOptions::Mode::exact ? "exact" : "fast";
  card.threads = parts.threads;
  const EngineRoom room = parts.engine.room();
  card.sequences = std::min(room.sequences, parts.at_once);
  if (!llama_model_is_recurrent(model)) {
    card.held_tokens = room.tokens;
    card.held_bytes = room.bytes;
  }
  card.logprobs = true;
  return card;
}

}  // namespace assay
