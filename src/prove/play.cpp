#include "prove/play.h"

#include <optional>
#include <utility>

#include "run/episode.h"

namespace assay {

Transcript play(const EpisodeSpec& spec, const Situation& situation, const std::vector<RenderedStep>& steps,
                const std::string& agent) {
  std::vector<RenderedStep> script = situation.prelude;
  script.insert(script.end(), steps.begin(), steps.end());
  Episode episode(spec, situation, {.given_prelude = false, .own_prelude = static_cast<int>(situation.prelude.size())});
  while (std::optional<Request> request = episode.next()) {
    size_t turn = static_cast<size_t>(request->turn);
    Reply reply;
    reply.played_agent = agent;
    if (turn >= script.size())
      reply.text = "Done.";
    else if (script[turn].call.name.empty())
      reply.text = script[turn].say;
    else
      reply.calls = {script[turn].call};
    episode.feed(std::move(reply));
  }
  return std::move(episode).finish();
}

}  // namespace assay
