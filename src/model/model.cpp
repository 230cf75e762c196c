#include "model/model.h"

#include <fmt/format.h>

namespace assay {

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

}  // namespace assay
