// A module's file, together with those parts of the module beside it that it needs.
//
// A module of Lean's module system is written as up to three files, X.olean, X.olean.server and X.olean.private, each
// at a base address behind the one before; a later part may point into an earlier one, never the other way. X.olean can
// be read alone. The others are read with what lies beside them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "skill/olean/bytes.h"
#include "skill/olean/module.h"

namespace assay::olean {

struct ModuleFiles {
  std::vector<Bytes> files;
  Space space;     // a part a file, in the same order
  size_t own = 0;  // the part that was asked for

  // Which parts there are beside X.olean, read or not.
  bool server_beside = false, private_beside = false;

  // Fails where a mapped file lost bytes while it was looked at: then nothing that was read is to be believed.
  Status whole() const;
};

enum class Wanted {
  own,  // the file and the parts before it
  all,  // and those behind it
};

// `path` is the file or "-". The errors begin with the name of the file that they are about, made fit for a terminal:
// "Main.olean is an ELF program or library, not an .olean".
Result<ModuleFiles> open_module(const std::string& path, Wanted wanted, const ReadLimits& limits = {});

// Which part a file's name tells of: 0 .olean (and any other), 1 .olean.server, 2 .olean.private.
int part_of_name(const std::string& path);

// The name that a file has in messages.
std::string shown_name(const std::string& path);

}  // namespace assay::olean
