// How large a context is made, and in which of its two ways it holds what was read (engine.h).
#pragma once

#include <cstdint>
#include <deque>

#include "model/gguf/engine.h"
#include "model/gguf/held_bytes.h"

namespace assay {

inline constexpr int most_sequences = 256;  // llama.cpp's limit

struct ContextShape {
  uint32_t sequences = 1;
  uint32_t tokens = 0;  // of all sequences together
};
// For sequences of up to `longest` tokens, within the options' memory; one sequence is held in any case. `can_cut`: the
// model has no running state.
ContextShape context_shape(bool unified, int longest, const EngineOptions& options, const HeldBytes& bytes,
                           bool can_cut);

// Whether a unified cache serves these best, if it is not settled otherwise: the distinct tokens of all that could be
// under way together, in lengths of one of them.
bool held_unified(const std::deque<EngineJob>& waiting, const EngineOptions& options, bool can_cut);

}  // namespace assay
