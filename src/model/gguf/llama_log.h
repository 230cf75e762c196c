// llama.cpp writes its log to stderr from wherever it stands. Here it is silenced; what it said last about an error is
// kept, to become part of ours.
#pragma once

#include <string>

namespace assay {

// Redirects the logs of llama.cpp, ggml and their common library, once for the process. Cheap to repeat.
void capture_llama_log();

// The last error line since the last call, without the function's name, or "" if there was none.
std::string take_llama_error();

}  // namespace assay
