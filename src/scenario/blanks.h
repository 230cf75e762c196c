// Blanks that a call fills, in texts that are templates too: `The letter to {{ args.whom }} of {{ company }} is sent.`
// {{ args.NAME }} and {{ state.NAME }} are put aside before the template engine reads the text and found again when it
// has rendered the rest; so nothing that a model writes is ever read as a template.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "world/custom.h"

namespace assay {

// The text with its blanks put aside: of the same length, so that places in it stay right. `found` is told of each
// blank, with the offset of its name. What speaks of `args` or `state` in any other way is left for the engine.
std::string blanks_aside(std::string text, const std::function<void(const TextPart& blank, size_t offset)>& found);

// What such a text has become once it is rendered.
BlankText blanks_in(std::string_view rendered);

}  // namespace assay
