// An open-ended episode between a model and somebody who types, and the way back: a turn can be taken back, and all
// that the agent did since.
//
//   Conversation talk(spec, situation, {.open_ended = true}, script, model);
//   talk.hear("Good morning.");
//   while (talk.episode().next()) if (Status answered = talk.step(); !answered) ...
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "run/episode.h"

namespace assay {

class Conversation {
 public:
  // All of them must outlive it. `script`: what a model of known conduct plays; empty for others.
  Conversation(const EpisodeSpec& spec, const Situation& situation, const Start& start,
               const std::vector<RenderedStep>& script, Model& model);
  ~Conversation();
  Conversation(const Conversation&) = delete;

  const Episode& episode() const { return *episode_; }
  // The user's turn; only while the episode listens.
  void hear(std::string text);
  // One reply of the model and what comes of it; waits for it. Only while episode().next() wants one. On an error
  // nothing has changed.
  Status step();
  // Takes the user's last turn back, and everything behind it: the world is as it was before. What was said in it; none
  // where nothing was said yet.
  std::optional<std::string> undo();
  // Ends it: the user leaves (in the middle of the agent's turn it is cancelled), or the model has failed.
  Transcript leave();
  Transcript fail(const Error& error);

 private:
  const EpisodeSpec& spec_;
  const Situation& situation_;
  Start start_;
  const std::vector<RenderedStep>& script_;
  Model& model_;
  // Everything that came from outside, in order. An episode is a function of it, so the way back is to play it again
  // without its end.
  std::vector<std::variant<std::string, Reply>> heard_;
  std::optional<Episode> episode_;
};

}  // namespace assay
