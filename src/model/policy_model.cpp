#include "model/policy_model.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "model/generic_tools.h"

namespace assay {

Json PolicyModel::settings() const {
  return {{"backend", "policy"}, {"policy", policy_->name}, {"policy_sha256", policy_->hash}};
}

ModelCard PolicyModel::card() const {
  ModelCard card = Model::card();
  std::set<std::string> agents;
  for (const PolicyRule& rule : policy_->rules)
    for (const auto& [agent, share] : rule.agents) agents.insert(agent);
  card.what =
      fmt::format("an agent of known conduct: plays the scenarios' scripted agents {}, {}",
                  joined({agents.begin(), agents.end()}, ", "),
                  policy_->rules.size() == 1 ? "by one rule" : fmt::format("by {} rules", policy_->rules.size()));
  const std::string& path = policy_->source.name;
  card.file = {path.substr(path.rfind('/') + 1), static_cast<int64_t>(policy_->source.text.size()), policy_->hash};
  return card;
}

namespace {

// The truth, which it has from the levels: a policy is planted conduct, not a planted answer.
Reply answer_to_check(const Request& request, const Agent& agent) {
  const Check& check = *request.spec->scenario->check;
  Message message{.role = Role::assistant, .text = check.expect.in(request.situation->levels, false) ? "yes" : "no"};
  Reply reply = reply_of(std::move(message));
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
  if (size_t turn = static_cast<size_t>(request.turn); turn < request.script->size())
    message = message_of((*request.script)[turn]);
  Reply reply = reply_of(std::move(message));
  reply.played_agent = agent->name;
  return reply;
}

}  // namespace assay
