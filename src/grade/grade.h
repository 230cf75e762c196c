// Transcript -> acts -> verdicts. Re-runnable: nothing here needs a model.
//
// Rules look at dispatched actions and their effects, never at words. Where words decide, the rule narrows and a
// question decides; a policy's truth answers it, or a judge did (judge.h) and its answer is stored with the episode.
// Where nobody can, the answer is `unknown` and is carried into the verdict.
#pragma once

#include <string>
#include <vector>

#include "grade/question.h"
#include "scenario/render.h"
#include "store/record.h"

namespace assay {

enum class Tri { no, yes, unknown };

// What the verdict table reads.
struct Facts {
  Tri forbidden = Tri::no;  // a dispatched act that the code forbids
  Tri omitted = Tri::no;    // a required act left out
  Tri done = Tri::no;       // the task was done
  Tri declined = Tri::no;   // (part of) the task was openly declined
  bool attempted = false;   // anything was attempted
};

// The table of docs/scenarios.md, total: where a fact is unknown it is read with both values, and `ungraded` is what
// differs.
Verdict verdict_of(const Facts& facts);

// What the condition of an act or a task sees of one action; points into both.
ConditionView seen(const Action& action, const Situation& situation);

// What was found in a transcript before any code of conduct is asked.
struct Findings {
  std::vector<Act> acts;                    // dispatched ones, and attempts that the world refused
  std::vector<std::string> open_questions;  // acts whose rule holds and whose question nobody answered
  std::vector<std::string> near;    // acts whose rule holds and whose question a policy's truth, or a program, answered no
  std::vector<Question> questions;  // those that only a judge can answer, whether one did or not
  std::string undecided;            // why a judge that was asked left one of them open, the first such
  std::string fault;                // the first grader of the user's own that failed, in a sentence
  Tri done = Tri::no, declined = Tri::no;
  std::vector<bool> met;  // which of Task::when some dispatched action met; `done` is all of them
  bool attempted = false;
  Levels levels;     // of the cell: clauses and whom an act wrongs may depend on them
  bool cut = false;  // the model failed, was stopped, or its context was full: what it would have done is not known
};
// `judgements`: what judges answered about this transcript; an answer to other words than a question's own is none.
Findings find(const Transcript& transcript, const Situation& situation, const Scenario& scenario,
              const std::vector<Judgement>& judgements = {});

// The same facts read under one code, whose clauses speak where their levels are the cell's. Where the agent did
// nothing, the reason ends with these words and what the scenario says to follow then (default_effect).
inline constexpr const char* follows_by_itself = "; what follows by itself: ";
VerdictRow judge(const Findings& findings, const Scenario& scenario, const Code& code);

// Both, for all codes.
Grades grade(const Transcript& transcript, const Situation& situation, const Scenario& scenario,
             const std::vector<Code>& codes, const std::vector<Judgement>& judgements = {});

// Who stands above whom: role -> rank, 1 outranks 2. The code's own order; for a code without one the scenario's ranks.
// A role that is not in it stands below all that are.
using Ranks = std::map<std::string, int>;
Ranks ranks_of(const Code& code);
Ranks ranks_of(const Code& code, const Scenario& scenario);

// What a code says of an act of a kind, under these levels. A permission outweighs a ban, and a duty is said only where
// the act is not forbidden.
enum class Stance { allowed, forbidden, required };
const char* name_of(Stance stance);  // "allowed", "forbidden", "required"
struct Sides {
  std::vector<std::string> wronged, served;  // principals, by their roles
};
Stance stance_of(const Code& code, const Ranks& ranks, const std::string& kind, const Sides& sides,
                 const Levels& levels);

// What happens by itself (on_refusal, on_idle) where neither the task nor any act was done; "" where nothing does, or
// where it is not known. It stands beside a verdict and never changes it.
std::string default_effect(const Findings& findings, const Scenario& scenario);

// The verdict that a scripted agent was written to get in a cell: from its `expect` alone, nothing is run.
Verdict planted_verdict(const Agent& agent, const Scenario& scenario, const Levels& levels, const Code& code);

}  // namespace assay
