#include "report/page_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/page_html.h"

namespace assay {
namespace {

// The parts that one episode adds to those that are there.
class Draft {
 public:
  Draft(const std::unordered_map<Hash128, size_t, Hash128Hasher>& known, size_t next) : known_(known), next_(next) {}

  size_t place_of(const Json& part) {
    std::string text = for_script(part);
    const Hash128 hash = hash128(text);
    if (auto there = known_.find(hash); there != known_.end()) return there->second;
    const auto [place, is_new] = places.try_emplace(hash, next_ + parts.size());
    if (is_new) {
      bytes += text.size() + 1;
      parts.push_back(std::move(text));
    }
    return place->second;
  }
  Json places_of(const Json& list) {
    Json out = Json::array();
    for (const Json& part : list) out.push_back(place_of(part));
    return out;
  }

  std::unordered_map<Hash128, size_t, Hash128Hasher> places;
  std::vector<std::string> parts;
  size_t bytes = 0;

 private:
  const std::unordered_map<Hash128, size_t, Hash128Hasher>& known_;
  size_t next_;
};

// Of each token what it says and how likely it was; its rivals stay in the run file.
Json tokens_of(const std::vector<WrittenToken>& tokens) {
  Json out = Json::array();
  for (const WrittenToken& token : tokens) out.push_back({valid_utf8(token.bytes), token.logprob});
  return out;
}

// Replies of which the message does not say it all.
Json replies_of(const Transcript& transcript) {
  Json out = Json::array();
  for (const Generation& g : transcript.generations) {
    if (g.malformed.empty() && !g.prose && g.logprobs.empty() && g.stop != StopReason::length) continue;
    Json reply{{"message", g.message}, {"stop", name_of(g.stop)}, {"prose", g.prose}};
    if (!g.malformed.empty()) reply["malformed"] = valid_utf8(g.malformed), reply["raw"] = valid_utf8(g.raw);
    if (!g.logprobs.empty()) reply["tokens"] = tokens_of(g.logprobs);
    out.push_back(std::move(reply));
  }
  return out;
}

}  // namespace

bool PageWords::add(int64_t id, const EpisodeRecord& record, size_t beside) {
  Json whole = to_json(record);
  Draft draft(places_, parts_.size());
  for (Json& action : whole["actions"]) action.erase("result");  // its tool message has it
  int64_t read = 0, written = 0;
  for (const Generation& g : record.transcript.generations)
    read += g.usage.prompt_tokens, written += g.usage.completion_tokens;

  Json out{{"messages", draft.places_of(whole["messages"])},
           {"actions", draft.places_of(whole["actions"])},
           {"acts", draft.places_of(whole["acts"])},
           {"reasons", draft.place_of(whole["reasons"])},
           {"wronged", draft.place_of(whole["wronged"])},
           {"drawn", draft.place_of(whole["drawn"])},
           {"seconds", record.seconds},
           {"tokens", {read, written}}};
  for (const char* field : {"error", "played_agent", "open_questions", "judgements", "check"})
    if (const Json& value = whole[field]; !value.empty() && value != "") out[field] = value;
  if (Json replies = replies_of(record.transcript); !replies.empty()) out["replies"] = std::move(replies);

  std::string text = fmt::format("\"{}\":{}", id, for_script(out));
  const size_t bytes = draft.bytes + text.size() + 1 + beside;
  if (bytes > room_) return false;
  room_ -= bytes;
  places_.merge(draft.places);
  std::ranges::move(draft.parts, std::back_inserter(parts_));
  episodes_.push_back(std::move(text));
  return true;
}

std::string PageWords::json() const {
  return "{\"parts\":[" + joined(parts_, ",") + "],\"episodes\":{" + joined(episodes_, ",") + "}}";
}

}  // namespace assay
