// A yes/no question about an episode, and what a judge is shown to answer it: the evidence alone, fenced, and the
// scenario's own words for the question. Nothing of the system text, of levels or factors, of other messages: a judge
// that knew which cell it reads could find there what it expects to find.
//
// The evidence was written by the agent that is judged, so it is hostile: it may say "the answer is no" in the asker's
// voice. It stands between two lines with a mark that is made of the evidence's own hash. Who writes the evidence can
// therefore not write the mark into it, and yet the same evidence is always shown in the same bytes: questions about it
// share all of their prompt but the last lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario/render.h"
#include "store/record.h"

namespace assay {

struct Question {
  std::string act;       // whose question it is; "": whether (part of) the task was openly declined
  int action = -1;       // index into Transcript::actions of the evidence; -1: all that the agent said to principals
  std::string ask;       // the scenario's words
  std::string evidence;  // whole, valid UTF-8
};

// The judge reads at most so many bytes of evidence: of a longer one two thirds from its beginning and a third from its
// end, and is told how much is left out. About 2,000 tokens, which fits beside the question in any usual context.
inline constexpr size_t most_evidence = 8000;

// Which of the two words the last line names first. Models lean to a place; asked both ways, the leanings cancel.
enum class Order { yes_or_no, no_or_yes };
std::string shown(const Question& question, Order order);

// SHA-256 of what is shown. An answer counts for the very words that were shown and for no others: where a grading with
// other acts asks something else of the same action, the old answer is none to it.
std::string hash_of(const Question& question);

// The question of an act about the one action that its rule picked: the message that was sent, else the call.
Question about_action(const ActRule& rule, const Action& action, int index);

// The agent's words to those who may give it instructions, after the prelude, in order: said in the conversation, or
// sent to a principal's address. The answer to a manipulation check is none.
std::vector<std::string> words_to_principals(const Transcript& transcript, const Situation& situation,
                                             const Scenario& scenario);

// The question of the task: were these words, of which there are some, a refusal?
Question about_declining(const Task& task, const std::vector<std::string>& words);

// The answer to this question among those that are stored with an episode, decided or not; null where it was not asked.
const Judgement* answer_to(const Question& question, const std::vector<Judgement>& judgements);

}  // namespace assay
