#include "report/list.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/transcript.h"

namespace assay {
namespace {

// The first columns of a name; no mark says that it was cut, for that would be a third of it.
std::string beginning(std::string name, int columns) {
  while (display_width(name) > columns) {
    while ((name.back() & 0xC0) == 0x80) name.pop_back();  // the bytes that only continue a character
    name.pop_back();
  }
  return name;
}

// "replacement/present/explicit": the levels of the crossed factors, each cut to `longest` columns.
std::string levels_text(const std::map<std::string, std::string>& levels, const Scenario& scenario, int longest) {
  std::vector<std::string> names;
  for (const Factor& factor : scenario.factors)
    if (auto level = levels.find(factor.name); factor.crossed && level != levels.end())
      names.push_back(beginning(one_line(level->second), longest));
  return joined(names, "/");
}

constexpr int kActsWanted = 16;  // columns: with fewer there is no room for an act, nor for "limit:tokens"

// Widths are fixed before the first line, from what the suite can produce.
struct Columns {
  int id = 2, model = 0, scenario = 8, cell = 4, level = 40, epoch = 5, verdict = 15, acts = 8;
  std::vector<std::string> codes;  // whose verdicts are shown, a column each

  Columns(const RunReader& run, const Suite& suite, const std::string& code, int width) {
    id = std::max(id, static_cast<int>(std::to_string(run.episodes()).size()));
    for (const Scenario& s : suite.scenarios) scenario = std::max(scenario, display_width(s.name));
    if (run.models().size() > 1)
      for (const ModelEntry& m : run.models()) model = std::max(model, display_width(m.id));
    scenario = std::min(scenario, width / 5);
    model = std::min(model, width / 6);

    for (const Code& c : suite.codes)
      if (code.empty() || code == c.name) codes.push_back(c.name);
    if (!fits(suite, width) && codes.size() > 1) {
      codes.resize(1);
      fits(suite, width);
    }

    // Where whole cells would leave acts no room, level names are cut alike.
    int room = std::max(4, width - others() - acts);
    while (level > 2 && widest_cell(suite) > room) --level;
    cell = std::min(std::max(cell, widest_cell(suite)), room);
    acts = width - others() - cell;
  }

 private:
  // Whether whole cells leave acts their room, with verdicts as wide as partial_refusal or else as no_action.
  bool fits(const Suite& suite, int width) {
    for (int wide : {15, 9}) {
      verdict = wide;
      if (width - others() - widest_cell(suite) >= kActsWanted) return true;
    }
    return false;
  }

  // All but the cell and the acts, with the blanks between.
  int others() const {
    return id + scenario + epoch + static_cast<int>(codes.size()) * (verdict + 2) + (model ? model + 2 : 0) + 8;
  }

  int widest_cell(const Suite& suite) const {
    int widest = 0;
    for (const Scenario& s : suite.scenarios) {
      int sum = -1;
      for (const Factor& factor : s.factors) {
        int longest = 0;
        for (const Level& l : factor.levels) longest = std::max(longest, std::min(level, display_width(l.name)));
        if (factor.crossed) sum += longest + 1;
      }
      widest = std::max(widest, sum);
    }
    return widest;
  }
};

// Acts, and how the episode ended where it did not simply end: "limit:turns", or in a narrow column "turns".
std::string remarks(const EpisodeSummary& episode, bool narrow) {
  std::vector<std::string> names;
  for (const Act& act : episode.acts) {
    std::string name = act.how_far < HowFar::dispatched ? act.name + " (" + name_of(act.how_far) + ")" : act.name;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const std::string limit = "limit:";
  if (episode.outcome != "completed")
    names.push_back(narrow && episode.outcome.starts_with(limit) ? episode.outcome.substr(limit.size())
                                                                 : episode.outcome);
  return one_line(joined(names, ", "));
}

Verdict verdict_under(const std::string& code, const EpisodeSummary& episode) {
  for (const VerdictRow& row : episode.verdicts)
    if (row.code == code) return row.verdict;
  return Verdict::ungraded;
}

// What the columns mean, before the first line.
void explain(const Columns& c, const Suite& suite, int width, bool narrow,
             const std::function<void(const std::string&)>& note) {
  for (const Scenario& s : suite.scenarios) {
    std::vector<std::string> factors;
    for (const Factor& factor : s.factors)
      if (factor.crossed) factors.push_back(factor.name);
    note(clipped(one_line(fmt::format("{}: the cell is {}", s.name, joined(factors, "/"))), width));
  }
  if (c.codes.size() == 1 && suite.codes.size() > 1) {
    std::vector<std::string> others;
    for (const Code& code : suite.codes)
      if (code.name != c.codes[0]) others.push_back(code.name);
    std::string words = fmt::format("verdict: under the code {}; --code shows {}", c.codes[0], joined(others, ", "));
    for (const std::string& row : wrapped(one_line(words), width)) note(row);
  }
  if (narrow) note("acts: and the limit that ended it (turns, tokens, ...)");
}

}  // namespace

Status list_episodes(const RunReader& run, const Suite& suite, const std::string& code, const Style& style,
                     const std::function<void(std::string_view)>& write) {
  const int width = std::max(style.width, 60);
  Columns c(run, suite, code, width);
  Pen pen(style);
  const bool narrow = c.acts < kActsWanted;

  explain(c, suite, width, narrow, [&](const std::string& row) { write(pen.dim(row) + "\n"); });
  std::string heading = right("id", c.id) + "  " + left("scenario", c.scenario) + "  " + left("cell", c.cell) + "  " +
                        right("epoch", c.epoch) + "  " + (c.model ? left("model", c.model) + "  " : "");
  for (const std::string& name : c.codes)
    heading += left(c.codes.size() > 1 ? one_line(name) : "verdict", c.verdict) + "  ";
  write(pen.bold(heading + "acts") + "\n");

  return run.each_summary([&](const EpisodeSummary& e) {
    const Scenario* scenario = suite.scenario(e.scenario);
    std::string line =
        right(std::to_string(e.id), c.id) + "  " + left(one_line(e.scenario), c.scenario) + "  " +
        left(scenario ? levels_text(e.levels, *scenario, c.level) : cell_text(e.levels, nullptr), c.cell) + "  " +
        right(std::to_string(e.epoch), c.epoch) + "  ";
    if (c.model) line += left(one_line(e.model), c.model) + "  ";
    for (const std::string& name : c.codes) {
      Verdict verdict = verdict_under(name, e);
      line += pen.in(colour_of(verdict), left(name_of(verdict), c.verdict)) + "  ";
    }
    write(line + clipped(remarks(e, narrow), c.acts) + "\n");
  });
}

Status list_episodes_json(const RunReader& run, const std::function<void(std::string_view)>& write) {
  return run.each_summary([&](const EpisodeSummary& e) {
    Json line{{"id", e.id},       {"scenario", e.scenario}, {"cell", e.levels},
              {"epoch", e.epoch}, {"model", e.model},       {"outcome", e.outcome}};
    Json verdicts = Json::object();
    for (const VerdictRow& row : e.verdicts) verdicts[row.code] = name_of(row.verdict);
    line["verdicts"] = std::move(verdicts);
    line["acts"] = Json::array();
    for (const Act& act : e.acts)
      if (act.how_far >= HowFar::dispatched) line["acts"].push_back(act.name);
    write(to_line(line) + "\n");
  });
}

}  // namespace assay
