// Says again what another model said: the replies that a run file holds, answered to the same episodes. Nothing is
// generated, so what a changed world, limit or rule makes of the same words can be seen in seconds.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/immediate_model.h"
#include "store/run_file.h"

namespace assay {

class ReplayModel : public ImmediateModel {
 public:
  // `text` is what follows "replay:": the path of a run file, and "?model=ID" where it holds several models. Refused
  // where there is no such file or model. Whether it holds the episodes of a run is asked by check().
  static Result<std::unique_ptr<ReplayModel>> open(const std::string& text, const Suite& suite);

  std::string id() const override { return "replay:" + entry_.id; }
  Json settings() const override;
  ModelCard card() const override;
  // A policy's episode is replayed as what it was: its prelude counts for nothing, and it knows its own conduct.
  const Agent* plays(const EpisodeSpec& spec) const override;
  Result<std::optional<int64_t>> check(const Request& opening) override;

 private:
  struct Recorded {
    int64_t id = 0;
    std::string played_agent;
  };
  // A check's answer stands apart: under other limits the conduct before it may be longer or shorter.
  struct Replies {
    std::vector<Reply> conduct;
    std::optional<Reply> to_check;
  };
  static Replies replies_of(EpisodeRecord record);
  const Recorded* recorded(const EpisodeSpec& spec) const;
  // Reply number `turn` of the recorded episode, or the one to its check. An error where it is not recorded, or ends
  // sooner.
  Result<Reply> answer(const Request& request) override;

  std::unique_ptr<RunReader> run_;
  ModelEntry entry_;
  std::map<EpisodeKey, Recorded> episodes_;  // under the recorded model's id
  std::map<int64_t, Replies> being_read_;    // replies of the episodes that were asked for last
};

}  // namespace assay
