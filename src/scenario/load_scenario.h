// One scenario file -> Scenario. A part of load.h's work, apart because it is most of it.
#pragma once

#include <map>
#include <string>

#include "scenario/scenario.h"
#include "scenario/yaml.h"

namespace assay {

using Kinds = std::map<std::string, std::string>;  // the vocabulary of acts: kind -> its sentence
using CodeTexts = std::map<std::string, Json>;     // code of conduct -> its "explain" and "title"

// What texts may quote of the codes in `sources`; nothing where no text quotes any. Whether the codes are right is told
// where they are loaded.
CodeTexts code_texts_of(const Sources& sources);

// `key` is the file's key in `sources`; `codes` are code_texts_of(sources), read once for all scenarios; `kinds` is
// null where the vocabulary could not be read, which is told elsewhere: kinds are then taken as they stand. Adds every
// mistake.
Scenario load_scenario(const std::string& key, const YamlNode& root, const Sources& sources, const CodeTexts& codes,
                       const Kinds* kinds, Diagnostics& diagnostics);

}  // namespace assay
