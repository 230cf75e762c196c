#include "cli/suite.h"

#include <fmt/format.h>

#include "scenario/load.h"

namespace assay {

Result<ProvenSuite> prove_folder(const std::string& folder, const Design& design) {
  Result<Sources> sources = read_suite_folder(folder);
  if (!sources) return sources.error();

  auto mistakes = [&](const Diagnostics& diagnostics) {
    return Error{fmt::format("{}\n{}: {}", diagnostics.format(), one_line(folder),
                             plural(static_cast<int64_t>(diagnostics.size()), "mistake"))};
  };
  Diagnostics diagnostics;
  ProvenSuite out;
  out.suite = load_suite(std::make_shared<const Sources>(*std::move(sources)), diagnostics);
  if (!diagnostics.empty()) return mistakes(diagnostics);

  // From here the suite means something, so that its cells can be rendered and its agents played.
  out.proved = prove(out.suite, diagnostics);
  if (!diagnostics.empty()) return mistakes(diagnostics);
  if (design.cells.whole()) return out;

  // Cells outside the default grid are proved as well before anything is asked of them.
  if (Status chosen = select(out.suite, design.cells, design.seed); !chosen) return chosen.error();
  out.proved = prove(out.suite, diagnostics);
  if (!diagnostics.empty()) return mistakes(diagnostics);
  return out;
}

}  // namespace assay
