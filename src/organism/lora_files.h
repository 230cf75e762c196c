// Files that are there whole or not at all, and what a checkpoint of the trainer is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace assay::lora {

// Writes beside `path` (path.part), flushes to the disk and renames: whoever is killed leaves the old file or the new.
// What is no ordinary file (a device) is written to as it is. Errors (unfinished) are one sentence with the name.
Status write_whole(const std::string& path, std::string_view bytes);

// The whole file. Errors (bad_input) are one sentence with the name.
Result<std::string> read_whole(const std::string& path);

// What training goes on from.
struct Checkpoint {
  std::string made_for;  // base, shape and settings as a text: loading compares it
  int64_t steps = 0, tokens = 0;
  bool gathered = false;                               // a gradient that no step has used yet
  std::vector<float> values, first, second, gradient;  // second and third: AdamW's moments; the last empty if !gathered

  std::string bytes() const;
  // Nothing where the bytes are not what bytes() made, to the last.
  static Result<Checkpoint> read(std::string_view bytes);
};

}  // namespace assay::lora
