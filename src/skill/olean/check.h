// Every invariant that the files of Lean's own compactor have, looked at in one walk over all objects.
//
// Of each object: its reference count is 0, its size is right for its kind, its padding is zero, every pointer hits the
// start of an object before it, a string is UTF-8 of as many code points as it says and ends with a NUL. Of the file:
// the objects fill it exactly and the root is the last (a part of a module may have its root in an earlier part). Of
// the module: its root is ModuleData; imports, names and constants are what they must be; constNames[i] is the name of
// constants[i]; no name is there twice. The hash in a name, if it is wrong, is a warning; v0 had another function.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "skill/olean/module.h"

namespace assay::olean {

struct Census {
  uint64_t objects = 0, bytes = 0;
  struct Of {
    uint64_t objects = 0, bytes = 0;  // with their padding
  };
  std::array<Of, 256> by_tag{};  // the constructors all at 0
};

struct Findings {
  Census census;
  uint64_t constants = 0;
  uint64_t failure_count = 0, warning_count = 0;
  std::vector<std::string> failures,
      warnings;  // the first of them, as sentences without a full stop: "offset 0x340: ..."
  bool sound() const { return failure_count == 0; }
};

struct CheckOptions {
  size_t most_told = 10;      // of failures, and of warnings
  bool module_wanted = true;  // false: only the objects
  NameLimits limits;          // only `limbs` matters: long names are no mistake
};

// One finding a part of the space.
std::vector<Findings> check_parts(const Space& space, const CheckOptions& options = {});

}  // namespace assay::olean
