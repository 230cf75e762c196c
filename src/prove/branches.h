// Proof that every part of a rule does something: over all scripted agents in all cells, each operand of `or` and `and`
// and each item of a list, in an act's `when` or in a condition of the task, must be needed by some agent. What none
// needs could be cut out, or be wrong, and every agent would be graded as before.
//
//   Branches branches(scenario);
//   branches.see(agent, transcript, situation);   // for each agent that was played
//   branches.unneeded();                          // what is left
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scenario/render.h"
#include "store/record.h"

namespace assay {

class Branches {
 public:
  explicit Branches(const Scenario& scenario);  // must outlive it

  // An agent needs a part if without it the agent would meet an act's rule, or do the task, where it does not, or the
  // other way round. Where a question or a program decides the act, an agent that would no longer meet the rule counts
  // only if it expects the act, or to be asked about it: of others nobody would notice.
  void see(const Agent& agent, const Transcript& transcript, const Situation& situation);

  // The parts that no agent needed, with a sentence for the author, in order of place.
  std::vector<std::pair<Place, std::string>> unneeded() const;

 private:
  struct Rule {
    const Condition* when = nullptr;
    const ActRule* act = nullptr;  // null: of the task
    std::vector<bool> needed;      // by part
  };
  const Scenario& scenario_;
  std::vector<Rule> rules_;
};

}  // namespace assay
