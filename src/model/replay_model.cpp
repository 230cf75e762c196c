#include "model/replay_model.h"

#include <fmt/format.h>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t most_being_read = 1024;  // episodes; a runner keeps fewer open

}  // namespace

// As they were before they became messages.
ReplayModel::Replies ReplayModel::replies_of(EpisodeRecord record) {
  Transcript& transcript = record.transcript;
  Replies replies;
  for (Generation& generation : transcript.generations) {
    Message& message = transcript.messages[static_cast<size_t>(generation.message)];
    const bool check = message.check;
    Reply reply;
    reply.raw = generation.raw;
    if (generation.malformed.empty()) {
      reply.text = std::move(message.text);
    } else if (reply.raw.empty()) {
      reply.raw = std::move(message.text);
    }
    reply.reasoning = std::move(message.reasoning);
    reply.calls = std::move(message.calls);
    for (ToolCall& call : reply.calls) call.id.clear();
    reply.malformed = std::move(generation.malformed);
    reply.prose = generation.prose;
    reply.stop = generation.stop;
    reply.usage = generation.usage;
    reply.played_agent = transcript.played_agent;
    if (check)
      replies.to_check = std::move(reply);
    else
      replies.conduct.push_back(std::move(reply));
  }
  return replies;
}

Result<std::unique_ptr<ReplayModel>> ReplayModel::open(const std::string& text, const Suite& suite) {
  const size_t question = text.rfind("?model=");
  const std::string path = text.substr(0, question);
  const std::string wanted = question == text.npos ? "" : text.substr(question + 7);
  if (path.empty()) return Error{"replay: names no file; write replay:RUN.assay"};
  Result<std::unique_ptr<RunReader>> run = RunReader::open(path);
  if (!run) return run.error();

  auto model = std::make_unique<ReplayModel>();
  std::vector<std::string> ids;
  for (const ModelEntry& entry : (*run)->models()) {
    ids.push_back(entry.id);
    if (entry.id == wanted || wanted.empty()) model->entry_ = entry;
  }
  if (ids.empty()) return Error{fmt::format("replay:{} holds no model.", for_terminal(path))};
  if (wanted.empty() && ids.size() > 1)
    return Error{fmt::format("replay:{} holds {} models; write replay:{}?model=ID with one of {}.", for_terminal(path),
                             ids.size(), for_terminal(path), for_terminal(joined(ids, ", ")))};
  if (model->entry_.id.empty())
    return Error{fmt::format("replay:{} holds no model '{}'; it holds {}.", for_terminal(path), for_terminal(wanted),
                             for_terminal(joined(ids, ", ")))};
  Status read = (*run)->each_summary([&](const EpisodeSummary& row) {
    if (row.model == model->entry_.id)
      model->episodes_[{row.scenario, row.cell, row.epoch, row.model}] = {row.id, row.played_agent};
  });
  if (!read) return read.error();
  for (const auto& [key, recorded] : model->episodes_) {
    const std::string& name = std::get<0>(key);
    for (const Scenario& scenario : suite.scenarios)
      if (scenario.name == name && !recorded.played_agent.empty() && !scenario.agent(recorded.played_agent))
        return Error{fmt::format("replay:{}: scenario {} has no agent '{}' any more.", for_terminal(path),
                                 for_terminal(name), for_terminal(recorded.played_agent))};
  }
  model->run_ = std::move(*run);
  return model;
}

Json ReplayModel::settings() const {
  return {{"backend", "replay"},
          {"of", entry_.id},
          {"recorded_settings", entry_.settings},
          {"recorded_suite_sha256", run_->registration().suite_hash},
          {"recorded_seed", run_->registration().design.seed},
          {"recorded", run_->registration().created}};
}

ModelCard ReplayModel::card() const {
  ModelCard card = Model::card();
  const size_t held = episodes_.size();
  card.what = fmt::format("says again what {} said in {} episode{}, recorded {}", entry_.id, held, held == 1 ? "" : "s",
                          run_->registration().created);
  return card;
}

const ReplayModel::Recorded* ReplayModel::recorded(const EpisodeSpec& spec) const {
  auto found = episodes_.find({spec.scenario->name, spec.cell.index, spec.epoch, entry_.id});
  return found == episodes_.end() ? nullptr : &found->second;
}

const Agent* ReplayModel::plays(const EpisodeSpec& spec) const {
  const Recorded* episode = recorded(spec);
  return episode && !episode->played_agent.empty() ? spec.scenario->agent(episode->played_agent) : nullptr;
}

Result<std::optional<int64_t>> ReplayModel::check(const Request& opening) {
  if (recorded(*opening.spec)) return std::optional<int64_t>();
  return Error{fmt::format("replay:{} has not recorded scenario {}, {}, epoch {}.", entry_.id,
                           opening.spec->scenario->name, opening.spec->cell_name(), opening.spec->epoch)};
}

Result<Reply> ReplayModel::answer(const Request& request) {
  const Recorded* episode = recorded(*request.spec);
  if (!episode) return Error{"this episode was not recorded", ErrorKind::unfinished};
  auto replies = being_read_.find(episode->id);
  if (replies == being_read_.end()) {
    Result<EpisodeRecord> record = run_->episode(episode->id);
    if (!record) return record.error();
    if (being_read_.size() >= most_being_read) being_read_.erase(being_read_.begin());  // read again if it comes back
    replies = being_read_.emplace(episode->id, replies_of(std::move(*record))).first;
  }
  const Replies& recorded_ones = replies->second;
  if (request.check) {
    if (!recorded_ones.to_check) return Error{"the recorded episode was asked no check", ErrorKind::unfinished};
    return *recorded_ones.to_check;
  }
  const size_t turn = static_cast<size_t>(request.turn);
  if (turn >= recorded_ones.conduct.size())
    return Error{fmt::format("the recorded episode ends after {} replies", recorded_ones.conduct.size()),
                 ErrorKind::unfinished};
  return recorded_ones.conduct[turn];
}

}  // namespace assay
