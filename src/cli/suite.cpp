#include "cli/suite.h"

#include <fmt/format.h>

#include "base/text.h"
#include "scenario/load.h"
#include "scenario/programs.h"

namespace assay {

namespace {

// A list that is held out in part wants six values; of fewer than three nothing is held out at all.
void note_short_lists(const Suite& suite, std::vector<std::string>& notes) {
  for (const Scenario& scenario : suite.scenarios) {
    std::vector<std::string> names;
    for (const Variant& variant : scenario.variants)
      if (variant.values.size() < 6) names.push_back(fmt::format("{} ({})", variant.name, variant.values.size()));
    if (!names.empty())
      notes.push_back(
          fmt::format("{}: lists of fewer than 6 values: {}. The last third of a list is held out from models "
                      "that are trained on the suite; of so few it is little or nothing",
                      scenario.name, joined(names, ", ")));
  }
}

}  // namespace

Result<ProvenSuite> prove_folder(const std::string& folder, const Design& design, bool programs) {
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

  if (std::vector<std::string> wanted = programs_of(out.suite); !wanted.empty()) {
    if (!programs)
      return Error{
          fmt::format("{} runs programs of its own on this machine: {}. Read them; --allow-exec lets them run.",
                      one_line(folder), one_line(joined(wanted, ", ")))};
    allow_programs(out.suite, folder);
  }

  // From here the suite means something, so that its cells can be rendered and its agents played.
  out.proved = prove(out.suite, diagnostics);
  if (!diagnostics.empty()) return mistakes(diagnostics);
  note_short_lists(out.suite, out.proved.notes);
  if (design.cells.whole()) return out;

  // Cells outside the default grid are proved as well before anything is asked of them.
  if (Status chosen = select(out.suite, design.cells, design.seed); !chosen) return chosen.error();
  out.proved = prove(out.suite, diagnostics);
  if (!diagnostics.empty()) return mistakes(diagnostics);
  return out;
}

}  // namespace assay
