// Where shipped organisms lie: NAME.gguf, an adapter with a card, in a folder `models`; and the bases that they were
// trained on, which `make model` puts into the cache. What `-m organism:NAME` names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "scenario/organism_card.h"

namespace assay {

// The folders that are looked in, in this order, whether they exist or not: $ASSAY_MODELS, where it is set; ./models;
// that of the checkout or installation that the program runs from.
std::vector<std::string> shelf_folders();

// ${ASSAY_CACHE:-${XDG_CACHE_HOME:-~/.cache}/assay}/models, as scripts/model.sh has it.
std::string base_folder();

struct ShelvedOrganism {
  std::string name;  // of its file, without .gguf
  std::string path;  // the adapter's
  Json card;         // as it stands there
  OrganismCard says;
};

// NAME of the first folder that has it. Errors (bad_input): no such name, telling where it was looked for; a file that
// is no organism.
Result<ShelvedOrganism> take_from_shelf(const std::string& name);

// An adapter by its path: an organism, or nothing where it has no card or another kind of card. Errors: no adapter, a
// card that cannot be used.
Result<std::optional<ShelvedOrganism>> organism_in(const std::string& path);

// Every organism, by name; of two of one name the one that take_from_shelf() gives. Other files are passed over.
std::vector<ShelvedOrganism> on_the_shelf();

// The base of a card in base_folder(), by the name of its file. Whether it is the right one is told by base_is(). An
// error, where there is none, names `make model`.
Result<std::string> base_of(const OrganismCard& card);

// Whether a base's hash is the card's; else a sentence with both, shortened. `base`: its path, for the message.
Status base_is(const OrganismCard& card, const std::string& base, const std::string& sha256);

}  // namespace assay
