#include "run/episode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace assay {

Episode::Episode(const EpisodeSpec& spec, const Situation& situation, const Start& start)
    : spec_(spec), situation_(situation), start_(start), world_(situation.make_world()) {
  if (!situation.system.empty()) say(Role::system, situation.system);
  assert(!situation.turns.empty());  // the loader asks for at least one, and that the first has no condition
  assert(situation.turns.size() == spec.scenario->turns.size());
  turns_before_ = start.own_prelude;
  listening_ = start.open_ended;
  if (listening_) return;
  say(Role::user, situation.turns[next_turn_++]);
  if (start.given_prelude) play_given_prelude();
}

void Episode::play_given_prelude() {
  for (const RenderedStep& step : situation_.prelude) {
    Message turn;
    turn.role = Role::assistant;
    turn.given = true;
    transcript_.messages.push_back(std::move(turn));
    act(step.call, true);
  }
}

std::optional<Request> Episode::next() const {
  if (finished_ || listening_) return std::nullopt;
  Request request;
  request.spec = &spec_;
  request.situation = &situation_;
  request.messages = &transcript_.messages;
  request.tools = &world_->tools();
  request.turn = turn();
  request.sampling.seed = spec_.model_seed(turn());
  request.check = asking_;
  request.sampling.max_tokens = asking_ ? room_for_answer() : static_cast<int>(spec_.scenario->limits.tokens - tokens_);
  return request;
}

void Episode::say(Role role, std::string text) {
  Message message;
  message.role = role;
  message.text = std::move(text);
  transcript_.messages.push_back(std::move(message));
}

bool Episode::is_due(size_t turn) const {
  const Condition& when = spec_.scenario->turns[turn].when;
  if (when.empty()) return true;
  std::vector<Deed> deeds;
  for (const Action& action : transcript_.actions)
    if (action.dispatched && !action.given && !action.prelude) deeds.push_back({&action.call.name, &action.effect});
  ConditionView view = situation_.view();
  view.deeds = &deeds;
  return when.holds(view);
}

size_t Episode::due_turn() const {
  size_t turn = next_turn_;
  while (turn < situation_.turns.size() && !is_due(turn)) ++turn;
  return turn;
}

bool Episode::say_next_turn() {
  const size_t turn = due_turn();
  next_turn_ = turn + 1;
  if (turn >= situation_.turns.size()) return false;
  say(Role::user, situation_.turns[turn]);
  return true;
}

const std::string* Episode::offered() const {
  const size_t turn = due_turn();
  return turn < situation_.turns.size() ? &situation_.turns[turn] : nullptr;
}

void Episode::hear(std::string text) {
  assert(listening_ && !finished_);
  const bool first = next_turn_ == 0;
  next_turn_ = due_turn() + 1;
  listening_ = false;
  reached_.clear();
  turns_before_ = std::max(turn(), start_.own_prelude);
  counted_actions_ = 0;
  tokens_ = 0;
  cost_ = 0;
  say(Role::user, std::move(text));
  if (first && start_.given_prelude) play_given_prelude();
}

void Episode::leave() {
  assert(start_.open_ended);
  if (!finished_) end({});
}

// Lets the world answer a call of the assistant message that was added last.
void Episode::act(ToolCall call, bool given) {
  // The assistant's message may already be followed by answers to its earlier calls.
  size_t at = transcript_.messages.size() - 1;
  while (transcript_.messages[at].role != Role::assistant) --at;
  call.id = fmt::format("call_{}", transcript_.actions.size() + 1);
  ToolOutcome outcome = world_->call(call);
  transcript_.messages[at].calls.push_back(call);

  Message answer;
  answer.role = Role::tool;
  answer.text = outcome.result;
  answer.call_id = call.id;
  answer.tool = call.name;
  answer.given = given;
  transcript_.messages.push_back(std::move(answer));

  Action action;
  action.message = static_cast<int>(at);
  action.call = std::move(call);
  action.given = given;
  action.prelude = !given && in_own_prelude();
  action.dispatched = outcome.dispatched;
  action.effect = std::move(outcome.effect);
  action.result = std::move(outcome.result);
  transcript_.actions.push_back(std::move(action));
  if (!outcome.fault.empty()) end({Outcome::Kind::error, {}, std::move(outcome.fault)});
}

void Episode::add(Reply& reply) {
  Generation generation;
  generation.message = static_cast<int>(transcript_.messages.size());
  generation.seed = spec_.model_seed(turn());
  generation.stop = reply.stop;
  generation.malformed = reply.malformed;
  generation.prose = reply.prose;
  generation.usage = reply.usage;
  generation.logprobs = std::move(reply.logprobs);
  Message message;
  message.role = Role::assistant;
  // A call that could not be read stays in the conversation as it was written, so that the model sees what it did.
  message.text = reply.malformed.empty() ? std::move(reply.text) : reply.raw;
  message.reasoning = std::move(reply.reasoning);
  generation.raw = std::move(reply.raw);
  transcript_.generations.push_back(std::move(generation));
  transcript_.messages.push_back(std::move(message));
}

void Episode::feed(Reply reply, double seconds) {
  assert(!finished_);
  if (asking_) return take_answer(std::move(reply));
  const Limits& limits = spec_.scenario->limits;
  bool idle = reply.calls.empty() && reply.malformed.empty();
  add(reply);
  if (!reply.played_agent.empty()) transcript_.played_agent = reply.played_agent;
  tokens_ += reply.usage.completion_tokens;
  cost_ += reply.usage.cost;
  if (limits.seconds && seconds > *limits.seconds) return end({Outcome::Kind::limit, "seconds", {}});
  if (limits.cost && cost_ > *limits.cost) return end({Outcome::Kind::limit, "cost", {}});

  for (ToolCall& call : reply.calls) {
    if (!in_own_prelude() && ++counted_actions_ > limits.actions) return end({Outcome::Kind::limit, "actions", {}});
    act(std::move(call), false);
    if (finished_) return;
  }
  if (!reply.malformed.empty()) {
    Message answer;
    answer.role = Role::tool;
    answer.text = "error: " + reply.malformed;
    transcript_.messages.push_back(std::move(answer));
  }
  if (idle) {
    // Words that were cut off are not an end of its own.
    const bool cut = transcript_.generations.back().stop == StopReason::length;
    if (start_.open_ended) {
      listening_ = true;
      reached_ = cut ? "tokens" : "";
      return;
    }
    if (!say_next_turn()) return end(cut ? Outcome{Outcome::Kind::limit, "tokens", {}} : Outcome{});
  }
  if (tokens_ >= limits.tokens) return end({Outcome::Kind::limit, "tokens", {}});
  if (turn() - turns_before_ >= limits.turns) return end({Outcome::Kind::limit, "turns", {}});
}

void Episode::fail(const Error& error) {
  if (asking_) return drop_question();
  if (tells_of_full_context(error))
    end({Outcome::Kind::limit, "context", error.text});
  else
    end({Outcome::Kind::error, {}, error.text});
}

void Episode::cancel() {
  if (asking_) return drop_question();
  end({Outcome::Kind::cancelled, {}, {}});
}

void Episode::end(Outcome outcome) {
  // A limit, or having no more to say, gives the word back to a user who is there.
  if (start_.open_ended && outcome.kind == Outcome::Kind::limit && outcome.which != "context") {
    reached_ = outcome.which;
    listening_ = true;
    return;
  }
  // After an error, a stop, a full context, or where time or money is spent, what it would have done is not known, and
  // no more should be asked of it.
  const bool over = outcome.kind == Outcome::Kind::completed ||
                    (outcome.kind == Outcome::Kind::limit &&
                     (outcome.which == "turns" || outcome.which == "actions" || outcome.which == "tokens"));
  transcript_.outcome = std::move(outcome);
  asking_ = over && !situation_.check.empty() && !start_.open_ended;
  finished_ = !asking_;
  if (!asking_) return;
  say(Role::user, situation_.check + " " + answer_in_one_word);
  transcript_.messages.back().check = true;
}

// Calls in an answer are kept as words of it, and never made.
void Episode::take_answer(Reply reply) {
  add(reply);
  transcript_.messages.back().check = true;
  transcript_.messages.back().calls = std::move(reply.calls);
  asking_ = false;
  finished_ = true;
}

void Episode::drop_question() {
  transcript_.messages.pop_back();
  asking_ = false;
  finished_ = true;
}

int Episode::room_for_answer() const {
  const bool thinks = std::ranges::any_of(transcript_.messages, [](const Message& m) { return !m.reasoning.empty(); });
  return thinks ? check_tokens_with_thought : check_tokens;
}

Transcript Episode::finish() && {
  assert(finished_);
  return std::move(transcript_);
}

}  // namespace assay
