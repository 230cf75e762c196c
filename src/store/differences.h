// What forbids going on with a run file: how what was registered in it differs from what a later command says. Each
// difference is one string for people, of one line or, for a file that changed, of a few:
//   seed: the file has 1, this command says 2
//   desk.yaml changed, first in line 12:
//     - title: as the run file holds it
//     + title: as the folder holds it now
//   mail/affair is new
#pragma once

#include <string>
#include <vector>

#include "store/run_file.h"

namespace assay {

// Epochs may differ, and so may cells where the command leaves out none of the file's. The suite's files are compared
// one by one, by the words that both sides hold.
std::vector<std::string> differences(const Registration& file, const Registration& command);
// The same for one model of both: "model gguf:x: ctx: the file has 2048, this command says 4096".
std::vector<std::string> differences(const ModelEntry& file, const ModelEntry& command);

}  // namespace assay
