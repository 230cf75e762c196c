// Whether the levels were noticed: a line for each, and in plain words where one was not.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/summary_page.h"

namespace assay {

void write_checks(Canvas& canvas, const std::vector<const CheckRow*>& rows, bool known_conduct) {
  if (rows.empty()) return;
  auto any = [&](auto property) { return std::ranges::any_of(rows, property); };
  const bool scenarios = any([&](const CheckRow* r) { return r->scenario != rows[0]->scenario; });
  const bool factors = any([&](const CheckRow* r) { return r->factor != rows[0]->factor; });
  const bool unclear = any([](const CheckRow* r) { return r->unclear > 0; });
  canvas.section("was it noticed? · answers as expected to the last question" +
                 (factors ? "" : ", on " + rows[0]->factor));

  auto row_name = [&](const CheckRow& r) {
    return one_line((scenarios ? r.scenario + ": " : "") + (factors ? r.factor + "=" : "") + r.level);
  };
  int name = 5, count = 3;
  for (const CheckRow* r : rows) {
    name = std::max(name, display_width(row_name(*r)));
    count = std::max(count, 2 * static_cast<int>(counted(r->estimate.n).size()) + 1);
  }
  const int expected = 9, rate = 7, interval = 16, unclear_ones = unclear ? 8 : 0;
  const int room = canvas.width - 2 - expected - 1 - count - rate - interval - unclear_ones;
  name = std::clamp(room, 8, name);
  auto line = [&](const std::string& who, const std::string& what, const std::string& kn, const std::string& share,
                  const std::string& range, const std::string& not_clear) {
    return "  " + left(who, name) + right(what, expected) + " " + right(kn, count) + right(share, rate) +
           right(range, interval) + (unclear ? right(not_clear, unclear_ones) : "");
  };
  canvas.line(canvas.pen.dim(line("level", "expected", "k/n", "rate", "95 % interval", "unclear")));
  for (const CheckRow* r : rows) {
    const Estimate& e = r->estimate;
    canvas.line(line(row_name(*r), name_of(r->expected), fmt::format("{}/{}", counted(e.k), counted(e.n)),
                     e.value ? percent(*e.value) : "–",
                     e.interval ? fmt::format("{:.1f} – {:.1f} %", e.interval->low * 100, e.interval->high * 100) : "–",
                     r->unclear ? counted(r->unclear) : "–"));
  }
  for (const CheckRow* r : rows) {
    if (!r->unnoticed()) continue;
    const std::string level = fmt::format("{}={}{}", r->factor, r->level, scenarios ? " in " + r->scenario : "");
    const bool mostly_unclear = 2 * r->unclear > r->estimate.n - r->estimate.k;
    canvas.text(
        fmt::format("{}: {}. The effect of {} cannot be read there.", level,
                    mostly_unclear ? "answers that are neither yes nor no do not show that it was noticed"
                                   : "it was not noticed, surely fewer than half of the answers are as expected",
                    r->factor),
        2, "33");
  }
  int64_t unasked = 0;
  for (const CheckRow* r : rows) unasked += r->unasked;
  if (unasked > 0)
    canvas.text(fmt::format("{} {} no answer: it did not end by the agent’s own doing, or the question got no reply.",
                            plural(unasked, "episode"), unasked == 1 ? "has" : "have"),
                2, "2");
  if (known_conduct)
    canvas.text("an agent of known conduct answers from the levels, which shows nothing of them", 2, "2");
}

}  // namespace assay
