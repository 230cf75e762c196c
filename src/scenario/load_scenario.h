// One scenario file -> Scenario. A part of load.h's work, apart because it is most of it.
#pragma once

#include <map>
#include <string>

#include "scenario/scenario.h"
#include "scenario/yaml.h"

namespace assay {

using Kinds = std::map<std::string, std::string>;  // the vocabulary of acts: kind -> its sentence

// `key` is the file's key in `sources`; `kinds` is null where the vocabulary could not be read, which is told
// elsewhere: kinds are then taken as they stand. Adds every mistake.
Scenario load_scenario(const std::string& key, const YamlNode& root, const Sources& sources, const Kinds* kinds,
                       Diagnostics& diagnostics);

}  // namespace assay
