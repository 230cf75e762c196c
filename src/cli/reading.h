// `assay model MODEL --read FILE`: how likely a model finds a text, token by token.
#pragma once

#include <string>

#include "cli/output.h"
#include "model/model.h"

namespace assay {

// The exit code. `top`: so many of the likeliest tokens are told beside each. `json`: docs/models.md names the fields.
int read_text(Model& model, const std::string& file, int top, bool json, Output& out);

}  // namespace assay
