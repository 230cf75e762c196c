// One scenario file -> Scenario. A part of load.h's work, apart because it is most of it.
#pragma once

#include <map>
#include <string>

#include "scenario/scenario.h"
#include "scenario/yaml.h"

namespace assay {

// `key` is the file's key in `sources`; `kinds` the acts' vocabulary. Adds every mistake.
Scenario load_scenario(const std::string& key, const YamlNode& root, const Sources& sources,
                       const std::map<std::string, std::string>& kinds, Diagnostics& diagnostics);

}  // namespace assay
