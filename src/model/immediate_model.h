// A model that needs no time to answer: policies, scripts, replays. One function is left to write.
#pragma once

#include <utility>
#include <vector>

#include "model/model.h"

namespace assay {

class ImmediateModel : public Model {
 public:
  void submit(Request request, OnDone on_done) final { waiting_.emplace_back(request, std::move(on_done)); }

  // What a callback submits in turn waits for the next call, so that one call ends.
  void poll(std::chrono::milliseconds) final {
    std::vector<std::pair<Request, OnDone>> now;
    now.swap(waiting_);
    for (auto& [request, on_done] : now) on_done(answer(request));
  }

 private:
  virtual Result<Reply> answer(const Request& request) = 0;
  std::vector<std::pair<Request, OnDone>> waiting_;
};

}  // namespace assay
