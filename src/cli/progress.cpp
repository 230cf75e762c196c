#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace assay {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRedraw{100};   // on a terminal
constexpr milliseconds kLine{10'000};  // in a log

RunProgress sum(const RunProgress& a, const RunProgress& b) {
  return {.done = a.done + b.done,
          .total = a.total + b.total,
          .errors = a.errors + b.errors,
          .open = b.open,
          .turns = a.turns + b.turns,
          .tokens = a.tokens + b.tokens,
          .prompt_tokens = a.prompt_tokens + b.prompt_tokens,
          .cached_tokens = a.cached_tokens + b.cached_tokens};
}

}  // namespace

Progress::Progress(Output& out, int64_t total, bool quiet, bool weighs)
    : out_(out),
      total_(total),
      quiet_(quiet),
      weighs_(weighs),
      start_(steady_clock::now()),
      shown_(out.errors_to_terminal() ? start_ - kRedraw : start_) {}

Progress::~Progress() { clear(); }

double Progress::seconds() const { return duration<double>(steady_clock::now() - start_).count(); }

void Progress::show(const RunProgress& now) {
  if (quiet_) return;
  auto time = steady_clock::now();
  bool terminal = out_.errors_to_terminal();
  if (time - shown_ < (terminal ? kRedraw : kLine)) return;
  shown_ = time;
  RunProgress all = sum(before_, now);
  if (terminal) {
    out_.note("\r\x1b[K" + line(all));
    bar_shown_ = true;
  } else {
    out_.note(line(all) + "\n");
  }
}

void Progress::finished(const RunProgress& model) { before_ = sum(before_, model); }

void Progress::note(const std::string& text) {
  clear();
  out_.note(text + "\n");
}

void Progress::clear() {
  if (bar_shown_) out_.note("\r\x1b[K");
  bar_shown_ = false;
}

// Fits 60 columns: "████████▌       1,234/4,800  257/s  0:14 left  0 errors"; what is left over goes to the bar.
std::string Progress::line(const RunProgress& all) const {
  double elapsed = seconds();
  double speed = elapsed > 0 ? static_cast<double>(all.done) / elapsed : 0;
  std::string text = fmt::format("{}/{}", counted(all.done), counted(total_));
  if (speed >= 1)
    text += fmt::format("  {}/s", counted(std::llround(speed)));
  else if (all.done > 0)
    text += fmt::format("  {:.1f} s each", 1 / speed);
  if (all.done > 0 && all.done < total_)
    text += fmt::format("  {} left", clock_text(static_cast<double>(total_ - all.done) / speed));
  if (all.errors > 0) text += "  " + plural(all.errors, "error");

  Style style = out_.error_style();
  int room = (out_.errors_to_terminal() ? std::min(style.width - 1, 100) : 79) - display_width(text);
  std::string more =
      fmt::format("  {}, {}", weighs_ ? plural(all.turns, "turn") : plural(all.turns, "reply", "replies"),
                  plural(all.tokens, "token"));
  if (all.turns > 0 && room - display_width(more) >= 14) {
    text += more;
    room -= display_width(more);
  }
  double fraction = total_ > 0 ? static_cast<double>(all.done) / static_cast<double>(total_) : 1;
  if (!out_.errors_to_terminal()) return text;
  int columns = std::clamp(room - 2, 0, 30);
  return columns < 6 ? clipped(text, std::max(style.width - 1, 1))
                     : Pen(style).green(bar(fraction, columns)) + "  " + text;
}

std::string clock_text(double seconds) {
  auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace assay
