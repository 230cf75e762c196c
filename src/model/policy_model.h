// An agent of known conduct: plays, per episode, the scripted agent that a policy draws for it. What it does is known,
// so everything behind it (world, grading, statistics) can be checked against the truth.
#pragma once

#include <memory>
#include <vector>

#include "model/model.h"
#include "scenario/policy.h"

namespace assay {

class PolicyModel : public Model {
 public:
  // `policy` was checked against the suite whose episodes it will play.
  explicit PolicyModel(std::shared_ptr<const Policy> policy) : policy_(std::move(policy)) {}

  std::string id() const override { return "policy:" + policy_->name; }
  Json settings() const override;
  const Agent* plays(const EpisodeSpec& spec) const override { return policy_->draw(spec); }

  // Reply number `turn` is step `turn` of the request's script; behind its end the agent says "Done.".
  void submit(Request request, OnDone on_done) override { waiting_.emplace_back(request, std::move(on_done)); }
  void poll(std::chrono::milliseconds wait) override;

 private:
  Result<Reply> answer(const Request& request) const;
  std::shared_ptr<const Policy> policy_;
  std::vector<std::pair<Request, OnDone>> waiting_;
};

}  // namespace assay
