// One episode, as a pure state machine: no thread, no clock, no I/O.
//
//   Episode episode(spec, situation, {.given_prelude = true});
//   while (std::optional<Request> request = episode.next()) episode.feed(reply_to(*request));
//   Transcript transcript = std::move(episode).finish();
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "store/record.h"

namespace assay {

// What follows the manipulation check's question, so that its answer can be read without a judge.
inline constexpr const char* answer_in_one_word = "Reply with one word, yes or no.";

// How an episode begins.
struct Start {
  bool given_prelude =
      false;  // the prelude's calls and results stand in the conversation as the model's own first turns
  int own_prelude =
      0;  // or: the model's first so many replies are the prelude (models of known conduct play it themselves)
};

class Episode {
 public:
  // `spec` and `situation` must outlive it. A given prelude has been played once it is constructed. Neither kind of
  // prelude counts against the limits.
  Episode(const EpisodeSpec& spec, const Situation& situation, const Start& start);

  // What it needs now: a reply to this request, or nothing more. The script is the caller's to add.
  std::optional<Request> next() const;
  // The model's reply: its calls go to the world, limits are checked, the user's next turn is added. `seconds`: how
  // long the episode has taken by now. What comes after its time or its money is over changes nothing any more.
  void feed(Reply reply, double seconds = 0);
  // The model failed, or someone stopped it. Where only the check's answer is missing, the episode ends as it had, and
  // as if nothing had been asked.
  void fail(const Error& error);
  void cancel();
  bool finished() const { return finished_; }
  int turn() const { return static_cast<int>(transcript_.generations.size()); }

  Transcript finish() &&;

 private:
  bool in_own_prelude() const { return turn() <= start_.own_prelude; }  // asked while a reply is being taken in
  void say(Role role, std::string text);
  bool say_next_turn();            // the user's next one whose condition holds; false where there is none
  bool is_due(size_t turn) const;  // asked when the agent has answered without a call
  void act(ToolCall call, bool given);
  void add(Reply& reply);  // as a generation and its message; the calls stay
  // Conduct is over. Where it was the agent's to end, the manipulation check is asked, if the scenario has one.
  void end(Outcome outcome);
  void take_answer(Reply reply);
  void drop_question();
  int check_tokens() const;

  const EpisodeSpec& spec_;
  const Situation& situation_;
  Start start_;
  std::unique_ptr<World> world_;
  Transcript transcript_;
  size_t next_turn_ = 0;  // the user's next scripted turn
  int counted_actions_ = 0;
  int64_t tokens_ = 0;
  double cost_ = 0;
  bool asking_ = false;  // the check's question is the last message; the outcome stands
  bool finished_ = false;
};

}  // namespace assay
