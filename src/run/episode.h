// One episode, as a pure state machine: no thread, no clock, no I/O.
//
//   Episode episode(spec, situation);
//   while (const std::vector<Message>* conversation = episode.next()) episode.feed(model(*conversation));
//   Transcript t = std::move(episode).finish();
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "store/record.h"

namespace assay {

class Episode {
 public:
  // `spec` and `situation` must outlive it. A given prelude has already been played when it is constructed.
  Episode(const EpisodeSpec& spec, const Situation& situation);

  // What it needs now: a reply to this request, or nothing more. The script is the caller's to add.
  std::optional<Request> next() const;
  // The model's reply: its calls go to the world, limits are checked, the user's next turn is added.
  void feed(Reply reply);
  // The model failed, or someone stopped it.
  void fail(const Error& error);
  void cancel();
  bool finished() const { return finished_; }
  int turn() const { return static_cast<int>(transcript_.generations.size()); }

  Transcript finish() &&;

 private:
  void act(const ToolCall& call, bool given);
  void end(Outcome outcome);
  const EpisodeSpec& spec_;
  const Situation& situation_;
  std::unique_ptr<World> world_;
  Transcript transcript_;
  size_t next_turn_ = 0;   // the user's next scripted turn
  int actions_ = 0, calls_made_ = 0;
  int64_t tokens_ = 0;
  bool finished_ = false;
};

}  // namespace assay
