#include "scenario/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "cli/design.h"
#include "cli/suite.h"
#include "model/open.h"
#include "report/term.h"
#include "run/runner.h"
#include "stats/interval.h"
#include "stats/power.h"

namespace assay {
namespace {

struct Options {
  std::string folder, model;
  Design design;
  bool programs = false;
  bool json = false;
};

// What one scenario of the plan costs.
struct Cost {
  const Scenario* scenario = nullptr;
  int64_t cells = 0, twins = 0;               // twins: pairs an epoch for a two-level factor
  int64_t shortest = INT64_MAX, longest = 0;  // tokens of an episode's first prompt
};

// The most that an episode may take: what its limits allow, and the manipulation check after it, whose answer they do
// not bound.
struct Most {
  int64_t replies = 0, actions = 0, tokens = 0;
};

Most most_of(const Scenario& scenario) {
  const Limits& limits = scenario.limits;
  const bool asks = scenario.check.has_value();
  return {limits.turns + asks, limits.actions, limits.tokens + (asks ? check_tokens_with_thought : 0)};
}

std::string range(int64_t low, int64_t high) {
  return low == high ? counted(low) : fmt::format("{} to {}", counted(low), counted(high));
}

// Pairs of cells that differ in one factor alone, level against base: of the comparison that has the fewest. All cells
// where nothing is crossed.
int64_t fewest_twins(const Scenario& scenario) {
  const std::vector<Cell> cells = grid(scenario);
  std::set<int64_t> there;
  for (const Cell& cell : cells) there.insert(cell.index);
  auto fewest = static_cast<int64_t>(cells.size());
  int64_t step = 1;  // of the index, from one level to the next
  for (size_t f = scenario.factors.size(); f-- > 0;) {
    const Factor& factor = scenario.factors[f];
    std::vector<int64_t> pairs(factor.levels.size(), 0);
    for (const Cell& cell : cells)
      pairs[static_cast<size_t>(cell.levels[f])] += there.count(cell.index - step * cell.levels[f]) > 0;
    for (size_t level = 1; factor.crossed && level < pairs.size(); ++level) fewest = std::min(fewest, pairs[level]);
    step *= static_cast<int64_t>(factor.levels.size());
  }
  return fewest;
}

Result<std::vector<Cost>> costs_of(const Suite& suite, const Design& design, Model* model) {
  std::vector<Cost> costs;
  for (const Scenario& scenario : suite.scenarios) {
    Cost cost{.scenario = &scenario, .cells = static_cast<int64_t>(grid(scenario).size())};
    if (cost.cells == 0) continue;  // left out by the selection
    cost.twins = fewest_twins(scenario);
    costs.push_back(cost);
  }
  if (!model) return costs;
  Status seen = each_opening(Plan(suite, design, "plan"), [&](const Request& opening) -> Status {
    Result<std::optional<int64_t>> tokens = model->check(opening);
    if (!tokens) return tokens.error();
    for (Cost& cost : costs) {
      if (cost.scenario != opening.spec->scenario || !*tokens) continue;
      cost.shortest = std::min(cost.shortest, **tokens);
      cost.longest = std::max(cost.longest, **tokens);
    }
    return Done{};
  });
  if (!seen) return seen.error();
  return costs;
}

std::string grid_text(const Cost& cost, const Style& style) {
  const Scenario& scenario = *cost.scenario;
  const Pen pen(style);
  std::string out = "\n" + pen.bold(one_line(scenario.name)) + " · " + plural(cost.cells, "cell") + "\n";
  size_t longest = 8;
  for (const Factor& factor : scenario.factors) longest = std::max(longest, factor.name.size());
  const int widest = static_cast<int>(std::min<size_t>(longest, 24));
  const Cell first = grid(scenario).front();
  for (size_t f = 0; f < scenario.factors.size(); ++f) {
    const Factor& factor = scenario.factors[f];
    std::vector<std::string> levels(factor.levels.size());
    std::transform(factor.levels.begin(), factor.levels.end(), levels.begin(), [](const Level& l) { return l.name; });
    std::string text = joined(levels, ", ");
    if (!factor.crossed)
      text += fmt::format(" (not crossed: stands at {})", levels[static_cast<size_t>(first.levels[f])]);
    std::string row = "  " + left(factor.name, widest + 2);
    out += (factor.crossed ? row : pen.dim(row)) + clipped(text, style.columns() - widest - 4) + "\n";
  }
  std::string prompt =
      cost.longest > 0 ? fmt::format("its first prompt has {} tokens; ", range(cost.shortest, cost.longest)) : "";
  const std::string check =
      scenario.check ? fmt::format("; and a reply to the check, of {} tokens, or {} where the model thinks first",
                                   counted(check_tokens), counted(check_tokens_with_thought))
                     : "";
  out +=
      paragraph(fmt::format("  an episode: {}at most {}, {} and {} written{}", prompt,
                            plural(scenario.limits.turns, "reply", "replies"),
                            plural(scenario.limits.actions, "action"), plural(scenario.limits.tokens, "token"), check),
                style);
  return out;
}

// Epochs share a surface, so what they can show lies between two numbers: cells of an epoch that are all alike, and
// cells that have nothing to do with each other.
struct Between {
  std::optional<double> alike, independent;  // absent: nothing is estimable
};

// A change of a rate that one may want to find, and the chance that the interval of the effect excludes 0.
struct Change {
  double base, level;
  Between found;
};

// What so many epochs can show of one scenario.
struct Shows {
  Between never_seen;           // the most that a rate can be whose event is never seen
  std::vector<Change> changes;  // none where nothing is crossed, or some level has no twins
};

Shows shows(const Cost& cost, int epochs) {
  auto bound = [](int64_t n) { return exact_upper_bound(0, static_cast<double>(n)); };
  Shows out{{bound(epochs), bound(epochs * cost.cells)}, {}};
  if (cost.twins == 0 || cost.twins == cost.cells) return out;
  for (auto [base, level] : {std::pair{0.02, 0.12}, {0.1, 0.3}, {0.45, 0.55}, {0.4, 0.6}}) {
    const TwinChances twin = *twin_chances(base, level);
    auto chance = [&](int64_t n) -> std::optional<double> {
      std::optional<Power> power = paired_power(twin, std::min(n, kMostTwins));
      return power ? std::optional(power->interval) : std::nullopt;
    };
    out.changes.push_back({base, level, {chance(epochs), chance(epochs * cost.twins)}});
  }
  return out;
}

std::string power_text(const Cost& cost, int epochs, const Style& style) {
  std::string out =
      paragraph(fmt::format("What {} of {} can show, if the cells of an epoch are all alike, and if they are "
                            "independent:",
                            plural(epochs, "epoch"), cost.scenario->name),
                style);
  auto share = [](const std::optional<double>& x) { return x ? percent(*x) : std::string("–"); };
  const Shows shown = shows(cost, epochs);
  out += fmt::format("  never seen, so the rate is at most    {:>8} {:>8}\n", share(shown.never_seen.alike),
                     share(shown.never_seen.independent));
  if (cost.twins == 0)
    out += paragraph("  Some level has no twins at all in these cells: its effect cannot be told from pairs.", style);
  for (const Change& change : shown.changes)
    out += fmt::format("  a change from {:2.0f} to {:2.0f} % is found in    {:>8} {:>8}\n", 100 * change.base,
                       100 * change.level, share(change.found.alike), share(change.found.independent));
  return out;
}

Json power_json(const Cost& cost, int epochs) {
  auto number = [](const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); };
  auto between = [&](const Between& b) {
    return Json{{"if_alike", number(b.alike)}, {"if_independent", number(b.independent)}};
  };
  const Shows shown = shows(cost, epochs);
  Json changes = Json::array();
  for (const Change& change : shown.changes) {
    changes.push_back({{"from", change.base}, {"to", change.level}});
    changes.back().update(between(change.found));
  }
  return {{"twins", cost.twins < cost.cells ? Json(epochs * cost.twins) : Json(nullptr)},
          {"never_seen_at_most", between(shown.never_seen)},
          {"changes", std::move(changes)}};
}

Json to_json(const std::vector<Cost>& costs, const Design& design, const Proved& proved) {
  Json out{{"epochs", design.epochs},
           {"cells", to_json(design.cells)},
           {"proofs",
            {{"cells", proved.cells},
             {"surfaces", proved.surfaces},
             {"twins", proved.twins},
             {"agents", proved.agents},
             {"notes", proved.notes}}},
           {"scenarios", Json::array()}};
  for (const Cost& cost : costs) {
    Json factors = Json::object();
    for (const Factor& factor : cost.scenario->factors) {
      factors[factor.name] = {{"crossed", factor.crossed}, {"levels", Json::array()}};
      for (const Level& level : factor.levels) factors[factor.name]["levels"].push_back(level.name);
    }
    const Limits& limits = cost.scenario->limits;
    const Most most = most_of(*cost.scenario);
    const int64_t episodes = cost.cells * design.epochs;
    out["scenarios"].push_back(
        {{"scenario", cost.scenario->name},
         {"cells", cost.cells},
         {"episodes", episodes},
         {"most",
          {{"replies", episodes * most.replies},
           {"actions", episodes * most.actions},
           {"tokens", episodes * most.tokens}}},
         {"power", power_json(cost, design.epochs)},
         {"factors", factors},
         {"prompt_tokens", cost.longest > 0 ? Json{cost.shortest, cost.longest} : Json(nullptr)},
         {"limits", {{"turns", limits.turns}, {"actions", limits.actions}, {"tokens", limits.tokens}}}});
  }
  return out;
}

int show_plan(const Options& options, Output& out) {
  Result<ProvenSuite> proven = prove_folder(options.folder, options.design, options.programs);
  if (!proven) return fail(out, proven.error());
  const Suite& suite = proven->suite;
  OpenedModel opened;
  if (!options.model.empty()) {
    Result<OpenedModel> model = open_model(options.model, suite);
    if (!model) return fail(out, model.error());
    opened = std::move(*model);
  }
  Result<std::vector<Cost>> costs = costs_of(suite, options.design, opened.model.get());
  if (!costs) return fail(out, costs.error());
  if (options.json) {
    out.print_exact(to_json(*costs, options.design, proven->proved).dump(2) + "\n");
    return exit_done;
  }

  const Style style = out.style();
  int64_t cells = 0, replies = 0, tokens = 0;
  for (const Cost& cost : *costs) {
    cells += cost.cells;
    replies += cost.cells * most_of(*cost.scenario).replies;
    tokens += cost.cells * most_of(*cost.scenario).tokens;
  }
  std::string text =
      paragraph(fmt::format("assay plan · suite {} · {}, {}: all proofs hold", suite.name,
                            plural(static_cast<int64_t>(costs->size()), "scenario"), plural(cells, "cell")),
                style);
  if (!options.design.cells.whole()) {
    text += paragraph("cells: " + one_line(describe(options.design.cells)), style);
    std::vector<std::string> left_out;
    for (const Scenario& scenario : suite.scenarios)
      if (grid(scenario).empty()) left_out.push_back(scenario.name);
    if (!left_out.empty())
      text += paragraph("left out, as no cell of theirs is kept: " + joined(left_out, ", "), style);
  }
  for (const std::string& note : proven->proved.notes) text += paragraph("note: " + note, style);
  for (const Cost& cost : *costs) text += grid_text(cost, style);
  const int64_t epochs = options.design.epochs;
  text += "\n" + paragraph(fmt::format("At {}: {}; at most {} and {} written.", plural(epochs, "epoch"),
                                       plural(cells * epochs, "episode"), plural(replies * epochs, "reply", "replies"),
                                       plural(tokens * epochs, "token")),
                           style);
  for (const Cost& cost : *costs) text += "\n" + power_text(cost, options.design.epochs, style);
  const bool counted_tokens = std::ranges::any_of(*costs, [](const Cost& cost) { return cost.longest > 0; });
  if (!counted_tokens) text += "\n" + paragraph("-m gguf:MODEL counts the tokens of the prompts, too.", style);
  out.print(text);
  return exit_done;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  auto design = std::make_shared<DesignOptions>(8);
  app.add_option("SUITE", o->folder, "folder of a suite")->required();
  app.add_option("-m,--model", o->model, "count prompts as this model does")->type_name("MODEL");
  design->declare(app);
  app.add_flag("--json", o->json, "for programs: docs/formats.md names the fields");
  return [=](Output& out) {
    Result<Design> asked = design->design();
    if (!asked) return fail(out, asked.error());
    o->design = *std::move(asked);
    if (Status settled = settle_prelude({o->model}, design->names_prelude(), o->design); !settled)
      return fail(out, settled.error());
    o->programs = design->programs();
    return show_plan(*o, out);
  };
}

}  // namespace

const Command plan_command = {"plan", "the grid of a suite, what it costs, and what it can show",
                              "assay plan suites/first --epochs 20\nassay plan suites/first -m gguf:model.gguf",
                              declare};

}  // namespace assay
