#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/suite.h"

namespace assay {
namespace {

int lint(const std::vector<std::string>& folders, Output& out) {
  int code = exit_done;
  for (const std::string& folder : folders) {
    Result<ProvenSuite> proven = prove_folder(folder);
    if (!proven) {
      code = fail(out, proven.error());
      continue;
    }
    const Proved& p = proven->proved;
    for (const std::string& note : p.notes)
      out.note(paragraph(fmt::format("{}: note: {}", folder, note), out.error_style()));
    out.print(paragraph(fmt::format("{}: {}, {} rendered under {}, {} compared, {} played: all proofs hold", folder,
                                    plural(static_cast<int64_t>(proven->suite.scenarios.size()), "scenario"),
                                    plural(p.cells, "cell"), plural(p.surfaces, "surface"),
                                    plural(p.twins, "pair of twins", "pairs of twins"), plural(p.agents, "agent")),
                        out.style()));
  }
  return code;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto folders = std::make_shared<std::vector<std::string>>();
  app.add_option("SUITE", *folders, "folder of a suite (suite.yaml, scenarios, mail/)")->required();
  return [folders](Output& out) { return lint(*folders, out); };
}

}  // namespace

const Command lint_command = {"lint", "check and prove every cell of a suite, before any token is spent",
                              "assay lint suites/first", declare};

}  // namespace assay
