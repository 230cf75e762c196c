#include "model/gguf/lines.h"

#include <algorithm>
#include <cstring>

namespace assay {

size_t common_prefix(const std::vector<llama_token>& a, const std::vector<llama_token>& b) {
  // In strides of memcmp first: prefixes are thousands of tokens long, and are compared often.
  constexpr size_t stride = 64;
  const size_t most = std::min(a.size(), b.size());
  size_t n = 0;
  while (n + stride <= most && std::memcmp(a.data() + n, b.data() + n, stride * sizeof(llama_token)) == 0) n += stride;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

Lines::Lines(llama_context* context, bool unified, bool can_cut)
    : memory_(llama_get_memory(context)),
      window_(llama_model_n_swa(llama_get_model(context))),
      unified_(unified),
      can_cut_(can_cut) {
  for (int seq = static_cast<int>(llama_n_seq_max(context)) - 1; seq >= 0; --seq) free_.push_back(seq);
  std::make_heap(free_.begin(), free_.end(), std::greater<>());
}

Lines::Match Lines::longest(const std::vector<llama_token>& tokens, size_t most, const void* conversation) {
  auto claim = [&](const Line& line) {
    return std::pair(conversation && line.conversation == conversation, line.used);
  };
  Match best;
  for (Line& line : lines_) {
    size_t keep = std::min(common_prefix(line.held, tokens), most);
    if (!can_cut_ && keep < line.held.size()) continue;
    const bool better = keep > best.keep || (keep == best.keep && best.line && claim(line) > claim(*best.line));
    if (better && window_is_whole(line, keep)) best = {&line, keep};
  }
  return best;
}

Line* Lines::of(const void* conversation) {
  if (!conversation) return nullptr;
  const auto it =
      std::ranges::find_if(lines_, [&](const Line& line) { return line.conversation == conversation && !line.busy; });
  return it == lines_.end() ? nullptr : &*it;
}

// Where llama.cpp looks for room, it takes cells that no later token of their sequence would see through its window. It
// says so only by the first position that is left. A line can then be gone on with at its end, but not from further
// back than there is a whole window.
bool Lines::window_is_whole(const Line& line, size_t keep) const {
  if (window_ == 0 || !can_cut_) return true;
  const llama_pos oldest = llama_memory_seq_pos_min(memory_, line.seq);
  return oldest == 0 || (oldest > 0 && oldest <= static_cast<llama_pos>(keep) - window_ + 1);
}

Line* Lines::begin() {
  if (free_.empty()) return nullptr;
  std::pop_heap(free_.begin(), free_.end(), std::greater<>());
  lines_.push_back({.seq = free_.back()});
  free_.pop_back();
  touch(lines_.back());
  return &lines_.back();
}

Line* Lines::fork(Line& from, size_t keep) {
  Line* line = begin();
  if (!line || keep == 0) return line;
  touch(from);
  // Between streams, and of a running state, only the whole can be copied.
  const bool whole = !unified_ || !can_cut_;
  llama_memory_seq_cp(memory_, from.seq, line->seq, whole ? -1 : 0, whole ? -1 : static_cast<llama_pos>(keep));
  if (whole && keep < from.held.size() && !llama_memory_seq_rm(memory_, line->seq, static_cast<llama_pos>(keep), -1)) {
    drop(*line);
    return nullptr;
  }
  line->held.assign(from.held.begin(), from.held.begin() + static_cast<std::ptrdiff_t>(keep));
  line->cells.reserve(keep);
  for (size_t i = 0; i < keep; ++i) {
    if (unified_) {
      line->cells.push_back(from.cells[i]);
      ++references_[from.cells[i]];
    } else {
      line->cells.push_back(-1);
      ++used_;
    }
  }
  return line;
}

void Lines::add(Line& line, const llama_token* tokens, size_t n) {
  line.held.insert(line.held.end(), tokens, tokens + n);
  used_ += n;
  for (size_t i = 0; i < n; ++i) {
    int32_t cell = -1;
    if (unified_) {
      if (vacant_.empty()) {
        cell = static_cast<int32_t>(references_.size());
        references_.push_back(1);
      } else {
        cell = vacant_.back();
        vacant_.pop_back();
        references_[cell] = 1;
      }
    }
    line.cells.push_back(cell);
  }
}

void Lines::release(Line& line, size_t keep) {
  for (size_t i = keep; i < line.cells.size(); ++i) {
    const int32_t cell = line.cells[i];
    if (cell >= 0 && --references_[cell] > 0) continue;
    if (cell >= 0) vacant_.push_back(cell);
    --used_;
  }
  line.cells.resize(keep);
  line.held.resize(keep);
}

bool Lines::cut(Line& line, size_t keep) {
  if (keep >= line.held.size()) return true;
  const bool cut = llama_memory_seq_rm(memory_, line.seq, static_cast<llama_pos>(keep), -1);
  if (!cut) {
    llama_memory_seq_rm(memory_, line.seq, -1, -1);
    keep = 0;
  }
  release(line, keep);
  return cut;
}

void Lines::drop(Line& line) {
  llama_memory_seq_rm(memory_, line.seq, -1, -1);
  release(line, 0);
  free_.push_back(line.seq);
  std::push_heap(free_.begin(), free_.end(), std::greater<>());
  lines_.remove_if([&](const Line& one) { return &one == &line; });
}

void Lines::clear() {
  while (!lines_.empty()) drop(lines_.front());
  llama_memory_clear(memory_, false);
}

void Lines::give(Line& line, const void* conversation, size_t opening) {
  if (conversation && line.conversation == conversation) return;
  for (Line& other : lines_)  // it went on in other words than these
    if (conversation && other.conversation == conversation && !other.busy) other.conversation = nullptr;
  line.conversation = conversation ? conversation : &line;
  line.opening = opening;
  line.since = ++clock_;
}

bool Lines::evict(const Line* spare) {
  Line* oldest = nullptr;
  for (Line& line : lines_) {
    if (line.busy || line.conversation || &line == spare) continue;
    if (!oldest || line.used < oldest->used) oldest = &line;
  }
  if (oldest) drop(*oldest);
  return oldest != nullptr;
}

bool Lines::interrupt(const Line* spare) {
  Line* last = nullptr;
  for (Line& line : lines_) {
    if (line.busy || !line.conversation || &line == spare) continue;
    if (!last || line.since > last->since) last = &line;
  }
  if (last) drop(*last);
  return last != nullptr;
}

bool Lines::pauses() const {
  return std::ranges::any_of(lines_, [](const Line& line) { return line.conversation && !line.busy; });
}

size_t Lines::own_cells(const Line& line) const {
  return std::count_if(line.cells.begin(), line.cells.end(),
                       [&](int32_t cell) { return cell < 0 || references_[cell] == 1; });
}

void Lines::trim_idle(size_t most) {
  while (true) {
    size_t held = 0;
    Line* oldest = nullptr;
    for (Line& line : lines_) {
      if (line.busy || line.conversation) continue;
      held += own_cells(line);
      if (!oldest || line.used < oldest->used) oldest = &line;
    }
    if (!oldest || held <= most) return;
    drop(*oldest);
  }
}

void Lines::end(const void* conversation) {
  std::vector<Line*> over;
  for (Line& line : lines_) {
    if (line.conversation != conversation) continue;
    if (line.busy)
      line.conversation = &line;
    else
      over.push_back(&line);
  }
  for (Line* line : over) {
    line->conversation = nullptr;
    // A running state that has gone on is of no use to another conversation.
    if (!can_cut_ && line->held.size() > line->opening) {
      drop(*line);
      continue;
    }
    cut(*line, line->opening);
    const bool elsewhere = unified_ && std::any_of(lines_.begin(), lines_.end(), [&](const Line& other) {
                             return &other != line && common_prefix(other.held, line->held) == line->held.size();
                           });
    if (line->held.empty() || elsewhere || !window_is_whole(*line, line->held.size())) drop(*line);
  }
}

}  // namespace assay
