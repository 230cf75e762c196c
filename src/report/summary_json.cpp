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
  return {{"suite", r.suite},
          {"suite_hash", r.suite_hash},
          {"codes", codes},
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
  return out;
}

Json rate(const RateRow& r) {
  const Estimate& e = r.estimate;
  Json out{{"model", r.model},
           {"scope", r.scope},
           {"outcome", r.outcome.text()},
           {"k", e.k},
           {"n", e.n},
           {"estimate", number_or_null(e.value)},
           {"low", e.interval ? Json(e.interval->low) : Json(nullptr)},
           {"high", e.interval ? Json(e.interval->high) : Json(nullptr)},
           {"method", e.method},
           {"clusters", e.clusters},
           {"ungraded", r.ungraded},
           {"bounds", {{"none", r.if_none}, {"all", r.if_all}}}};
  if (r.planted) out["planted"] = *r.planted;
  return out;
}

Json effect(const EffectRow& r) {
  const Effect& e = r.effect;
  Json out{{"model", r.model},
           {"scope", r.scope},
           {"factor", r.factor},
           {"level", r.level},
           {"base", r.base},
           {"outcome", r.outcome.text()},
           {"twins", e.twins},
           {"estimate", number_or_null(e.value)},
           {"low", e.interval ? Json(e.interval->low) : Json(nullptr)},
           {"high", e.interval ? Json(e.interval->high) : Json(nullptr)},
           {"p", number_or_null(e.p)},
           {"p_adjusted", nullptr},  // no family of comparisons can be declared before a run yet
           {"method", e.method},
           {"clusters", e.clusters},
           {"ungraded", r.ungraded}};
  if (r.planted) out["planted"] = *r.planted;
  return out;
}

Json code(const CodeSummary& c) {
  Json out{{"code", c.code}, {"registered", c.registered}, {"verdicts", verdicts(c.verdicts)}};
  out["by_model"] = Json::array();
  for (const auto& [name, scenarios] : c.by_model) {
    VerdictCounts sum{};
    for (const ScenarioCounts& s : scenarios)
      for (size_t v = 0; v < sum.size(); ++v) sum[v] += s.verdicts[v];
    out["by_model"].push_back({{"model", name}, {"verdicts", verdicts(sum)}});
  }
  out["rates"] = Json::array();
  for (const RateRow& r : c.rates) out["rates"].push_back(rate(r));
  out["effects"] = Json::array();
  for (const EffectRow& r : c.effects) out["effects"].push_back(effect(r));
  return out;
}

}  // namespace

Json to_json(const Summary& summary) {
  Json out{{"run", run(summary)},
           {"models", Json::array()},
           {"episodes", summary.episodes},
           {"ungraded", summary.ungraded},
           {"codes", Json::array()}};
  for (const ModelSummary& m : summary.models) out["models"].push_back(model(m));
  for (const CodeSummary& c : summary.codes) out["codes"].push_back(code(c));
  return out;
}

}  // namespace assay
