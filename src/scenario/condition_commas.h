// Words of a condition that stand side by side with nothing between them. The engine's parser asks for no comma and
// reads 'a' 'b' as one text; in a condition both would be a rule that looks for something else than its author.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace assay {

struct Unjoined {
  size_t offset = 0;    // of the second of the two words
  std::string message;  // what should stand before it
};

// The first such place of `source`, which the engine's lexer has read once without an error.
std::optional<Unjoined> side_by_side(const std::string& source);

}  // namespace assay
