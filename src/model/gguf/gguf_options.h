// "PATH?ctx=4096&grammar=on" -> what a GGUF model was asked to be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace assay {

struct GgufOptions {
  enum class Template { automatic, native, generic };

  std::string path;
  std::string called;                 // its id, where it has a name of its own: "organism:NAME". "": by its files
  int context = 0;                    // tokens; 0: the training context, at most 8192
  int threads = 0;                    // 0: as many as there are cores
  std::optional<double> temperature;  // 0: greedy. These three, where given, stand before what a request asks
  std::optional<double> top_p;
  std::optional<double> min_p;
  std::optional<int> max_tokens;  // of one reply; a request may ask for less
  enum class Mode { fast, exact };
  enum class Hold { automatic, unified, streams };
  Mode mode = Mode::fast;       // exact: what is written does not depend on what else is computed, to the bit
  Hold hold = Hold::automatic;  // how sequences are held (engine.h); to be chosen by hand for measurements alone
  int memory = 0;               // MB for keys and values; 0: 2048, or a quarter of the machine's memory if that is less
  int gpu_layers = -1;          // layers on an accelerator; -1: all (none without one, or in exact mode)
  std::string lora;             // an adapter's file; "": none
  double lora_scale = 1;
  std::string control;  // a control vector's file, added to the residual stream; "": none
  double control_scale = 1;
  int control_from = 1, control_to = 0;        // layers it is added behind; to 0: the last
  bool grammar = false;                        // constrain every reply to what can be read
  Template tool_format = Template::automatic;  // native where the template describes tools, else generic
};

// Errors name the option, and the one that was probably meant. Whether there is such a file is not looked at. `scheme`:
// what stood before the text, for messages.
Result<GgufOptions> parse_gguf_options(const std::string& text, const std::string& scheme = "gguf");

// Whether these can be had on this machine. Errors complete the sentence "gguf:FILE ...".
Status fits_machine(const GgufOptions& options, bool has_accelerator);

// Each option for a page of help: "ctx", "N", "tokens of one conversation, at most; ...".
struct GgufOptionHelp {
  std::string key, value, help;
};
std::vector<GgufOptionHelp> gguf_options_help();

}  // namespace assay
