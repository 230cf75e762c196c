#include "report/summary.h"

#include <algorithm>
#include <numeric>

#include "report/choices.h"
#include "report/competence.h"
#include "report/deeds.h"
#include "report/estimates.h"
#include "report/noticed.h"
#include "report/planted.h"
#include "report/run_suite.h"

namespace assay {
namespace {

std::vector<GridSummary> grids_of(const Subject& subject) {
  std::vector<GridSummary> out;
  for (const Tally& tally : subject.tallies) {
    if (tally.cells().empty()) continue;
    const Scenario& scenario = tally.scenario();
    GridSummary grid{
        scenario.name, scenario.family, static_cast<int64_t>(tally.cells().size()), tally.combinations(), {}};
    for (size_t f = 0; f < scenario.factors.size(); ++f) {
      const Factor& factor = scenario.factors[f];
      const int base = tally.base(f);
      for (int l = 0; l < static_cast<int>(factor.levels.size()); ++l) {
        if (l != base && tally.visits(f, l) && !tally.has_twin_cells(f, l))
          grid.without_twins.push_back(
              {factor.name, factor.levels[static_cast<size_t>(l)].name, factor.levels[static_cast<size_t>(base)].name});
      }
    }
    out.push_back(std::move(grid));
  }
  return out;
}

void count_verdicts(const std::vector<Subject>& subjects, size_t c, CodeSummary& code) {
  for (const Subject& subject : subjects) {
    auto& scenarios = code.by_model.emplace_back(subject.model, std::vector<ScenarioCounts>{}).second;
    for (const Tally& tally : subject.tallies) {
      if (tally.cells().empty()) continue;
      ScenarioCounts counts{tally.scenario().name, {}, {}};
      for (size_t i = 0; i < tally.size(); ++i) {
        const auto verdict = static_cast<size_t>(tally.verdict(i, c));
        ++counts.verdicts[verdict];
        counts.dilemma[verdict] += tally.sort_of(tally.cell(i), c) == CellSort::dilemma;
      }
      for (size_t v = 0; v < counts.verdicts.size(); ++v) code.verdicts[v] += counts.verdicts[v];
      if (const int64_t cells = tally.cells_of(CellSort::dilemma, c)) code.dilemma_cells[counts.scenario] = cells;
      scenarios.push_back(std::move(counts));
    }
  }
}

// The first code before this one that has the same verdict on every episode, and the same cells for dilemmas.
std::string agrees_with(const std::vector<Subject>& subjects, const std::vector<const Code*>& codes, size_t c) {
  for (size_t other = 0; other < c; ++other) {
    const bool same = std::ranges::all_of(subjects, [&](const Subject& subject) {
      return std::ranges::all_of(subject.tallies, [&](const Tally& tally) {
        return tally.same_cells(c, other) && tally.same_verdicts(c, other);
      });
    });
    if (same) return codes[other]->name;
  }
  return "";
}

}  // namespace

std::string OutcomeName::text() const {
  return kind == Kind::act ? "act:" + act : std::string("verdict:") + name_of(verdict);
}

const char* name_of(CellSort cells) { return cells == CellSort::ordinary ? "ordinary" : "dilemma"; }

const char* name_of(Of::Kind kind) {
  switch (kind) {
    case Of::Kind::scenario: return "scenario";
    case Of::Kind::family: return "family";
    case Of::Kind::all: return "all";
  }
  return "";
}

int64_t total(const VerdictCounts& counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

Result<Summary> summarise(const RunReader& run, const Suite& suite, const SummaryRequest& request) {
  Summary out;
  out.registration = run.registration();
  out.other_rules = told_rules(run.registration(), run.grading());
  out.judges = run.judges();
  out.by = request.by;

  std::vector<const Code*> codes;
  for (const Code& code : suite.codes)
    if (request.code.empty() || code.name == request.code) codes.push_back(&code);

  // Who, and under which codes.
  std::vector<Subject> subjects;
  for (const ModelEntry& entry : run.models()) {
    Result<std::optional<KnownConduct>> known = KnownConduct::of(entry, run.registration());
    if (!known) return known.error();
    subjects.push_back({entry.id, {}, *std::move(known)});
    for (const Scenario& scenario : suite.scenarios) subjects.back().tallies.emplace_back(scenario, codes);
    out.models.push_back({.entry = entry});
  }
  for (const Code* code : codes) {
    CodeSummary& summary = out.codes.emplace_back();
    summary.code = code->name, summary.title = code->title;
    summary.registered = is_registered(out.registration, code->name, code->hash);
  }
  if (!subjects.empty()) out.grids = grids_of(subjects.front());

  // One pass over the episodes.
  Deeds deeds(suite);
  Noticed noticed;
  Status read = run.each_summary([&](const EpisodeSummary& e) {
    auto subject = std::find_if(subjects.begin(), subjects.end(), [&](const Subject& s) { return s.model == e.model; });
    if (subject == subjects.end()) return;
    auto tally = std::find_if(subject->tallies.begin(), subject->tallies.end(),
                              [&](const Tally& t) { return t.scenario().name == e.scenario; });
    if (tally == subject->tallies.end() || !tally->add(e)) return;
    deeds.add(e, tally->scenario());
    noticed.add(e, tally->scenario());

    ModelSummary& model = out.models[static_cast<size_t>(subject - subjects.begin())];
    ++out.episodes;
    ++model.episodes;
    ++model.ended[e.outcome];
    model.replies += e.turns;
    model.prose += e.prose;
    model.malformed += e.malformed;
    model.calls += e.calls;
    model.errors += e.outcome == "error";
    bool ungraded = false;
    for (CodeSummary& code : out.codes)
      for (const VerdictRow& row : e.verdicts)
        if (row.code == code.code && row.verdict == Verdict::ungraded) {
          ungraded = true;
          ++code.ungraded_reasons[e.model][row.reason];
        }
    out.ungraded += ungraded;
  });
  if (!read) return read.error();
  Choices choices(subjects, codes);
  read = run.each_choice([&](const ChoiceRecord& choice) {
    const auto model = std::ranges::find(out.models, choice.model, [](const ModelSummary& m) { return m.entry.id; });
    if (model == out.models.end()) return;
    if (choice.outcome.kind != Outcome::Kind::completed)
      ++model->unanswered[choice.outcome.name()];
    else if (choices.add(choice))
      ++model->choices;
  });
  if (!read) return read.error();
  for (Subject& subject : subjects)
    for (Tally& tally : subject.tallies) tally.sort();

  // Count, then estimate. Which outcomes are shown depends on what any model did, so counting comes first.
  out.acts = deeds.acts();
  out.default_effects = deeds.default_effects();
  out.checks = noticed.rows(subjects);
  out.alternatives = choices.alternatives();
  out.alternative_effects = choices.alternative_effects();
  for (size_t c = 0; c < codes.size(); ++c) {
    count_verdicts(subjects, c, out.codes[c]);
    out.codes[c].agrees_with = agrees_with(subjects, codes, c);
    out.codes[c].wronged = deeds.wronged(codes[c]->name);
  }
  for (const Subject& subject : subjects) {
    estimate(subject, codes, request.by, out.codes);
    choices.estimate(subject, out.codes);
    for (size_t c = 0; c < codes.size(); ++c) {
      std::ranges::move(competence_of(subject, c), std::back_inserter(out.codes[c].competence));
      mark_competence(subject, out.codes[c]);
      adjust(out.codes[c], subject.model);
    }
  }
  return out;
}

}  // namespace assay
