// What is kept of an episode: what was said, what was done, what it amounts to. Plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/chat.h"

namespace assay {

// A tool call as it happened.
struct Action {
  int message = 0;  // index of the assistant message that made it
  ToolCall call;
  bool given = false;       // part of a given prelude: counts for nothing
  bool prelude = false;     // played by a policy before its conduct begins (the model itself chose everything else)
  bool dispatched = false;  // the world accepted it
  Json effect = Json::object();
  std::string result;  // what the model was told
};

// One reply of the model, beside the message it became.
struct Generation {
  int message = 0;  // index of the assistant message
  uint64_t seed = 0;
  StopReason stop = StopReason::end;
  std::string raw;        // exactly what the model wrote ("" where the message says it all)
  std::string malformed;  // why a tried call could not be read ("" if none)
  bool prose = false;
  Usage usage;
  std::vector<WrittenToken> logprobs = {};  // of all that was written, where the run asked for them
};

// How an episode ended.
struct Outcome {
  enum class Kind {
    completed,  // the agent ended its last turn
    limit,      // `which` of the scenario's limits: turns, actions, tokens, context
    error,      // the model failed; `text` says how
    cancelled,  // stopped from outside
  };
  Kind kind = Kind::completed;
  std::string which, text;
  std::string name() const;  // "completed", "limit:turns", "error", "cancelled"
};

struct Transcript {
  std::vector<Message> messages;
  std::vector<Action> actions;          // in order
  std::vector<Generation> generations;  // in order
  Outcome outcome;
  std::string played_agent;  // models of known conduct: the scripted agent that was played

  // Whether a reply is conduct: not the answer to the manipulation check.
  bool is_conduct(const Generation& generation) const;
};

enum class HowFar { considered, attempted, dispatched, took_effect };
const char* name_of(HowFar how_far);  // "considered", "attempted", "dispatched", "took_effect"

// truth: a policy's own knowledge answered the question; program: one of the user's own did
enum class DecidedBy { rule, truth, judge, program };
const char* name_of(DecidedBy decided);

// A named thing the agent did, with its evidence.
struct Act {
  std::string name, kind;
  HowFar how_far = HowFar::dispatched;
  std::vector<std::string> wrongs;  // parties
  DecidedBy decided = DecidedBy::rule;
  int action = 0;     // index into Transcript::actions
  std::string quote;  // words of that action
  bool operator==(const Act&) const = default;
};

enum class Verdict { comply, partial_refusal, refuse, no_action, failed, neglect, subvert, ungraded };
inline constexpr Verdict all_verdicts[] = {Verdict::comply,    Verdict::partial_refusal, Verdict::refuse,
                                           Verdict::no_action, Verdict::failed,          Verdict::neglect,
                                           Verdict::subvert,   Verdict::ungraded};
const char* name_of(Verdict verdict);
std::optional<Verdict> verdict_named(const std::string& name);

struct VerdictRow {
  std::string code;
  Verdict verdict = Verdict::ungraded;
  std::string reason;                // one sentence: why this row of the table, or why ungraded
  std::vector<std::string> wronged;  // principals and affected parties, under this code
  bool operator==(const VerdictRow&) const = default;
};

// The manipulation check as it came out: what was answered to its question, and what someone answers who has noticed
// the level of its factor.
struct CheckAnswer {
  enum class Answer { no, yes, unclear };  // unclear: neither could be read
  std::string factor;
  Answer expected = Answer::no;  // never unclear
  Answer answered = Answer::unclear;
  bool operator==(const CheckAnswer&) const = default;
};
const char* name_of(CheckAnswer::Answer answer);  // "no", "yes", "unclear"
std::optional<CheckAnswer::Answer> answer_named(std::string_view name);

// What a judge answered to one question about an episode (grade/question.h). It is no grade but what grading reads: it
// stays when episodes are graded again, and counts only for the very words that were shown.
struct Judgement {
  enum class Answer { no, yes, unknown };
  std::string act;       // whose question it is; "": whether (part of) the task was openly declined
  int action = -1;       // index into Transcript::actions of the evidence; -1: all that the agent said to principals
  std::string question;  // SHA-256 of what was shown
  Answer answer = Answer::unknown;
  std::optional<double> p = {};     // P(yes) / (P(yes) + P(no)); none: the judge failed
  std::optional<double> mass = {};  // P(yes) + P(no), of its first token
  std::string reason = {};          // why the answer is unknown; "" where it is not
  std::string judge = {};           // the model's id
  bool operator==(const Judgement&) const = default;
};
const char* name_of(Judgement::Answer answer);  // "no", "yes", "unknown"
std::optional<Judgement::Answer> judged_named(std::string_view name);

// What grading adds to an episode.
struct Grades {
  std::vector<Act> acts;
  std::vector<std::string> open_questions;  // acts whose question nobody answered
  std::vector<VerdictRow> verdicts;         // one per code
  std::string fault;                        // a grader of the user's own that failed, told once; not stored
  std::optional<CheckAnswer> check = {};    // none: nothing was asked
};

// One episode as it is stored.
struct EpisodeRecord {
  std::string scenario, model;
  int64_t cell = 0;  // Cell::index
  int epoch = 0;
  std::map<std::string, std::string> levels;  // factor -> level
  Json drawn;                                 // surface values
  Transcript transcript;
  Grades grades;
  std::vector<Judgement> judgements;  // one for each question that some judge was asked, the last answer to it
  double seconds = 0;                 // from first request to end, wall time
};

// The line of `show --all --json`, documented in docs/formats.md.
Json to_json(const EpisodeRecord& record);

}  // namespace assay
