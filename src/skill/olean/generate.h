// Valid files that nobody has seen: modules of made-up names, types and proofs in every shape that the format has.
//
// The same options give the same bytes on every machine. Of real files they have the density (1.1 constants a KB),
// the order of objects and the kinds of names; their expressions mean nothing, and the hash words inside expressions
// and levels are random numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "skill/olean/module.h"

namespace assay::olean {

struct MakeOptions {
  uint64_t seed = 0;
  uint64_t constants = 100;
  int version = 2;                   // of the header, 0 to 3
  int parts = 1;                     // or 3, of a module of the module system (v2 and v3)
  int fields = 5;                    // of ModuleData: 5, or what older files have, 3 or 4
  bool gmp = true;                   // how big numbers are stored
  uint64_t bytes_each = 900;         // of a constant, with its name, roughly
  std::string module_name = "Made";  // decides the base address
  bool tell = false;                 // fill in `constants` below
};

struct MadeConstant {
  Kind kind = Kind::axiom;
  struct Part {
    std::string text;  // digits, of a number
    bool number = false;
  };
  std::vector<Part> name;
};

struct MadeModule {
  std::vector<std::string> files;                    // the bytes of each part
  std::vector<std::vector<MadeConstant>> constants;  // of each part, in stored order; empty unless told
};

MadeModule make_module(const MakeOptions& options);

}  // namespace assay::olean
