// "-m gguf:model.gguf?ctx=4096" -> a Model. The one table of backends.
#pragma once

#include <memory>
#include <string>

#include "model/model.h"
#include "scenario/policy.h"

namespace assay {

struct OpenedModel {
  std::unique_ptr<Model> model;
  std::shared_ptr<const Policy> policy;  // models of known conduct, else null
};

// Understands gguf:PATH[?key=value&...], policy:FILE, scripted:FILE and replay:RUN. The error names what is wrong and
// what is understood.
Result<OpenedModel> open_model(const std::string& name, const Suite& suite);

// One line per backend, for --help.
std::string model_help();

}  // namespace assay
