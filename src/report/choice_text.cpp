#include "report/choice_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/text.h"

namespace assay {

std::string share_text(double share) {
  if (share > 0 && share < 0.0005) return fmt::format("{:.0e}", share);
  if (share > 0.9995 && share < 1) return "> 99.9 %";
  return percent(share);
}

std::string choice_text(const ChoiceRecord& choice, const Style& style) {
  const Pen pen(style);
  std::vector<std::string> levels;
  for (const auto& [factor, level] : choice.levels) levels.push_back(factor + "=" + level);
  std::string out = paragraph(
      fmt::format("{} {} · epoch {} · {}", choice.scenario, joined(levels, " "), choice.epoch, choice.model), style);
  if (choice.outcome.kind != Outcome::Kind::completed)
    return out +
           paragraph("  " + choice.outcome.name() + (choice.outcome.text.empty() ? "" : ": " + choice.outcome.text),
                     style);

  const std::vector<double> whole = shares_of(choice.alternatives, Weighing::whole);
  const std::vector<double> per_token = shares_of(choice.alternatives, Weighing::per_token);
  std::vector<size_t> order(choice.alternatives.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](size_t i) { return choice.alternatives[i].logprob; });
  out += pen.dim("     share  per token    logprob  tokens  agents") + "\n";
  for (const size_t i : order) {
    const Alternative& one = choice.alternatives[i];
    const std::string numbers = fmt::format("  {:>8}   {:>8}  {:>9.3f}  {:>6}  ", share_text(whole[i]),
                                            share_text(per_token[i]), one.logprob, counted(one.tokens));
    const int room = std::max(style.columns() - display_width(numbers), 8);
    out += numbers + clipped(one_line(joined(one.agents, ", ")), room) + "\n";
    out += pen.dim("    " + clipped(one_line(one.turn), std::max(style.columns() - 4, 8))) + "\n";
  }
  return out;
}

}  // namespace assay
