#include "model/gguf/context_shape.h"

#include <algorithm>
#include <vector>

#include "model/gguf/lines.h"

namespace assay {
namespace {

constexpr double shared_enough = 4;  // cells in use, in lengths of one sequence: up to this a unified cache is faster

int64_t fit(int64_t memory, int64_t each) { return each > 0 ? memory / each : int64_t(1) << 20; }

}  // namespace

ContextShape context_shape(bool unified, int longest, const EngineOptions& options, const HeldBytes& bytes,
                           bool can_cut) {
  if (unified) {
    // Attention costs all cells in use, so more than a few sequences' worth are never wanted.
    const int64_t wanted = std::max<int64_t>(options.context, std::min<int64_t>(4 * options.context, 32768));
    const int64_t for_states = bytes.token > 0 ? options.memory / 2 : options.memory;
    const int64_t sequences = std::clamp<int64_t>(fit(for_states, bytes.sequence), 1,
                                                  std::min(most_sequences, (can_cut ? 2 : 4) * options.width));
    const int64_t fits = fit(options.memory - sequences * bytes.sequence, bytes.token) / 256 * 256;
    return {static_cast<uint32_t>(sequences),
            static_cast<uint32_t>(std::max<int64_t>(longest, std::min(wanted, fits)))};
  }
  const int each = std::min(options.context, (longest + 255) / 256 * 256);
  const auto sequences =
      static_cast<uint32_t>(std::clamp<int64_t>(fit(options.memory, each * bytes.token + bytes.sequence), 1,
                                                std::min(most_sequences, options.width + options.width / 4 + 1)));
  return {sequences, sequences * static_cast<uint32_t>(each)};
}

bool held_unified(const std::deque<EngineJob>& waiting, const EngineOptions& options, bool can_cut) {
  if (options.exact || options.hold == EngineOptions::Hold::streams) return false;
  if (options.hold == EngineOptions::Hold::unified || !can_cut) return true;
  std::vector<const EngineJob*> jobs;
  for (const EngineJob& job : waiting) {
    if (static_cast<int>(jobs.size()) == options.width) break;
    jobs.push_back(&job);
  }
  std::sort(jobs.begin(), jobs.end(), [](auto* a, auto* b) { return a->prompt < b->prompt; });
  double distinct = 0, whole = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const double own = static_cast<double>(jobs[i]->prompt.size()) + std::min(jobs[i]->most, 64);
    whole += own;
    distinct += own - (i == 0 ? 0.0 : static_cast<double>(common_prefix(jobs[i - 1]->prompt, jobs[i]->prompt)));
  }
  return jobs.size() < 3 || distinct <= shared_enough * whole / static_cast<double>(jobs.size());
}

}  // namespace assay
