// "-m gguf:model.gguf?ctx=4096" -> a Model. The one table of backends.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "model/model.h"
#include "scenario/organism_card.h"
#include "scenario/policy.h"

namespace assay {

struct OpenedModel {
  std::unique_ptr<Model> model;
  // Models whose conduct was planted, else null. An organism's is null where it does not fit this suite.
  std::shared_ptr<const Policy> policy;
  Json card = {};  // organisms: their card (scenario/organism_card.h), under either name; else null
};

// Understands gguf:PATH[?key=value&...], organism:NAME[?key=value&...], policy:FILE, scripted:FILE and replay:RUN. The
// error names what is wrong and what is understood.
Result<OpenedModel> open_model(const std::string& name, const Suite& suite);

// The card of an organism, before anything is loaded; nothing for other models, and for names that open_model()
// refuses.
std::optional<OrganismCard> card_of_model(const std::string& name);

// One line per backend, for --help.
std::string model_help();

}  // namespace assay
