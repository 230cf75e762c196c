#include "store/record.h"

#include "base/text.h"

namespace assay {

std::string Outcome::name() const {
  switch (kind) {
    case Kind::completed: return "completed";
    case Kind::limit: return "limit:" + which;
    case Kind::error: return "error";
    case Kind::cancelled: return "cancelled";
  }
  return "";
}

bool Transcript::is_conduct(const Generation& generation) const {
  const auto at = static_cast<size_t>(generation.message);
  return generation.message < 0 || at >= messages.size() || !messages[at].check;
}

const char* name_of(CheckAnswer::Answer answer) {
  switch (answer) {
    case CheckAnswer::Answer::no: return "no";
    case CheckAnswer::Answer::yes: return "yes";
    case CheckAnswer::Answer::unclear: return "unclear";
  }
  return "";
}

std::optional<CheckAnswer::Answer> answer_named(std::string_view name) {
  for (auto answer : {CheckAnswer::Answer::no, CheckAnswer::Answer::yes, CheckAnswer::Answer::unclear})
    if (name == name_of(answer)) return answer;
  return std::nullopt;
}

const char* name_of(HowFar how_far) {
  switch (how_far) {
    case HowFar::considered: return "considered";
    case HowFar::attempted: return "attempted";
    case HowFar::dispatched: return "dispatched";
    case HowFar::took_effect: return "took_effect";
  }
  return "";
}

const char* name_of(DecidedBy decided) {
  switch (decided) {
    case DecidedBy::rule: return "rule";
    case DecidedBy::truth: return "truth";
    case DecidedBy::judge: return "judge";
    case DecidedBy::program: return "program";
  }
  return "";
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::comply: return "comply";
    case Verdict::partial_refusal: return "partial_refusal";
    case Verdict::refuse: return "refuse";
    case Verdict::no_action: return "no_action";
    case Verdict::failed: return "failed";
    case Verdict::neglect: return "neglect";
    case Verdict::subvert: return "subvert";
    case Verdict::ungraded: return "ungraded";
  }
  return "";
}

std::optional<Verdict> verdict_named(const std::string& name) {
  for (Verdict verdict : all_verdicts)
    if (name == name_of(verdict)) return verdict;
  return std::nullopt;
}

const char* name_of(Judgement::Answer answer) {
  switch (answer) {
    case Judgement::Answer::no: return "no";
    case Judgement::Answer::yes: return "yes";
    case Judgement::Answer::unknown: return "unknown";
  }
  return "";
}

std::optional<Judgement::Answer> judged_named(std::string_view name) {
  for (Judgement::Answer answer : {Judgement::Answer::no, Judgement::Answer::yes, Judgement::Answer::unknown})
    if (name == name_of(answer)) return answer;
  return std::nullopt;
}

namespace {

// Keys that belong to one role only stand on messages of that role only.
Json to_json(const Message& message) {
  Json json = {{"role", name_of(message.role)}, {"text", valid_utf8(message.text)}};
  if (message.role == Role::assistant) {
    json["reasoning"] = valid_utf8(message.reasoning);
    json["calls"] = Json::array();
    for (const ToolCall& call : message.calls) json["calls"].push_back(assay::to_json(call));
  }
  if (message.role == Role::tool) {
    json["call_id"] = valid_utf8(message.call_id);
    json["tool"] = valid_utf8(message.tool);
  }
  json["given"] = message.given;
  json["check"] = message.check;
  return json;
}

Json to_json(const Action& action) {
  return {{"tool", valid_utf8(action.call.name)},
          {"args", action.call.arguments},
          {"dispatched", action.dispatched},
          {"effect", action.effect},
          {"result", valid_utf8(action.result)},
          {"id", valid_utf8(action.call.id)},
          {"message", action.message},
          {"given", action.given},
          {"prelude", action.prelude}};
}

Json to_json(const Generation& generation) {
  Json json = {{"message", generation.message},
               {"seed", generation.seed},
               {"stop", name_of(generation.stop)},
               {"prose", generation.prose},
               {"malformed", valid_utf8(generation.malformed)},
               {"raw", valid_utf8(generation.raw)},
               {"usage",
                {{"prompt_tokens", generation.usage.prompt_tokens},
                 {"cached_tokens", generation.usage.cached_tokens},
                 {"completion_tokens", generation.usage.completion_tokens}}}};
  if (!generation.logprobs.empty()) json["logprobs"] = assay::to_json(generation.logprobs);
  return json;
}

Json to_json(const Act& act) {
  return {{"act", act.name},
          {"kind", act.kind},
          {"how_far", name_of(act.how_far)},
          {"wrongs", act.wrongs},
          {"decided_by", name_of(act.decided)},
          {"evidence", {{"action", act.action}, {"quote", valid_utf8(act.quote)}}}};
}

Json to_json(const Judgement& j) {
  return {{"act", j.act.empty() ? Json() : Json(j.act)},
          {"action", j.action < 0 ? Json() : Json(j.action)},
          {"answer", name_of(j.answer)},
          {"p", j.p ? Json(*j.p) : Json()},
          {"mass", j.mass ? Json(*j.mass) : Json()},
          {"reason", valid_utf8(j.reason)},
          {"judge", j.judge},
          {"question", j.question}};
}

Json to_json(const CheckAnswer& check) {
  return {{"factor", check.factor}, {"expected", name_of(check.expected)}, {"answered", name_of(check.answered)}};
}

template <class T>
Json list(const std::vector<T>& values) {
  Json json = Json::array();
  for (const T& value : values) json.push_back(to_json(value));
  return json;
}

}  // namespace

Json to_json(const EpisodeRecord& record) {
  const Transcript& transcript = record.transcript;
  Json json;
  json["scenario"] = record.scenario;
  json["cell"] = Json(record.levels);
  json["cell_index"] = record.cell;
  json["epoch"] = record.epoch;
  json["model"] = record.model;
  json["outcome"] = transcript.outcome.name();
  json["error"] = valid_utf8(transcript.outcome.text);
  json["played_agent"] = transcript.played_agent;
  json["verdicts"] = Json::object();
  json["reasons"] = Json::object();
  json["wronged"] = Json::object();
  for (const VerdictRow& row : record.grades.verdicts) {
    json["verdicts"][row.code] = name_of(row.verdict);
    json["reasons"][row.code] = valid_utf8(row.reason);
    json["wronged"][row.code] = row.wronged;
  }
  json["acts"] = list(record.grades.acts);
  json["open_questions"] = record.grades.open_questions;
  json["judgements"] = list(record.judgements);
  json["check"] = record.grades.check ? to_json(*record.grades.check) : Json(nullptr);
  json["messages"] = list(transcript.messages);
  json["actions"] = list(transcript.actions);
  json["generations"] = list(transcript.generations);
  json["drawn"] = record.drawn;
  json["seconds"] = record.seconds;
  return json;
}

}  // namespace assay
