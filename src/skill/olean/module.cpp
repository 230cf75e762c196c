#include "skill/olean/module.h"

#include "skill/olean/words.h"

namespace assay::olean {
namespace {

constexpr uint64_t name_str = constructor_header(1, 2, 32), name_num = constructor_header(2, 2, 32);

// Where the fourth of four fields decides nothing, the first element of the second does.
bool begins_with_a_name(const Space& space, const ArrayView& list) {
  Object first;
  if (list.size == 0 || !space.object(list[0], list.address, first)) return false;
  const uint64_t header = first.header();
  return header == name_str || header == name_num;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::axiom: return "axiom";
    case Kind::def: return "def";
    case Kind::theorem: return "theorem";
    case Kind::opaque: return "opaque";
    case Kind::quot: return "quot";
    case Kind::inductive: return "inductive";
    case Kind::ctor: return "ctor";
    case Kind::recursor: return "recursor";
  }
  return "";
}

bool looks_like_a_module(uint64_t header) {
  const uint64_t fields = other_of(header);
  const uint64_t scalars = uint64_t{size_of(header)} - 8 - 8 * fields;  // bytes; wraps around where there is no room
  return tag_of(header) == 0 && count_of(header) == 0 && fields >= 3 && fields <= 5 &&
         (scalars == 0 || (scalars == 8 && fields == 5));
}

Result<Module> read_module(const Space& space, size_t part) {
  const Header& header = space[part].header;
  Module module;
  module.part = part;
  auto damaged = [&] { return Error{words("is damaged: ", space.fault())}; };
  if (!space.object(header.root, UINT64_MAX, module.root)) return Error{words("has no root object: ", space.fault())};
  const uint64_t root = module.root.header();
  module.fields = other_of(root);
  const bool shaped = looks_like_a_module(root);
  if (shaped && size_of(root) > module.root.room)
    return Error{words("is truncated at ", space[part].bytes.size(), " bytes, in its root object at ",
                       space.where(module.root.address))};
  if (!shaped && header.version == 3)
    return Error{words("holds a v3 region, not a module: its root at ", space.where(module.root.address), " is ",
                       described(root))};
  if (!shaped)
    return Error{words("is damaged: the root at ", space.where(module.root.address), " is ", described(root),
                       "; expected ModuleData, constructor 0 with 3 to 5 fields")};
  auto field = [&](uint64_t i, const char* what, ArrayView& out) {
    return space.array(module.root.word(1 + i), module.root.address, what, out);
  };
  ArrayView second, third;
  const auto last = static_cast<uint64_t>(module.fields - 1);
  if (!field(0, "imports (an array)", module.imports) || !field(last, "entries (an array)", module.entries) ||
      !field(1, module.fields == 3 ? "constants (an array)" : "constNames (an array)", second))
    return damaged();
  if (module.fields > 3 && !field(2, "constants (an array)", third)) return damaged();
  if (module.fields == 3) {
    module.constants = second;
  } else if (module.fields == 4 && !begins_with_a_name(space, second)) {
    module.constants = second;
    module.extra_names = third;
  } else {
    module.names = second;
    module.constants = third;
  }
  if (module.fields == 5) {
    ArrayView extra;
    if (!field(3, "extraConstNames (an array)", extra)) return damaged();
    module.extra_names = extra;
  }
  if (size_of(root) == 56) module.is_module = (module.root.word(6) & 0xff) != 0;
  return module;
}

bool read_constant(const Space& space, const Module& module, uint64_t i, Constant& out) {
  Object info, value, common;
  if (!space.object(module.constants[i], module.constants.address, info)) return false;
  const uint64_t header = info.header();
  const uint8_t kind = tag_of(header);
  if (kind >= kind_count || header != constructor_header(kind, 1, 16) || info.room < 16)
    return space.unexpected(info, "a ConstantInfo, constructor 0 to 7 with 1 field in 16 bytes");
  if (!space.object(info.word(1), info.address, value)) return false;
  const uint64_t of_value = value.header();
  if (tag_of(of_value) != 0 || count_of(of_value) != 0 || other_of(of_value) < 1 || value.room < 16)
    return space.unexpected(value, words("the value of ", kind_name(static_cast<Kind>(kind)), ", constructor 0"));
  if (!space.constructor(value.word(1), value.address, constructor_header(0, 3, 32),
                         "a ConstantVal, constructor 0 with 3 fields in 32 bytes", common))
    return false;
  out = {static_cast<Kind>(kind), common.word(1), common.address};
  return true;
}

bool name_word(const Space& space, const Module& module, uint64_t i, uint64_t& word, uint64_t& before) {
  if (module.names) {
    word = (*module.names)[i];
    before = module.names->address;
    return true;
  }
  Constant constant;
  if (!read_constant(space, module, i, constant)) return false;
  word = constant.name;
  before = constant.name_before;
  return true;
}

bool read_import(const Space& space, const Module& module, uint64_t i, Import& out) {
  Object import;
  if (!space.constructor(module.imports[i], module.imports.address, constructor_header(0, 1, 24),
                         "an Import, constructor 0 with 1 field in 24 bytes", import))
    return false;
  out.name = import.word(1);
  out.name_before = import.address;
  out.marks.clear();
  const uint64_t bytes = import.word(2);
  if (module.is_module) {
    if (bytes & 0xff) out.marks.push_back("all");
    if (bytes >> 8 & 0xff) out.marks.push_back("exported");
    if (bytes >> 16 & 0xff) out.marks.push_back("meta");
  } else if (bytes & 0xff) {
    out.marks.push_back("runtime only");
  }
  return true;
}

}  // namespace assay::olean
