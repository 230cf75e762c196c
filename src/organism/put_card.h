// An adapter's card exchanged for another, its weights as they are: who measures an adapter writes down what was found.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace assay {

// The file is there whole at every moment, with the old card or the new one. Errors: no adapter (bad_input); a file
// that cannot be written (unfinished), which is then as it was.
Status put_card(const std::string& adapter, const Json& card);

}  // namespace assay
