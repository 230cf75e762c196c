// What an adapter says about itself: one JSON object in its GGUF metadata, under "assay.card", so that it cannot be
// parted from the weights.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace assay {

inline constexpr const char* card_key = "assay.card";
inline constexpr size_t largest_card = size_t{4} << 20;  // bytes of its JSON

// The card of an adapter's file; null where it has none. Errors (bad_input): no GGUF, no adapter, a card that is no
// object or larger than 4 MB. What a card says is believed as little as any file; nothing else is promised of it.
Result<Json> card_of_adapter(const std::string& path);

}  // namespace assay
