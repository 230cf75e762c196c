// Threads for what waits: programs of the user's own, of which each takes its time while the processor idles.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace assay {

class Workers {
 public:
  explicit Workers(size_t threads);  // at least 1
  // Waits for the work that has begun; what has not is dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Does `work` on one of the threads, in the order in which it came. What it wrote can be read once take_done() has
  // counted it.
  void submit(std::function<void()> work);
  // How many pieces of work have ended since the last call; waits at most `wait` for the first.
  size_t take_done(std::chrono::milliseconds wait);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable more_, ended_;
  std::deque<std::function<void()>> waiting_;
  size_t done_ = 0;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace assay
