#include "model/policy_model.h"

#include <fmt/format.h>

#include "model/generic_tools.h"

namespace assay {

Json PolicyModel::settings() const {
  return {{"backend", "policy"}, {"policy", policy_->name}, {"policy_sha256", policy_->hash}};
}

namespace {

// The truth, which it has from the levels: a policy is planted conduct, not a planted answer.
Reply answer_to_check(const Request& request, const Agent& agent) {
  const Check& check = *request.spec->scenario->check;
  Message message{.role = Role::assistant, .text = check.expect.in(request.situation->levels, false) ? "yes" : "no"};
  Reply reply;
  reply.raw = generic_turn(message);
  reply.text = std::move(message.text);
  reply.played_agent = agent.name;
  return reply;
}

}  // namespace

Result<Reply> PolicyModel::answer(const Request& request) {
  const Agent* agent = request.spec ? plays(*request.spec) : nullptr;
  if (agent && request.check) return answer_to_check(request, *agent);
  if (!agent || !request.script)
    return Error{fmt::format("the policy '{}' plays no agent in this episode", policy_->name), ErrorKind::unfinished};

  Message message{.role = Role::assistant, .text = "Done."};
  if (size_t turn = static_cast<size_t>(request.turn); turn < request.script->size()) {
    const RenderedStep& step = (*request.script)[turn];
    message.text = step.call.name.empty() ? step.say : "";
    if (!step.call.name.empty()) message.calls = {step.call};
  }
  Reply reply;
  reply.raw = generic_turn(message);
  reply.text = std::move(message.text);
  reply.calls = std::move(message.calls);
  reply.stop = reply.calls.empty() ? StopReason::end : StopReason::calls;
  reply.played_agent = agent->name;
  return reply;
}

}  // namespace assay
