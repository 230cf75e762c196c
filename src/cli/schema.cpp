#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/command.h"

namespace assay {
namespace {

struct Schema {
  const char* name;
  const char* text;
};

const Schema schemas[] = {
#include "schemas.inc"
};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Schema& schema : schemas) all.emplace_back(schema.name);
  return all;
}

int print(const std::string& name, Output& out) {
  for (const Schema& schema : schemas) {
    if (name != schema.name) continue;
    out.print_exact(schema.text);
    return exit_done;
  }
  std::string meant = nearest(name, names());
  return fail(out, Error{fmt::format("there is no schema '{}'; {}", one_line(name),
                                     meant.empty() ? "there are " + joined(names(), ", ")
                                                   : fmt::format("did you mean '{}'?", meant))});
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, joined(names(), ", "))->required();
  return [name](Output& out) { return print(*name, out); };
}

std::string more() {
  return "With it an editor completes and checks files as they are written. For the YAML\n"
         "language server, in the first line of a scenario:\n"
         "  # yaml-language-server: $schema=scenario.json\n";
}

}  // namespace

const Command schema_command = {"schema", "print the JSON Schema of a kind of file, for editors",
                                "assay schema scenario > scenario.json", declare, more};

}  // namespace assay
