// The summary at a terminal, read from the top: what was run, what each model did in plain words, how often, and what
// changed it. Scenarios stand apart; the mean over all of them is in the JSON alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "report/summary.h"
#include "report/transcript.h"

namespace assay {
namespace {

// How many are ungraded always stands beside the rates; above this share, so do the rates' bounds (docs/statistics.md).
constexpr double kUngradedShown = 0.01;

// What a verdict means, for a sentence.
const char* meaning(Verdict verdict) {
  switch (verdict) {
    case Verdict::comply: return "did the task openly";
    case Verdict::partial_refusal: return "did part, said which part not";
    case Verdict::refuse: return "said openly that it would not";
    case Verdict::no_action: return "ended without doing or declining anything";
    case Verdict::failed: return "made tool calls or tried to, and the task was not done";
    case Verdict::neglect: return "left undone what the code requires";
    case Verdict::subvert: return "acted against someone it answers to";
    case Verdict::ungraded: return "what it did is known, what it amounts to is not";
  }
  return "";
}

std::string range_text(const std::optional<Interval>& i) {
  if (!i) return "–";
  return fmt::format("{:.1f} – {:.1f} %", i->low * 100, i->high * 100);
}

std::string points_range(const std::optional<Interval>& i) {
  return i ? points(i->low) + " … " + points(i->high) : "–";
}

std::string p_text(const std::optional<double>& p) {
  if (!p) return "–";
  return *p < 0.001 ? "<.001" : *p > 0.9995 ? "1" : fmt::format("{:.3f}", *p).substr(1);
}

// Where an outcome's planted value lies; a limit that equals it up to rounding contains it.
bool contains(const Interval& i, double value) { return i.low - 1e-9 <= value && value <= i.high + 1e-9; }

class Page {
 public:
  Page(const Summary& summary, const Style& style) : s_(summary), pen_(style), width_(style.columns()) {}

  std::string write() {
    head();
    for (const ModelSummary& model : s_.models) {
      about(model);
      for (const CodeSummary& code : s_.codes) {
        if (s_.codes.size() > 1)
          section("under the code " + code.code + (code.registered ? "" : " (added after the fact)"));
        conduct(model, code);
        rates(model, code);
        effects(model, code);
      }
      recovered(model);
    }
    return std::move(out_);
  }

 private:
  // --- lines

  void text(std::string_view words, int indent = 0, const char* sgr = "") {
    for (const std::string& row : wrapped(one_line(words), width_ - indent))
      out_ += std::string(indent, ' ') + (*sgr ? pen_.in(sgr, row) : row) + "\n";
  }

  static std::string repeated(std::string_view mark, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += mark;
    return out;
  }

  void section(std::string_view title) { out_ += "\n" + pen_.bold(clipped(one_line(title), width_)) + "\n"; }

  // --- what was run

  void head() {
    const Registration& r = s_.registration;
    out_ += pen_.bold("assay summary") +
            fmt::format(" · suite {} · {}\n", one_line(r.suite), plural(s_.episodes, "episode"));
    std::vector<std::string> codes;
    for (const CodeSummary& code : s_.codes) codes.push_back(code.code);
    text(fmt::format("{}, seed {}, prelude {}, variants {}, {} {}; registered {} by assay {}",
                     plural(r.design.epochs, "epoch"), r.design.seed, name_of(r.design.prelude),
                     name_of(r.design.variants), codes.size() == 1 ? "code" : "codes", joined(codes, ", "), r.created,
                     r.version),
         0, "2");
  }

  // --- one model

  // The settings that a reader must know to believe a number; all of them are in the JSON.
  static std::string settings_of(const ModelEntry& entry) {
    if (entry.policy) return "an agent of known conduct, from " + entry.policy->name;
    static constexpr std::pair<const char*, const char*> told[] = {
        {"tool_format", "tool format"}, {"quantisation", "weights"}, {"context", "context"},
        {"temperature", "temperature"}, {"top_p", "top-p"},          {"grammar", "grammar"}};
    std::vector<std::string> parts;
    for (auto [key, name] : told)
      if (auto value = entry.settings.find(key); value != entry.settings.end())
        parts.push_back(fmt::format("{} {}", name,
                                    value->is_string()    ? value->get<std::string>()
                                    : value->is_boolean() ? (*value ? "on" : "off")
                                                          : to_line(*value)));
    return joined(parts, ", ");
  }

  void about(const ModelSummary& m) {
    section(m.entry.id);
    if (std::string settings = settings_of(m.entry); !settings.empty()) text(settings, 0, "2");
    if (m.episodes == 0) {
      text("No episode of this model is stored.");
      return;
    }
    std::string did = fmt::format("{}: {}, {}", plural(m.episodes, "episode"), plural(m.replies, "reply", "replies"),
                                  plural(m.calls, "tool call"));
    if (m.malformed > 0)
      did += fmt::format(", {}", plural(m.malformed, "call that could not be read", "calls that could not be read"));
    if (m.prose > 0)
      did += fmt::format(", {} in plain words instead of the tool format", plural(m.prose, "reply", "replies"));
    std::vector<std::string> cut;
    for (const auto& [how, n] : m.ended)
      if (how != "completed")
        cut.push_back(
            fmt::format("{} by {}", counted(n), how.rfind("limit:", 0) == 0 ? "the limit of " + how.substr(6) : how));
    if (!cut.empty()) did += fmt::format(". Ended early: {}", joined(cut, ", "));
    text(did + ".");
  }

  static const std::vector<ScenarioCounts>* scenarios_of(const CodeSummary& code, const std::string& model) {
    for (const auto& [name, scenarios] : code.by_model)
      if (name == model) return &scenarios;
    return nullptr;
  }

  // "Of 24 episodes: 15 failed (it ...), 9 ungraded (...)."
  void conduct(const ModelSummary& m, const CodeSummary& code) {
    const std::vector<ScenarioCounts>* scenarios = scenarios_of(code, m.entry.id);
    if (!scenarios || m.episodes == 0) return;
    VerdictCounts all{};
    for (const ScenarioCounts& s : *scenarios)
      for (size_t v = 0; v < all.size(); ++v) all[v] += s.verdicts[v];
    std::vector<Verdict> seen;
    for (Verdict v : all_verdicts)
      if (all[static_cast<size_t>(v)] > 0) seen.push_back(v);
    std::stable_sort(seen.begin(), seen.end(),
                     [&](Verdict a, Verdict b) { return all[static_cast<size_t>(a)] > all[static_cast<size_t>(b)]; });
    std::vector<std::string> parts;
    for (Verdict v : seen) {
      std::string why = meaning(v);
      if (v == Verdict::ungraded) why = why_ungraded(m, code, why);
      parts.push_back(fmt::format("{} {} ({})", counted(all[static_cast<size_t>(v)]), one_line(name_of(v)), why));
    }
    text(fmt::format("Of {}: {}.", plural(m.episodes, "episode"), joined(parts, ", ")));

    std::vector<std::string> never;  // scenarios in which nothing shows that it could do the task at all
    for (const ScenarioCounts& s : *scenarios) {
      auto count = [&](Verdict v) { return s.verdicts[static_cast<size_t>(v)]; };
      bool able = count(Verdict::comply) + count(Verdict::partial_refusal) > 0;
      bool chose = count(Verdict::subvert) + count(Verdict::refuse) > 0;
      if (total(s.verdicts) > 0 && !able && !chose) never.push_back(s.scenario);
    }
    if (!never.empty())
      text(fmt::format(
               "In {} the task was never done. Whether this model could do it is open, and so is what it would do "
               "with an opportunity.",
               joined(never, " and ")),
           0, "33");
  }

  static std::string why_ungraded(const ModelSummary& m, const CodeSummary& code, const std::string& otherwise) {
    auto reasons = code.ungraded_reasons.find(m.entry.id);
    if (reasons == code.ungraded_reasons.end()) return otherwise;
    std::vector<std::pair<int64_t, std::string>> order;
    for (const auto& [reason, n] : reasons->second)
      if (!reason.empty()) order.emplace_back(-n, reason);
    std::sort(order.begin(), order.end());
    if (order.empty()) return otherwise;
    if (order.size() == 1) return order[0].second;
    std::vector<std::string> parts;
    for (size_t i = 0; i < std::min<size_t>(order.size(), 2); ++i)
      parts.push_back(fmt::format("{}: {}", counted(-order[i].first), order[i].second));
    if (order.size() > 2) parts.push_back("and others");
    return joined(parts, "; ");
  }

  // --- rates

  struct RateColumns {
    int name, count, bar, value = 7, interval = 15, planted;
  };

  void rates(const ModelSummary& m, const CodeSummary& code) {
    const std::vector<ScenarioCounts>* scenarios = scenarios_of(code, m.entry.id);
    if (!scenarios || m.episodes == 0) return;
    for (const ScenarioCounts& s : *scenarios) {
      if (total(s.verdicts) == 0) continue;
      std::vector<const RateRow*> rows;
      for (const RateRow& r : code.rates)
        if (r.model == m.entry.id && r.scope == s.scenario) rows.push_back(&r);
      rate_table(m, s, rows);
    }
  }

  void rate_table(const ModelSummary& m, const ScenarioCounts& s, const std::vector<const RateRow*>& rows) {
    RateColumns c;
    c.count = 2 * static_cast<int>(counted(total(s.verdicts)).size()) + 1;
    c.planted = m.entry.policy ? 8 : 0;
    int room = width_ - 2 - 1 - c.count - c.value - 1 - c.interval - c.planted - 1;  // the last for a mark
    c.name = std::clamp(room, 8, 16);
    room -= c.name;
    c.bar = room >= 5 ? std::min(room - 1, 24) : 0;

    section(fmt::format("{} · {}", s.scenario, plural(total(s.verdicts), "episode")));
    std::string heading = "  " + left("verdict, act", c.name) + " " + right("k/n", c.count) +
                          (c.bar ? " " + std::string(c.bar, ' ') : "") + right("rate", c.value) + " " +
                          right("95 % interval", c.interval) + (c.planted ? right("planted", c.planted) : "");
    out_ += pen_.dim(heading) + "\n";

    std::vector<const RateRow*> never;
    bool acts = false;
    for (const RateRow* r : rows) {
      if (r->estimate.k == 0 && r->planted.value_or(0) == 0) {
        if (r->estimate.n > 0) never.push_back(r);
        continue;
      }
      if (r->outcome.kind == OutcomeName::Kind::act && !acts) out_ += pen_.dim("  " + repeated("┄", c.name)) + "\n";
      acts |= r->outcome.kind == OutcomeName::Kind::act;
      rate_line(*r, c);
    }
    never_line(never);
    bounds(s, rows);
  }

  void rate_line(const RateRow& r, const RateColumns& c) {
    const Estimate& e = r.estimate;
    std::string name = short_name(r.outcome);
    const char* colour = r.outcome.kind == OutcomeName::Kind::act ? "33" : colour_of(r.outcome.verdict);
    out_ += "  " + pen_.in(colour, left(one_line(name), c.name)) + " " +
            right(fmt::format("{}/{}", counted(e.k), counted(e.n)), c.count);
    if (c.bar) out_ += " " + pen_.in(colour, bar(e.value.value_or(0), c.bar));
    out_ += right(e.value ? percent(*e.value) : "–", c.value) + " " + right(range_text(e.interval), c.interval);
    if (c.planted) out_ += right(r.planted ? percent(*r.planted) : "–", c.planted) + missed(r.planted, e.interval);
    out_ += "\n";
  }

  std::string missed(const std::optional<double>& planted, const std::optional<Interval>& interval) const {
    return planted && interval && !contains(*interval, *planted) ? pen_.yellow("!") : "";
  }

  // "never seen: leak, hide_notice (0 of 16, each at most 14.2 %); blackmail (0 of 12, at most 18.5 %)"
  void never_line(const std::vector<const RateRow*>& never) {
    struct Alike {
      int64_t n;
      std::optional<double> most;
      std::vector<std::string> names;
    };
    std::vector<Alike> groups;
    for (const RateRow* r : never) {
      const Estimate& e = r->estimate;
      std::optional<double> most = e.interval ? std::optional(e.interval->high) : std::nullopt;
      auto same = [&](const Alike& g) { return g.n == e.n && g.most == most; };
      auto group = std::find_if(groups.begin(), groups.end(), same);
      if (group == groups.end()) group = groups.insert(group, {e.n, most, {}});
      group->names.push_back(short_name(r->outcome));
    }
    std::vector<std::string> parts;
    for (const Alike& g : groups)
      parts.push_back(fmt::format("{} (0 of {}, {})", joined(g.names, ", "), counted(g.n),
                                  g.most
                                      ? fmt::format("{}at most {}", g.names.size() > 1 ? "each " : "", percent(*g.most))
                                      : "too few epochs for a bound"));
    if (!parts.empty()) text("never seen: " + joined(parts, "; "), 2, "2");
  }

  // How many are in no rate and, where they are many, what the rates would be, were none or all of them events.
  void bounds(const ScenarioCounts& s, const std::vector<const RateRow*>& rows) {
    const int64_t all = total(s.verdicts);
    std::vector<std::string> verdicts, acts;
    for (const RateRow* r : rows) {
      if (r->ungraded == 0) continue;
      const bool act = r->outcome.kind == OutcomeName::Kind::act;
      std::string part = short_name(r->outcome);
      const bool many = static_cast<double>(r->ungraded) > kUngradedShown * static_cast<double>(all);
      if (many) part += fmt::format(" {:.0f} – {:.0f} %", r->if_none * 100, r->if_all * 100);
      if (act)
        acts.push_back(fmt::format("{} ({} open)", part, counted(r->ungraded)));
      else if (many)
        verdicts.push_back(part);
    }
    if (int64_t n = s.verdicts[static_cast<size_t>(Verdict::ungraded)]; n > 0) {
      std::string words =
          fmt::format("{} {} ungraded: in no verdict’s rate, and in an act’s where it is known whether it was done.",
                      plural(n, "episode"), n == 1 ? "is" : "are");
      if (!verdicts.empty())
        words += fmt::format(" Of all {}, were none or all of them so: {}.", counted(all), joined(verdicts, ", "));
      text(words, 2);
    }
    if (!acts.empty())
      text(fmt::format("Acts whose question nobody answered, of all {}, were none or all of these so: {}.",
                       counted(all), joined(acts, ", ")),
           2);
  }

  // --- effects

  void effects(const ModelSummary& m, const CodeSummary& code) {
    std::vector<const EffectRow*> rows;
    for (const EffectRow& r : code.effects)
      if (r.model == m.entry.id && r.scope != "all") rows.push_back(&r);
    twins_width_ = 7;
    bool any = false, left_out = false;
    for (const EffectRow* r : rows) {
      any |= r->effect.twins + r->ungraded > 0;
      left_out |= r->ungraded > 0;
      twins_width_ = std::max(twins_width_, 1 + display_width(twins_text(*r)));
    }
    if (!any) return;

    bool planted = m.entry.policy.has_value();
    section("what changes it · twins differ in one factor alone");
    if (left_out) text("twins +n: n more pairs are left out, for what happened is not known of both", 2, "2");
    out_ +=
        pen_.dim(effect_cells("in points", "effect", "95 % interval", "p", "twins", planted ? "planted" : "")) + "\n";
    for (size_t i = 0; i < rows.size();) {
      size_t end = i;
      while (end < rows.size() && same_comparison(*rows[end], *rows[i])) ++end;
      comparison({rows.begin() + static_cast<long>(i), rows.begin() + static_cast<long>(end)}, planted);
      i = end;
    }
  }

  static bool same_comparison(const EffectRow& a, const EffectRow& b) {
    return a.scope == b.scope && a.factor == b.factor && a.level == b.level && a.base == b.base;
  }

  // "80 +16": pairs that were compared, and those that could not be.
  static std::string twins_text(const EffectRow& r) {
    return r.ungraded > 0 ? fmt::format("{} +{}", counted(r.effect.twins), counted(r.ungraded))
                          : counted(r.effect.twins);
  }

  // One line an outcome that moved or was meant to; the others together, by the number of their twins.
  void comparison(const std::vector<const EffectRow*>& rows, bool planted) {
    const EffectRow& first = *rows.front();
    std::vector<const EffectRow*> shown;
    std::vector<std::pair<std::string, std::vector<std::string>>> still;
    for (const EffectRow* r : rows) {
      if (r->effect.twins + r->ungraded == 0) continue;
      if (r->effect.up > 0 || r->effect.down > 0 || (r->effect.twins > 0 && r->planted.value_or(0) != 0)) {
        shown.push_back(r);
        continue;
      }
      std::string twins = twins_text(*r);
      auto alike = std::find_if(still.begin(), still.end(), [&](const auto& g) { return g.first == twins; });
      if (alike == still.end()) alike = still.insert(alike, {twins, {}});
      alike->second.push_back(short_name(r->outcome));
    }
    if (shown.empty() && still.empty()) return;
    out_ += "  " +
            pen_.bold(clipped(one_line(fmt::format("{}: {} − {}", first.factor, first.level, first.base)),
                              width_ - 4 - display_width(first.scope))) +
            pen_.dim("  " + one_line(first.scope)) + "\n";
    for (const EffectRow* r : shown) {
      const Effect& e = r->effect;
      bool clear = e.interval && !contains(*e.interval, 0);
      std::string line = effect_cells("  " + one_line(short_name(r->outcome)), e.value ? points(*e.value) : "–",
                                      points_range(e.interval), p_text(e.p), twins_text(*r),
                                      planted ? (r->planted ? points(*r->planted) : "–") : "");
      out_ += (clear ? pen_.in("1", line) : line) + missed(r->planted, e.interval) + "\n";
    }
    std::vector<std::string> parts;
    for (const auto& [twins, names] : still) parts.push_back(fmt::format("{} (0 of {})", joined(names, ", "), twins));
    if (!parts.empty()) text("no twin differed: " + joined(parts, "; "), 4, "2");
  }

  static std::string short_name(const OutcomeName& o) {
    return o.kind == OutcomeName::Kind::act ? o.act : name_of(o.verdict);
  }

  std::string effect_cells(std::string_view name, std::string_view value, std::string_view interval, std::string_view p,
                           std::string_view n, std::string_view planted) const {
    int rest = 7 + 1 + 15 + 6 + twins_width_ + (planted.empty() ? 0 : 8);
    return "  " + left(name, std::clamp(width_ - 3 - rest, 4, 30)) + right(value, 7) + " " + right(interval, 15) +
           right(p, 6) + right(n, twins_width_) + (planted.empty() ? "" : right(planted, 8));
  }

  // --- was what was planted recovered?

  void recovered(const ModelSummary& m) {
    if (!m.entry.policy || s_.codes.empty()) return;
    int64_t intervals = 0, held = 0;
    auto count = [&](const std::optional<Interval>& interval, double planted) {
      ++intervals;
      held += contains(*interval, planted);
    };
    for (const CodeSummary& code : s_.codes) {
      for (const RateRow& r : code.rates)
        if (r.model == m.entry.id && r.scope != "all" && r.planted && r.estimate.interval && *r.planted > 0 &&
            *r.planted < 1)
          count(r.estimate.interval, *r.planted);
      for (const EffectRow& r : code.effects)
        if (r.model == m.entry.id && r.scope != "all" && r.planted && r.effect.interval && !r.planted_fixed)
          count(r.effect.interval, *r.planted);
    }
    section("was what was planted found?");
    if (intervals == 0) {
      text("There are too few epochs for any interval.");
      return;
    }
    text(fmt::format(
        "{} of {} intervals contain the planted value; of 95 % intervals about {:.0f} should (they share episodes, so "
        "misses come in groups){}. Values planted at exactly 0 or 1 are not counted: they leave nothing to miss.",
        counted(held), counted(intervals), 0.95 * static_cast<double>(intervals),
        held < intervals ? "; the others are marked !" : ""));
  }

  const Summary& s_;
  Pen pen_;
  int width_;
  int twins_width_ = 7;  // of a column in the table of effects
  std::string out_;
};

}  // namespace

std::string summary_text(const Summary& summary, const Style& style) { return Page(summary, style).write(); }

}  // namespace assay
