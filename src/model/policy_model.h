// An agent of known conduct: plays, per episode, the scripted agent that a policy draws for it. What it does is known,
// so everything behind it (world, grading, statistics) can be checked against the truth.
#pragma once

#include <memory>
#include <vector>

#include "model/immediate_model.h"
#include "scenario/policy.h"

namespace assay {

class PolicyModel : public ImmediateModel {
 public:
  // `policy` was checked against the suite whose episodes it will play.
  explicit PolicyModel(std::shared_ptr<const Policy> policy) : policy_(std::move(policy)) {}

  std::string id() const override { return "policy:" + policy_->name; }
  Json settings() const override;
  ModelCard card() const override;
  const Agent* plays(const EpisodeSpec& spec) const override { return policy_->draw(spec); }

 private:
  // Reply number `turn` is step `turn` of the request's script; behind its end the agent says "Done.". A check is
  // answered from the levels, as expected.
  Result<Reply> answer(const Request& request) override;
  std::shared_ptr<const Policy> policy_;
};

}  // namespace assay
