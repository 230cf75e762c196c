// "PATH?ctx=4096&grammar=on" -> what a GGUF model was asked to be.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace assay {

struct GgufOptions {
  enum class Template { automatic, native, generic };

  std::string path;
  int context = 0;                    // tokens; 0: the training context, at most 8192
  int threads = 0;                    // 0: as many as there are cores
  std::optional<double> temperature;  // 0: greedy. These three, where given, stand before what a request asks
  std::optional<double> top_p;
  std::optional<int> max_tokens;               // of one reply; a request may ask for less
  bool grammar = false;                        // constrain every reply to what can be read
  Template tool_format = Template::automatic;  // native where the template describes tools, else generic
};

// Errors name the option, and the one that was probably meant. Whether there is such a file is not looked at.
Result<GgufOptions> parse_gguf_options(const std::string& text);

}  // namespace assay
