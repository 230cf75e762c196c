// The fields are a promise to other programs: docs/formats.md lists them, and names, once there, stay.
#include "report/summary.h"

namespace assay {
namespace {

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json verdicts(const VerdictCounts& counts) {
  Json out = Json::object();
  for (Verdict v : all_verdicts) out[name_of(v)] = counts[static_cast<size_t>(v)];
  return out;
}

Json run(const Summary& s) {
  const Registration& r = s.registration;
  Json codes = Json::array();
  for (const auto& [name, hash] : r.codes) codes.push_back({{"code", name}, {"hash", hash}});
  Json judges = Json::array();
  for (const JudgeUse& use : s.judges)
    judges.push_back({{"judge", use.judge.id},
                      {"settings", use.judge.settings},
                      {"registered", is_registered(r, use.judge)},
                      {"yes", use.yes},
                      {"no", use.no},
                      {"undecided", use.unknown}});
  return {{"suite", r.suite},
          {"suite_hash", r.suite_hash},
          {"codes", codes},
          {"rules_registered", s.other_rules.empty()},
          {"judges", judges},
          {"design",
           {{"epochs", r.design.epochs},
            {"seed", r.design.seed},
            {"variants", name_of(r.design.variants)},
            {"prelude", name_of(r.design.prelude)},
            {"cells", to_json(r.design.cells)}}},
          {"version", r.version},
          {"created", r.created},
          {"machine", r.machine}};
}

Json model(const ModelSummary& m) {
  Json out{{"model", m.entry.id},
           {"settings", m.entry.settings},
           {"known_conduct", m.entry.policy.has_value()},
           {"episodes", m.episodes},
           {"replies", m.replies},
           {"prose", m.prose},
           {"malformed", m.malformed},
           {"calls", m.calls},
           {"errors", m.errors}};
  out["ended"] = Json::object();
  for (const auto& [how, n] : m.ended) out["ended"][how] = n;
  out["choices"] = m.choices;
  out["unanswered_choices"] = Json::object();
  for (const auto& [how, n] : m.unanswered) out["unanswered_choices"][how] = n;
  return out;
}

Json interval(const std::optional<Interval>& i) {
  return {{"low", i ? Json(i->low) : Json(nullptr)}, {"high", i ? Json(i->high) : Json(nullptr)}};
}

// Of which episodes a row speaks.
Json of(const Of& o, const OutcomeName& outcome) {
  return {{"model", o.model},
          {"scope", o.scope},
          {"scope_kind", name_of(o.kind)},
          {"cells", name_of(o.cells)},
          {"outcome", outcome.text()}};
}

Json rate(const RateRow& r) {
  const Estimate& e = r.estimate;
  Json out = of(r.of, r.outcome);
  out.update({{"k", e.k},
              {"n", e.n},
              {"estimate", number_or_null(e.value)},
              {"method", e.method},
              {"clusters", e.clusters},
              {"ungraded", r.ungraded},
              {"bounds", {{"none", r.if_none}, {"all", r.if_all}}},
              {"competent", r.competent ? Json(*r.competent) : Json(nullptr)}});
  out.update(interval(e.interval));
  if (r.planted) out["planted"] = *r.planted;
  return out;
}

Json change(const Change& c) { return {{"factor", c.factor}, {"level", c.level}, {"base", c.base}}; }

Json effect(const EffectRow& r) {
  const Effect& e = r.effect;
  Json out = of(r.of, r.outcome);
  out.update(change(r.change));
  out.update({{"twins", e.twins},
              {"estimate", number_or_null(e.value)},
              {"p", number_or_null(e.p)},
              {"exploratory", r.exploratory},
              {"p_adjusted", number_or_null(r.p_adjusted)},
              {"q", number_or_null(r.q)},
              {"method", e.method},
              {"clusters", e.clusters},
              {"ungraded", r.ungraded}});
  out.update(interval(e.interval));
  if (r.planted) out["planted"] = *r.planted;
  return out;
}

// What marginal effects and interactions have in common.
Json contrast(const Of& o, const OutcomeName& outcome, const Contrast& c, int64_t seen, int64_t out_of) {
  Json out = of(o, outcome);
  out.update({{"estimate", number_or_null(c.value)},
              {"p", number_or_null(c.p)},
              {"seen", seen},
              {"out_of", out_of},
              {"clusters", c.clusters},
              {"method", c.method}});
  out.update(interval(c.interval));
  return out;
}

Json marginal(const MarginalRow& r) {
  Json out = contrast(r.of, r.outcome, r.contrast, r.seen, r.out_of);
  out.update(change(r.change));
  out["p_adjusted"] = number_or_null(r.p_adjusted);
  if (r.planted) out["planted"] = *r.planted;
  return out;
}

Json interaction(const InteractionRow& r) {
  Json out = contrast(r.of, r.outcome, r.contrast, r.seen, r.out_of);
  out.update({{"first", change(r.first)}, {"second", change(r.second)}, {"q", number_or_null(r.q)}});
  if (r.planted) out["planted"] = *r.planted;
  return out;
}

Json mean(const Mean& m) {
  Json out{{"estimate", number_or_null(m.value)}, {"n", m.n}, {"clusters", m.clusters}};
  out.update(interval(m.interval));
  return out;
}

Json alternative(const AlternativeRow& r) {
  return {{"model", r.model},
          {"scenario", r.scenario},
          {"agents", r.agents},
          {"choices", r.choices},
          {"tokens", r.tokens},
          {"share", mean(r.share)},
          {"share_per_token", mean(r.per_token)}};
}

Json alternative_effect(const AlternativeEffectRow& r) {
  Json out{{"model", r.model}, {"scenario", r.scenario}, {"agents", r.agents}};
  out.update(change(r.change));
  out.update(mean(r.log_ratio));
  return out;
}

Json propensity(const PropensityRow& r) {
  Json out = of(r.of, r.outcome);
  out.update({{"share", mean(r.share)}, {"share_per_token", mean(r.per_token)}, {"untold", r.untold}});
  return out;
}

Json propensity_effect(const PropensityEffectRow& r) {
  Json out = of(r.of, r.outcome);
  out.update(change(r.change));
  out.update(mean(r.difference));
  return out;
}

Json competence(const CompetenceRow& r) {
  Json out{{"model", r.model},
           {"scenario", r.scenario},
           {"k", r.k},
           {"n", r.n},
           {"passed", r.passed ? Json(*r.passed) : Json(nullptr)},
           {"reason", r.reason}};
  out.update(interval(r.interval));
  return out;
}

Json by_model(const CodeSummary& c) {
  Json out = Json::array();
  for (const auto& [name, scenarios] : c.by_model) {
    VerdictCounts sum{};
    Json each = Json::array();
    for (const ScenarioCounts& s : scenarios) {
      for (size_t v = 0; v < sum.size(); ++v) sum[v] += s.verdicts[v];
      each.push_back({{"scenario", s.scenario}, {"verdicts", verdicts(s.verdicts)}, {"in_dilemmas", total(s.dilemma)}});
    }
    out.push_back({{"model", name}, {"verdicts", verdicts(sum)}, {"by_scenario", std::move(each)}});
  }
  return out;
}

template <class Row>
Json list(const std::vector<Row>& rows, Json (*json)(const Row&)) {
  Json out = Json::array();
  for (const Row& row : rows) out.push_back(json(row));
  return out;
}

Json wronged(const WrongedRow& r) {
  return {{"model", r.model}, {"scenario", r.scenario}, {"party", r.party}, {"episodes", r.episodes}};
}

Json level_rate(const LevelRate& r) {
  Json out = rate(r.rate);
  out.update({{"factor", r.factor}, {"level", r.level}});
  return out;
}

Json code(const CodeSummary& c) {
  Json out{{"code", c.code},
           {"registered", c.registered},
           {"agrees_with", c.agrees_with.empty() ? Json(nullptr) : Json(c.agrees_with)},
           {"verdicts", verdicts(c.verdicts)},
           {"by_model", by_model(c)},
           {"dilemma_cells", c.dilemma_cells},
           {"wronged", list(c.wronged, wronged)},
           {"competence", list(c.competence, competence)},
           {"rates", list(c.rates, rate)},
           {"effects", list(c.effects, effect)},
           {"marginal", list(c.marginal, marginal)},
           {"interactions", list(c.interactions, interaction)},
           {"propensities", list(c.propensities, propensity)},
           {"propensity_effects", list(c.propensity_effects, propensity_effect)}};
  out["by"] = list(c.by, level_rate);
  return out;
}

Json act(const ActCounts& a) {
  Json far = Json::object();
  for (HowFar h : {HowFar::considered, HowFar::attempted, HowFar::dispatched, HowFar::took_effect})
    far[name_of(h)] = a.how_far[static_cast<size_t>(h)];
  return {{"model", a.model},       {"scenario", a.scenario}, {"act", a.act},
          {"kind", a.kind},         {"how_far", far},         {"by_rule", a.by_rule},
          {"by_truth", a.by_truth}, {"by_judge", a.by_judge}, {"by_program", a.by_program},
          {"open", a.open},         {"wronged", a.wronged}};
}

Json default_effect(const DefaultEffect& d) {
  return {{"model", d.model}, {"scenario", d.scenario}, {"effect", d.effect}, {"episodes", d.episodes}};
}

Json check(const CheckRow& r) {
  const Estimate& e = r.estimate;
  Json out{{"model", r.model},
           {"scenario", r.scenario},
           {"factor", r.factor},
           {"level", r.level},
           {"expected", name_of(r.expected)},
           {"k", e.k},
           {"n", e.n},
           {"estimate", number_or_null(e.value)},
           {"method", e.method},
           {"clusters", e.clusters},
           {"unclear", r.unclear},
           {"unasked", r.unasked},
           {"unnoticed", r.unnoticed()}};
  out.update(interval(e.interval));
  return out;
}

Json grid(const GridSummary& g) {
  return {{"scenario", g.scenario},
          {"family", g.family},
          {"cells", g.cells},
          {"combinations", g.combinations},
          {"without_twins", list(g.without_twins, change)}};
}

}  // namespace

Json to_json(const Summary& summary) {
  return {{"run", run(summary)},
          {"models", list(summary.models, model)},
          {"grids", list(summary.grids, grid)},
          {"episodes", summary.episodes},
          {"ungraded", summary.ungraded},
          {"acts", list(summary.acts, act)},
          {"default_effects", list(summary.default_effects, default_effect)},
          {"checks", list(summary.checks, check)},
          {"alternatives", list(summary.alternatives, alternative)},
          {"alternative_effects", list(summary.alternative_effects, alternative_effect)},
          {"by", summary.by.empty() ? Json(nullptr) : Json(summary.by)},
          {"codes", list(summary.codes, code)}};
}

}  // namespace assay
