#include "run/conversation.h"

namespace assay {

Conversation::Conversation(const EpisodeSpec& spec, const Situation& situation, const Start& start,
                           const std::vector<RenderedStep>& script, Model& model)
    : spec_(spec), situation_(situation), start_(start), script_(script), model_(model) {
  start_.open_ended = true;
  episode_.emplace(spec_, situation_, start_);
}

Conversation::~Conversation() { model_.ended(spec_); }

void Conversation::hear(std::string text) {
  heard_.emplace_back(text);
  episode_->hear(std::move(text));
}

Status Conversation::step() {
  Request request = *episode_->next();
  if (!script_.empty()) request.script = &script_;
  std::optional<Result<Reply>> answer;
  model_.submit(request, [&](Result<Reply> reply) { answer = std::move(reply); });
  while (!answer) model_.poll(std::chrono::milliseconds(50));
  if (!*answer) return answer->error();
  heard_.emplace_back(**answer);
  episode_->feed(**std::move(answer));
  return Done{};
}

std::optional<std::string> Conversation::undo() {
  size_t last = heard_.size();
  while (last > 0 && !std::holds_alternative<std::string>(heard_[last - 1])) --last;
  if (last == 0) return std::nullopt;
  std::string said = std::get<std::string>(heard_[last - 1]);
  heard_.resize(last - 1);
  episode_.emplace(spec_, situation_, start_);
  for (const auto& event : heard_) {
    if (const auto* text = std::get_if<std::string>(&event))
      episode_->hear(*text);
    else
      episode_->feed(std::get<Reply>(event));
  }
  return said;
}

Transcript Conversation::leave() {
  if (episode_->listening())
    episode_->leave();
  else if (!episode_->finished())
    episode_->cancel();
  return std::move(*episode_).finish();
}

Transcript Conversation::fail(const Error& error) {
  if (!episode_->finished()) episode_->fail(error);
  return std::move(*episode_).finish();
}

}  // namespace assay
