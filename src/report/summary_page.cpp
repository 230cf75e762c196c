// What every block of a summary's page is written with.
#include "report/summary_page.h"

#include <fmt/format.h>

#include "base/text.h"

namespace assay {

void Canvas::text(std::string_view words, int indent, const char* sgr) {
  for (const std::string& row : wrapped(one_line(words), width - indent))
    out_ += std::string(static_cast<size_t>(indent), ' ') + (*sgr ? pen.in(sgr, row) : row) + "\n";
}

void Canvas::section(std::string_view title) {
  out_ += "\n";
  for (const std::string& row : wrapped(one_line(title), width)) out_ += pen.bold(row) + "\n";
}

void Canvas::line(std::string_view dressed) { (out_ += dressed) += "\n"; }

std::string short_name(const OutcomeName& o) { return o.kind == OutcomeName::Kind::act ? o.act : name_of(o.verdict); }

std::string change_name(const Change& c) { return fmt::format("{}: {} − {}", c.factor, c.level, c.base); }

std::string p_text(const std::optional<double>& p) {
  if (!p) return "–";
  return *p < 0.001 ? "<.001" : *p > 0.9995 ? "1" : fmt::format("{:.3f}", *p).substr(1);
}

std::string points_range(const std::optional<Interval>& i) {
  return i ? points(i->low) + " … " + points(i->high) : "–";
}

bool holds(const Interval& i, double value) { return i.low - 1e-9 <= value && value <= i.high + 1e-9; }

std::string missed(const Canvas& canvas, const std::optional<double>& planted,
                   const std::optional<Interval>& interval) {
  return planted && interval && !holds(*interval, *planted) ? canvas.pen.yellow("!") : "";
}

}  // namespace assay
