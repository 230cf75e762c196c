// How well a model wrote, whatever it did: whether its turns could be read, and whether the addresses, accounts, paths
// and ids in its calls are ones that it had read. What a small model gets wrong there shows as conduct that nobody
// planted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/run_file.h"

namespace assay {

struct Writing {
  int64_t turns = 0, well_formed = 0;      // replies; those that are calls or words in the form that was asked for
  int64_t identifiers = 0, copied = 0;     // in the arguments of calls; those that stand in what the model had read
  void add(const Transcript& transcript);  // given turns and answers to a manipulation check are left out
};

// Of all stored episodes of a model. Errors: the file cannot be read.
Result<Writing> writing_of(const RunReader& run, const std::string& model);

// Whether a text looks like one thing's name rather than like words: no blank in it, and a mark (@ . / _ -) or a digit
// with a letter or digit on its either side, or a digit alone.
bool is_identifier(std::string_view text);

}  // namespace assay
