// `assay organism measure ADAPTER --from RUN`: what was found of an organism in runs, taken into its card.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/output.h"

namespace assay {

// Errors (bad_input): a run in which it was not played, or played with another card than it has now.
Result<int> take_found(const std::string& adapter, const std::vector<std::string>& runs, Output& out);

// What a card says was found, for people; "" where it says nothing.
std::string found_text(const Json& card);

}  // namespace assay
