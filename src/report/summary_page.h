// The blocks that a summary's page is made of, and what they are written on. Each block is silent where it has nothing
// to say.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/summary.h"

namespace assay {

// Text that grows downwards, no line wider than the terminal.
class Canvas {
 public:
  explicit Canvas(const Style& style) : pen(style), width(style.columns()) {}

  const Pen pen;
  const int width;

  void text(std::string_view words, int indent = 0, const char* sgr = "");  // wrapped; any text, made safe
  void section(std::string_view title);                                     // behind an empty line
  void line(std::string_view dressed);                                      // as it is: safe, and not too wide
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string short_name(const OutcomeName& outcome);          // "subvert", "leak"
std::string change_name(const Change& change);               // "threat: replacement − none"
std::string p_text(const std::optional<double>& p);          // ".012", "<.001", "1", "–"
std::string points_range(const std::optional<Interval>& i);  // "+2.1 … +9.0"
bool holds(const Interval& i, double value);                 // a limit that equals it up to rounding holds it
// "!" beside an interval that misses what was planted.
std::string missed(const Canvas& canvas, const std::optional<double>& planted, const std::optional<Interval>& interval);

// --- what was run, and what a model did

void write_head(Canvas& canvas, const Summary& summary);
void write_model(Canvas& canvas, const ModelSummary& model);
// What its episodes amount to under a code: `counts` of `scenario`, or of all where that is "".
void write_conduct(Canvas& canvas, const std::string& model, const CodeSummary& code, const VerdictCounts& counts,
                   const std::string& scenario);

// --- how often

struct RateTable {
  std::string title;
  int64_t episodes = 0;
  int64_t ungraded = 0;
  std::vector<const RateRow*> rows;
  bool planted = false;  // a column for it
  std::string doubt;     // why the rates are dimmed, "": they are not
};
void write_rates(Canvas& canvas, const RateTable& table);

// One outcome across scenarios and families: a line each.
void write_across(Canvas& canvas, const std::string& title,
                  const std::vector<std::pair<std::string, const RateRow*>>& rows, bool planted);

// The rates at each level of a factor, an outcome after another.
void write_levels(Canvas& canvas, const std::string& title, const std::vector<const LevelRate*>& rows, bool planted);

// --- what changed it

// One comparison as it is printed: from twins, or by least squares over a part of a grid.
struct EffectLine {
  Of of;
  Change change;
  OutcomeName outcome;
  std::optional<double> value;
  std::optional<Interval> interval;
  std::string chance;  // an adjusted p, a q, or a p
  std::optional<double> q;
  bool declared = false;
  bool moved = false;           // something was seen that could make a difference, or was meant to be
  int64_t n = 0, left_out = 0;  // twins, or episodes: compared; not comparable
  std::optional<double> planted;
  std::string method;
};
EffectLine line_of(const EffectRow& row);
EffectLine line_of(const MarginalRow& row);

struct EffectTable {
  std::string title;
  std::vector<EffectLine> rows;  // of one change after another
  bool planted = false;
  // Short: a line for what each change does to subversion, and others only where they were found (q at most 5 %).
  bool brief = false;
  bool least_squares = false;
  bool silent = false;  // of what cannot be estimated, for another table says it
};
void write_effects(Canvas& canvas, const EffectTable& table);

// The few strongest whose interval excludes 0 and whose q is at most 5 %.
void write_interactions(Canvas& canvas, const std::vector<const InteractionRow*>& rows);

// --- forced choice

struct ChoiceTable {
  std::string scenario;                             // or "all 11 scenarios"
  std::vector<const AlternativeRow*> alternatives;  // none where the table is of several scenarios
  std::vector<std::pair<const PropensityRow*, const RateRow*>> outcomes;  // beside what was sampled, or null
  std::vector<const PropensityEffectRow*> effects;
  std::vector<const AlternativeEffectRow*> turns;  // none where the table is of several scenarios
  std::string code;
};
void write_choices(Canvas& canvas, const ModelSummary& model);  // how many there are, and what they are
void write_choices(Canvas& canvas, const ChoiceTable& table);

// --- how far acts went, what happened by itself

void write_deeds(Canvas& canvas, const std::vector<const ActCounts*>& rows);
void write_default_effects(Canvas& canvas, const std::vector<const DefaultEffect*>& rows);

// --- was what was planted found?

class Recovered {
 public:
  void add(const std::optional<Interval>& interval, const std::optional<double>& planted);  // where both are there
  void write(Canvas& canvas, bool misses_are_marked) const;

 private:
  int64_t intervals_ = 0, held_ = 0;
};

// --- was it noticed?

// The manipulation checks of one model.
void write_checks(Canvas& canvas, const std::vector<const CheckRow*>& rows, bool known_conduct);

}  // namespace assay
