// What a person types, or a file or a pipe holds in that person's place: one line after another from standard input.
#pragma once

#include <atomic>
#include <string>

namespace assay {

inline constexpr size_t longest_typed = 64 << 10;  // bytes of a line

// To be called before anything is opened. Where standard input is closed, the next file would take its number and be
// read as what somebody typed; it becomes an empty one.
void hold_standard_input();

class Typed {
 public:
  // `stop`: set by a signal (interrupt.h); then there is no next line.
  explicit Typed(const std::atomic<bool>& stop) : stop_(stop) {}
  bool at_terminal() const;  // a person sits there

  enum class Kind { line, too_long, end };
  // The next line without its newline, in valid UTF-8. Of one that is too long nothing is kept.
  Kind next(std::string& line);

 private:
  bool wait();  // until there is something to read; false: no more is wanted

  const std::atomic<bool>& stop_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace assay
