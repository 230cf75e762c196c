// What is held out of a list: of names, of wordings, of phrases.
#pragma once

#include <cstddef>
#include <utility>

#include "scenario/plan.h"

namespace assay {

// What a pool holds of a list of that size, as [begin, end): the last third is held out, of fewer than three nothing.
std::pair<size_t, size_t> part_of(size_t size, VariantPool pool);

}  // namespace assay
