// What is different between two states of a machine, as the record of an episode keeps it (shell.h lists the keys).
#pragma once

#include "base/json.h"
#include "world/shell_command.h"

namespace assay::shell {

// Of everything that commands can change and that outlasts a call, but for the session.
struct Snapshot {
  std::map<std::string, Entry> files;
  Accounts accounts;
};

Snapshot snapshot_of(const Machine& machine);

// Members are in the order of shell.h; those without content are left out. `secrets`: those of ShellSetup.
using Secrets = std::map<std::string, std::vector<std::string>>;
Json changes_between(const Snapshot& before, const Machine& after, const Secrets& secrets);

}  // namespace assay::shell
