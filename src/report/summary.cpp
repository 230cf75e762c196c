#include "report/summary.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>

#include "report/planted.h"
#include "report/tally.h"

namespace assay {
namespace {

// Everything known of one model: its tallies in the suite's order, and its policy if its conduct is planted.
struct Subject {
  std::string model;
  std::vector<Tally> tallies;
  std::optional<Policy> policy;
};

// A scenario, or all of them together.
struct Scope {
  std::string name;
  std::vector<const Tally*> tallies;
};

std::vector<Scope> scopes_of(const Subject& subject) {
  std::vector<Scope> out;
  Scope all{"all", {}};
  for (const Tally& tally : subject.tallies) {
    out.push_back({tally.scenario().name, {&tally}});
    all.tallies.push_back(&tally);
  }
  if (out.size() > 1) out.push_back(std::move(all));
  return out;
}

Scope only(const Scope& scope, const auto& condition) {
  Scope out{scope.name, {}};
  std::copy_if(scope.tallies.begin(), scope.tallies.end(), std::back_inserter(out.tallies), condition);
  return out;
}

// The outcomes that are reported: verdicts that were seen, subversion always, and every act that the suite knows.
std::vector<OutcomeName> outcomes_of(const VerdictCounts& seen, const Suite& suite) {
  std::vector<OutcomeName> out;
  for (Verdict v : all_verdicts)
    if (v != Verdict::ungraded && (v == Verdict::subvert || seen[static_cast<size_t>(v)] > 0))
      out.push_back({OutcomeName::Kind::verdict, v, ""});
  for (const Scenario& scenario : suite.scenarios)
    for (const ActRule& act : scenario.acts) {
      OutcomeName outcome{OutcomeName::Kind::act, Verdict::subvert, act.name};
      if (std::find(out.begin(), out.end(), outcome) == out.end()) out.push_back(outcome);
    }
  return out;
}

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class Estimator {
 public:
  Estimator(const Subject& subject, const Code& code, size_t code_index)
      : subject_(subject), code_(code), index_(code_index) {}

  RateRow rate(const Scope& scope, const OutcomeName& outcome) const {
    RateRow row{subject_.model, scope.name, outcome, {}, 0, 0, 0, std::nullopt};
    std::vector<Observation> seen;
    std::vector<double> low, high, planted;
    for (size_t s = 0; s < scope.tallies.size(); ++s) {
      const Tally& tally = *scope.tallies[s];
      int64_t events = 0, unknown = 0;
      for (size_t i = 0; i < tally.size(); ++i) {
        std::optional<bool> happened = tally.happened(i, outcome, index_);
        if (!happened)
          ++unknown;
        else
          seen.push_back({static_cast<int32_t>(s), tally.epoch(i), *happened});
        events += happened.value_or(false);
      }
      row.ungraded += unknown;
      if (tally.size() > 0) {
        auto n = static_cast<double>(tally.size());
        low.push_back(static_cast<double>(events) / n);
        high.push_back(static_cast<double>(events + unknown) / n);
      }
      if (auto cells = planted_cells(tally, outcome)) planted.push_back(mean(*cells));
    }
    row.estimate = estimate_rate(seen);
    row.if_none = mean(low);
    row.if_all = mean(high);
    if (!planted.empty() && planted.size() == scope.tallies.size()) row.planted = mean(planted);
    return row;
  }

  // The level of a factor, by name, against the factor's first one.
  EffectRow effect(const Scope& scope, const std::string& factor, const std::string& level, const std::string& base,
                   const OutcomeName& outcome) const {
    EffectRow row{subject_.model, scope.name, factor, level, base, outcome, {}, 0, std::nullopt, true};
    std::vector<Twin> twins;
    std::vector<double> planted;
    for (size_t s = 0; s < scope.tallies.size(); ++s) {
      const Tally& tally = *scope.tallies[s];
      auto [f, l] = place_of(tally.scenario(), factor, level);
      for (const Tally::Pair& pair : tally.twins(f, l)) {
        std::optional<bool> at_level = tally.happened(pair.level, outcome, index_),
                            at_base = tally.happened(pair.base, outcome, index_);
        if (at_level && at_base)
          twins.push_back({static_cast<int32_t>(s), tally.epoch(pair.level), *at_level, *at_base});
        else
          ++row.ungraded;
      }
      if (auto cells = planted_cells(tally, outcome)) {
        std::vector<double> differences;
        for (size_t cell = 0; cell < tally.cells().size(); ++cell) {
          const int base_cell = tally.cell_with(cell, f, 0);
          if (tally.cells()[cell].levels[f] != l || base_cell < 0) continue;
          double with = (*cells)[cell], without = (*cells)[static_cast<size_t>(base_cell)];
          differences.push_back(with - without);
          row.planted_fixed &= (with == 0 || with == 1) && (without == 0 || without == 1);
        }
        planted.push_back(mean(differences));
      }
    }
    row.effect = estimate_effect(twins);
    if (!planted.empty() && planted.size() == scope.tallies.size()) row.planted = mean(planted);
    return row;
  }

  static std::pair<size_t, int> place_of(const Scenario& scenario, const std::string& factor,
                                         const std::string& level) {
    size_t f = static_cast<size_t>(scenario.factor(factor) - scenario.factors.data());
    const std::vector<Level>& levels = scenario.factors[f].levels;
    auto found = std::find_if(levels.begin(), levels.end(), [&](const Level& l) { return l.name == level; });
    return {f, static_cast<int>(found - levels.begin())};
  }

 private:
  std::optional<std::vector<double>> planted_cells(const Tally& tally, const OutcomeName& outcome) const {
    if (!subject_.policy) return std::nullopt;
    return planted_by_cell(*subject_.policy, tally.scenario(), outcome, code_);
  }

  const Subject& subject_;
  const Code& code_;
  size_t index_;
};

// A comparison that some scenario of a scope can make: factor, level, base.
using Comparison = std::array<std::string, 3>;

bool makes(const Scenario& scenario, const Comparison& c) {
  const Factor* factor = scenario.factor(c[0]);
  return factor && factor->crossed && factor->levels.front().name == c[2] &&
         std::any_of(factor->levels.begin() + 1, factor->levels.end(), [&](const Level& l) { return l.name == c[1]; });
}

std::vector<Comparison> comparisons_of(const Scope& scope) {
  std::vector<Comparison> out;
  for (const Tally* tally : scope.tallies)
    for (const Factor& factor : tally->scenario().factors)
      for (size_t l = 1; factor.crossed && l < factor.levels.size(); ++l) {
        Comparison c{factor.name, factor.levels[l].name, factor.levels.front().name};
        if (std::find(out.begin(), out.end(), c) == out.end()) out.push_back(std::move(c));
      }
  return out;
}

void estimate(const Subject& subject, const Code& code, size_t index, const std::vector<OutcomeName>& outcomes,
              CodeSummary& out) {
  Estimator estimator(subject, code, index);
  for (const Scope& scope : scopes_of(subject))
    for (const OutcomeName& outcome : outcomes) {
      Scope able = only(scope, [&](const Tally* t) { return t->can_show(outcome); });
      if (!able.tallies.empty()) out.rates.push_back(estimator.rate(able, outcome));
    }
  for (const Scope& scope : scopes_of(subject))
    for (const Comparison& c : comparisons_of(scope))
      for (const OutcomeName& outcome : outcomes) {
        Scope able = only(scope, [&](const Tally* t) { return t->can_show(outcome) && makes(t->scenario(), c); });
        if (!able.tallies.empty()) out.effects.push_back(estimator.effect(able, c[0], c[1], c[2], outcome));
      }
}

}  // namespace

std::string OutcomeName::text() const {
  return kind == Kind::act ? "act:" + act : std::string("verdict:") + name_of(verdict);
}

int64_t total(const VerdictCounts& counts) { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

Result<Summary> summarise(const RunReader& run, const Suite& suite, const std::string& only_code) {
  Summary out;
  out.registration = run.registration();

  std::vector<const Code*> codes;
  for (const Code& code : suite.codes)
    if (only_code.empty() || code.name == only_code) codes.push_back(&code);

  // Who, and under which codes.
  std::vector<Subject> subjects;
  for (const ModelEntry& entry : run.models()) {
    Result<std::optional<Policy>> policy = policy_of(entry);
    if (!policy) return policy.error();
    subjects.push_back({entry.id, {}, *std::move(policy)});
    for (const Scenario& scenario : suite.scenarios) subjects.back().tallies.emplace_back(scenario, codes);
    out.models.push_back({.entry = entry});
  }
  for (const Code* code : codes) {
    CodeSummary summary{.code = code->name, .title = code->title};
    summary.registered = std::any_of(out.registration.codes.begin(), out.registration.codes.end(),
                                     [&](const auto& c) { return c.first == code->name; });
    out.codes.push_back(std::move(summary));
  }

  // One pass over the episodes.
  Status read = run.each_summary([&](const EpisodeSummary& e) {
    auto subject = std::find_if(subjects.begin(), subjects.end(), [&](const Subject& s) { return s.model == e.model; });
    if (subject == subjects.end()) return;
    auto tally = std::find_if(subject->tallies.begin(), subject->tallies.end(),
                              [&](const Tally& t) { return t.scenario().name == e.scenario; });
    if (tally == subject->tallies.end() || !tally->add(e)) return;

    ModelSummary& model = out.models[subject - subjects.begin()];
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
  for (Subject& subject : subjects)
    for (Tally& tally : subject.tallies) tally.sort();

  // Count, then estimate. Which outcomes are shown depends on what any model did, so counting comes first.
  for (size_t c = 0; c < codes.size(); ++c) {
    CodeSummary& code = out.codes[c];
    for (const Subject& subject : subjects) {
      auto& scenarios = code.by_model.emplace_back(subject.model, std::vector<ScenarioCounts>{}).second;
      for (const Tally& tally : subject.tallies) {
        ScenarioCounts counts{tally.scenario().name, {}};
        for (size_t i = 0; i < tally.size(); ++i) ++counts.verdicts[static_cast<size_t>(tally.verdict(i, c))];
        for (size_t v = 0; v < counts.verdicts.size(); ++v) code.verdicts[v] += counts.verdicts[v];
        scenarios.push_back(std::move(counts));
      }
    }
    std::vector<OutcomeName> outcomes = outcomes_of(code.verdicts, suite);
    for (const Subject& subject : subjects) estimate(subject, *codes[c], c, outcomes, code);
  }
  return out;
}

}  // namespace assay
