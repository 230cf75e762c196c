// What a module's file holds at its root: ModuleData, its imports, and the constants with their kinds.
//
//   2022         imports, constants, entries                                            3 fields, 32 bytes
//   (perhaps)    imports, constNames, constants, entries, or constants, extras, entries  4 fields; the first element
//   tells since        imports, constNames, constants, extraConstNames, entries               5 fields, 48 bytes
//   since 4.24   the same, and isModule : Bool @48                                      5 fields, 56 bytes
// A constant is {ConstantInfo k [*Val [ConstantVal [name, levelParams, type], ...]]}: its constructor is its kind, in
// the same order in all versions. Sources: src/Lean/Environment.lean and Declaration.lean of leanprover/lean4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "skill/olean/names.h"
#include "skill/olean/objects.h"

namespace assay::olean {

enum class Kind : uint8_t { axiom, def, theorem, opaque, quot, inductive, ctor, recursor };
inline constexpr int kind_count = 8;
std::string_view kind_name(Kind kind);  // "axiom", "def", ..., as the enumerators are spelled

struct Module {
  size_t part = 0;  // of the space
  Object root;
  int fields = 0;
  ArrayView imports, constants, entries;
  std::optional<ArrayView> names;  // constNames; else the names stand in the constants
  std::optional<ArrayView> extra_names;
  std::optional<bool> is_module;  // of the module system: a file of three parts

  uint64_t size() const { return names ? names->size : constants.size; }
};

// ModuleData is what the root of a module looks like; v3 files may hold something else.
bool looks_like_a_module(uint64_t object_header);

// The module whose file is `part` of the space. The error is a predicate without the file's name.
Result<Module> read_module(const Space& space, size_t part);

struct Constant {
  Kind kind = Kind::axiom;
  uint64_t name = 0;         // the word that points to its name,
  uint64_t name_before = 0;  // in the object at this address
};
// The constant at `constants[i]`; false, with a fault in the space: it is none.
bool read_constant(const Space& space, const Module& module, uint64_t i, Constant& out);

// The word of the i-th name, and in which object it stands; without a list of names, from the constants.
bool name_word(const Space& space, const Module& module, uint64_t i, uint64_t& word, uint64_t& before);

struct Import {
  uint64_t name = 0, name_before = 0;   // as in Constant
  std::vector<std::string_view> marks;  // "meta", "public", "all", "runtime only"
};
// The Import at `imports[i]`. Which of the marks its bytes are depends on the version of Lean: they are named where the
// file is of the module system.
bool read_import(const Space& space, const Module& module, uint64_t i, Import& out);

}  // namespace assay::olean
