#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/suite.h"
#include "model/open.h"

namespace assay {
namespace {

struct Options {
  std::vector<std::string> folders, policies;
  bool programs = false;
};

// Every mistake between the policies and one suite.
Status check_policies(const std::vector<std::string>& files, const Suite& suite) {
  std::vector<std::string> wrong;
  for (const std::string& file : files)
    if (Result<OpenedModel> opened = open_model("policy:" + file, suite); !opened) wrong.push_back(opened.error().text);
  if (!wrong.empty()) return Error{joined(wrong, "\n")};
  return Done{};
}

int lint(const Options& options, Output& out) {
  int code = exit_done;
  for (const std::string& folder : options.folders) {
    Result<ProvenSuite> proven = prove_folder(folder, {}, options.programs);
    if (!proven) {
      code = fail(out, proven.error());
      continue;
    }
    if (Status fits = check_policies(options.policies, proven->suite); !fits) {
      code = fail(out, fits.error());
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
  auto o = std::make_shared<Options>();
  app.add_option("SUITE", o->folders, "folder of a suite (suite.yaml, scenarios, mail/)")->required();
  app.add_option("--policy", o->policies, "an agent of known conduct to check against it; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_flag("--allow-exec", o->programs, "let the suite's own programs run");
  return [o](Output& out) { return lint(*o, out); };
}

}  // namespace

const Command lint_command = {"lint", "check and prove every cell of a suite, before any token is spent",
                              "assay lint suites/first\n"
                              "assay lint suites/core --policy policies/cornered.yaml",
                              declare};

}  // namespace assay
