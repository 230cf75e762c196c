#include "model/model.h"

#include <fmt/format.h>

namespace assay {

Error context_is_full(int64_t tokens, int64_t room) {
  return {fmt::format("{}: it comes to {} tokens, and there is room for {}", context_full, tokens, room),
          ErrorKind::unfinished};
}

bool tells_of_full_context(const Error& error) { return error.text.starts_with(context_full); }

ModelCard Model::card() const {
  ModelCard card;
  card.id = id();
  const Json known = settings();
  card.backend = known.value("backend", "");
  card.logprobs = has_logprobs();
  return card;
}

void Model::score(Request, std::vector<Message>, OnScored on_done) {
  on_done(Error{fmt::format("{} gives no logprobs, so it cannot score alternatives.", id())});
}

void Model::weigh(Request, std::vector<std::string>, OnWeighed on_done) {
  on_done(Error{fmt::format("{} gives no logprobs, so it cannot weigh an answer.", id())});
}

void Model::read(std::string, int, OnRead on_done) {
  on_done(Error{fmt::format("{} gives no logprobs, so it cannot read a text.", id())});
}

}  // namespace assay
