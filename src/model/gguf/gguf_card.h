// A loaded GGUF model, described.
#pragma once

#include <llama-cpp.h>

#include "model/card.h"
#include "model/gguf/chat_format.h"
#include "model/gguf/engine.h"
#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_options.h"

namespace assay {

// What a loaded model consists of; all of it is only looked at.
struct GgufParts {
  const llama_model* model;
  const GgufFile& file;
  const GgufFile* adapter;  // null: none
  const GgufOptions& options;
  const ChatFormat& format;
  const Engine& engine;
  int context, threads;  // those in force
  int at_once;           // conversations, at most, whatever the engine could hold
};

// `id` is the caller's to set.
ModelCard gguf_card(const GgufParts& parts);

}  // namespace assay
