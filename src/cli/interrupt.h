// Ctrl-C, once: no new episode is begun, and those open are finished. Twice: the program ends at once (what was stored
// stays).
#pragma once

#include <atomic>

namespace assay {

// Takes over SIGINT and SIGTERM for the rest of the program, and returns what the first of them sets.
const std::atomic<bool>& stop_on_signal();

}  // namespace assay
