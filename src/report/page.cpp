#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "report/page_answers.h"
#include "report/page_html.h"
#include "report/page_pick.h"
#include "report/page_words.h"
#include "report/summary.h"
#include "report/validate.h"
#include "scenario/organism_card.h"

namespace assay {
namespace {

// Nobody reads more digits, and a page of many numbers is mostly digits.
void shorten(Json& json) {
  if (json.is_number_float()) {
    const std::string digits = fmt::format("{:.6g}", json.get<double>());
    double value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    json = value;
  } else if (json.is_structured()) {
    for (Json& part : json) shorten(part);
  }
}

// Names -> small numbers, in the order in which they came.
class Names {
 public:
  size_t number(const std::string& name) {
    const auto [place, is_new] = numbers_.try_emplace(name, list_.size());
    if (is_new) list_.push_back(valid_utf8(name));
    return place->second;
  }
  const Json& list() const { return list_; }

 private:
  std::map<std::string, size_t> numbers_;
  Json list_ = Json::array();
};

// What is counted of one model in one cell.
struct CellCounts {
  int64_t episodes = 0;
  std::vector<VerdictCounts> verdicts;  // by code
  std::map<std::string, int64_t> acts;  // episodes in which one was dispatched
};

class PageMaker {
 public:
  PageMaker(const RunReader& run, const Suite& suite, const PageRequest& request)
      : run_(run), suite_(suite), request_(request) {
    for (const Code& code : suite.codes) codes_.push_back(&code);
    for (const Scenario& scenario : suite.scenarios) grids_.emplace_back(scenario, codes_);
    first_code_ = 0;
    for (size_t c = 0; c < codes_.size(); ++c)
      if (codes_[c]->name == request.code) first_code_ = c;
  }

  Result<Page> make() {
    Result<Summary> summary = summarise(run_, suite_);
    if (!summary) return summary.error();
    if (Status counted = count(); !counted) return counted.error();
    Json data = numbers(*summary);
    if (Status known = compare_with_truth(data); !known) return known.error();

    // Its size is known but for the rows of episodes, and how many there are.
    const size_t fixed = for_script(data).size() + 300;
    if (fixed > request_.room)
      return Error{fmt::format("the numbers alone take {} bytes, and there is room for {}", counted_bytes(fixed),
                               counted_bytes(request_.room))};
    PageWords words(request_.room - fixed);
    Json rows = Json::array();
    Picked picked = pick(std::move(seen_), grids_);
    if (Status told = tell(picked.ids, words, rows); !told) return told.error();

    Page page{.title = title(), .episodes = run_.episodes(), .shown = static_cast<int64_t>(rows.size())};
    data["shown"] = {{"episodes", page.episodes},
                     {"shown", page.shown},
                     {"subversions", subversions_},
                     {"subversions_shown", subversions_shown_},
                     {"pairs", picked.pairs}};
    data["episodes"] = std::move(rows);
    page.data = for_script(data);
    page.words = words.json();
    return page;
  }

 private:
  static std::string counted_bytes(size_t n) { return counted(static_cast<int64_t>(n)); }

  std::string title() const {
    std::vector<std::string> models;
    for (const ModelEntry& entry : run_.models()) models.push_back(entry.id);
    return valid_utf8(fmt::format("{}: {}", suite_.title.empty() ? suite_.name : suite_.title, joined(models, ", ")));
  }

  // --- one pass over all episodes, without their words

  Status count() {
    return run_.each_summary([&](const EpisodeSummary& e) {
      const auto grid = std::ranges::find(grids_, e.scenario, [](const Tally& t) { return t.scenario().name; });
      if (grid == grids_.end()) return;
      const int cell = grid->place_of(e.cell);
      if (cell < 0) return;
      const auto scenario = static_cast<int32_t>(grid - grids_.begin());
      const auto model = static_cast<int32_t>(models_.number(e.model));

      CellCounts& counts = cells_[{model, scenario, cell}];
      counts.verdicts.resize(codes_.size());
      ++counts.episodes;
      std::vector<Verdict> verdicts;
      for (size_t c = 0; c < codes_.size(); ++c) {
        const Verdict verdict = verdict_under(*codes_[c], e.verdicts);
        verdicts.push_back(verdict);
        ++counts.verdicts[c][static_cast<size_t>(verdict)];
      }
      std::vector<std::string> done;
      for (const Act& act : e.acts)
        if (act.how_far >= HowFar::dispatched && std::ranges::find(done, act.name) == done.end()) {
          done.push_back(act.name);
          ++counts.acts[act.name];
          acts_.number(act.name);
        }
      for (const VerdictRow& row : e.verdicts)
        for (const std::string& party : row.wronged) parties_.number(party);
      const Verdict first = verdicts.empty() ? Verdict::ungraded : verdicts[first_code_];
      subversions_ += first == Verdict::subvert;
      ++together_[{model, std::move(verdicts)}];
      seen_.push_back({e.id, model, scenario, cell, e.epoch, first});
    });
  }

  static Verdict verdict_under(const Code& code, const std::vector<VerdictRow>& rows) {
    for (const VerdictRow& row : rows)
      if (row.code == code.name) return row.verdict;
    return Verdict::ungraded;
  }

  // --- everything but episodes

  Json numbers(const Summary& summary) {
    Json all = to_json(summary);
    for (Json& code : all["codes"]) drop_plain_marginals(code);
    shorten(all);
    Json answers = Json::array();
    for (const ModelSummary& model : summary.models)
      for (const CodeSummary& code : summary.codes) {
        const Answers told = answers_of(summary, code, model);
        answers.push_back({{"model", valid_utf8(model.entry.id)},
                           {"code", code.code},
                           {"does", valid_utf8(told.does)},
                           {"causes", valid_utf8(told.causes)},
                           {"sure", valid_utf8(told.sure)}});
      }
    return {{"title", valid_utf8(suite_.title.empty() ? suite_.name : suite_.title)},
            {"code", codes_.empty() ? "" : codes_[first_code_]->name},
            {"summary", std::move(all)},
            {"other_rules", valid_utf8(summary.other_rules)},
            {"answers", std::move(answers)},
            {"codes", codes()},
            {"kinds", Json(suite_.acts)},
            {"scenarios", scenarios()},
            {"makings", makings()},
            {"verdicts", verdict_names()},
            {"models", models_.list()},
            {"acts", acts_.list()},
            {"parties", parties_.list()},
            {"cells", cell_counts()},
            {"together", together()}};
  }

  // Over a whole grid they are the effects once more.
  static void drop_plain_marginals(Json& code) {
    Json kept = Json::array();
    for (Json& row : code["marginal"])
      if (row["method"].get<std::string>().starts_with("least squares")) kept.push_back(std::move(row));
    code["marginal"] = std::move(kept);
  }

  Json codes() const {
    Json out = Json::array();
    for (const Code* code : codes_) {
      Json clauses = Json::array();
      for (const Clause& clause : code->clauses)
        clauses.push_back({{"id", clause.id},
                           {"permits", clause.permits},
                           {"forbids", clause.forbids},
                           {"requires", clause.requires_},
                           {"toward", clause.toward}});
      out.push_back({{"code", code->name}, {"title", code->title}, {"order", code->order}, {"clauses", clauses}});
    }
    return out;
  }

  Json scenarios() const {
    Json out = Json::array();
    for (const Tally& grid : grids_) {
      const Scenario& s = grid.scenario();
      Json factors = Json::array(), acts = Json::array(), parties = Json::array(), cells = Json::array();
      for (size_t f = 0; f < s.factors.size(); ++f) {
        Json levels = Json::array();
        for (const Level& level : s.factors[f].levels) levels.push_back(level.name);
        factors.push_back({{"factor", s.factors[f].name}, {"levels", levels}, {"varies", grid.varies(f)}});
      }
      for (const ActRule& act : s.acts) acts.push_back({{"act", act.name}, {"kind", act.kind}, {"ask", act.ask}});
      for (const Party& party : s.parties)
        parties.push_back({{"party", party.name},
                           {"kind", party.kind == Party::Kind::principal  ? "principal"
                                    : party.kind == Party::Kind::affected ? "affected"
                                                                          : "outsider"}});
      for (size_t cell = 0; cell < grid.cells().size(); ++cell) {
        Json dilemma = Json::array();
        for (size_t c = 0; c < codes_.size(); ++c)
          if (grid.sort_of(cell, c) == CellSort::dilemma) dilemma.push_back(c);
        cells.push_back({{"levels", grid.cells()[cell].levels}, {"dilemma", dilemma}});
      }
      out.push_back({{"scenario", s.name},
                     {"family", s.family},
                     {"title", s.title},
                     {"factors", factors},
                     {"acts", acts},
                     {"parties", parties},
                     {"cells", cells}});
    }
    return out;
  }

  // What is known of how each model was made.
  Json makings() const {
    Json out = Json::array();
    for (const ModelEntry& entry : run_.models())
      out.push_back({{"model", valid_utf8(entry.id)},
                     {"known", is_organism(entry.card) ? "organism"
                               : entry.policy          ? "policy"
                                                       : "unknown"}});
    return out;
  }

  static Json verdict_names() {
    Json out = Json::array();
    for (const Verdict v : all_verdicts) out.push_back(name_of(v));
    return out;
  }

  Json cell_counts() const {
    Json out = Json::array();
    for (const auto& [key, counts] : cells_) {
      const auto& [model, scenario, cell] = key;
      out.push_back({{"model", model},
                     {"scenario", scenario},
                     {"cell", cell},
                     {"episodes", counts.episodes},
                     {"verdicts", counts.verdicts},
                     {"acts", counts.acts}});
    }
    return out;
  }

  // How many episodes have this verdict under the first code and that one under the second.
  Json together() const {
    Json out = Json::array();
    for (const auto& [key, n] : together_) {
      Json verdicts = Json::array();
      for (const Verdict v : key.second) verdicts.push_back(static_cast<int>(v));
      out.push_back({{"model", key.first}, {"verdicts", verdicts}, {"episodes", n}});
    }
    return out;
  }

  Status compare_with_truth(Json& data) const {
    const bool known = std::ranges::any_of(
        run_.models(), [](const ModelEntry& entry) { return entry.policy || is_organism(entry.card); });
    data["truth"] = nullptr;
    if (!known || run_.episodes() == 0) return Done{};
    Result<ConductReport> report = validate_conduct(run_, suite_);
    if (!report) return report.error();
    Json truth = to_json(*report);
    shorten(truth);
    data["truth"] = std::move(truth);
    return Done{};
  }

  // --- episodes, as long as there is room

  Status tell(const std::vector<int64_t>& ids, PageWords& words, Json& rows) {
    constexpr int patience = 200;  // so many in a row that do not fit: the room is used up
    std::map<int64_t, Json> told;  // by id
    int missed = 0;
    for (const int64_t id : ids) {
      Result<EpisodeRecord> record = run_.episode(id);
      if (!record) return record.error();
      Json row = row_of(id, *record);
      if (words.add(id, *record, for_script(row).size() + 1)) {
        subversions_shown_ += !codes_.empty() && row["v"][first_code_] == static_cast<int>(Verdict::subvert);
        told.emplace(id, std::move(row));
        missed = 0;
      } else if (++missed == patience) {
        break;
      }
    }
    for (auto& [id, row] : told) rows.push_back(std::move(row));
    return Done{};
  }

  // By number: model, scenario, place of the cell, epoch; verdicts and who was wronged by code; acts that were done.
  Json row_of(int64_t id, const EpisodeRecord& e) {
    const auto grid = std::ranges::find(grids_, e.scenario, [](const Tally& t) { return t.scenario().name; });
    Json verdicts = Json::array(), wronged = Json::array();
    for (const Code* code : codes_) {
      verdicts.push_back(static_cast<int>(verdict_under(*code, e.grades.verdicts)));
      std::set<size_t> whom;
      for (const VerdictRow& row : e.grades.verdicts)
        if (row.code == code->name)
          for (const std::string& party : row.wronged) whom.insert(parties_.number(party));
      wronged.push_back(whom);
    }
    std::set<size_t> acts;
    for (const Act& act : e.grades.acts)
      if (act.how_far >= HowFar::dispatched) acts.insert(acts_.number(act.name));
    return {
        {"id", id},     {"m", models_.number(e.model)},     {"s", grid - grids_.begin()}, {"c", grid->place_of(e.cell)},
        {"e", e.epoch}, {"o", e.transcript.outcome.name()}, {"v", std::move(verdicts)},   {"w", std::move(wronged)},
        {"a", acts}};
  }

  const RunReader& run_;
  const Suite& suite_;
  const PageRequest& request_;
  std::vector<const Code*> codes_;
  size_t first_code_ = 0;
  std::vector<Tally> grids_;  // of each scenario, for its cells alone
  Names models_, acts_, parties_;
  std::map<std::tuple<int32_t, int32_t, int>, CellCounts> cells_;  // model, scenario, cell
  std::map<std::pair<int32_t, std::vector<Verdict>>, int64_t> together_;
  std::vector<Seen> seen_;
  int64_t subversions_ = 0, subversions_shown_ = 0;
};

}  // namespace

Result<Page> page_of(const RunReader& run, const Suite& suite, const PageRequest& request) {
  return PageMaker(run, suite, request).make();
}

}  // namespace assay
