// A condition as a small tree: what condition_syntax.cpp makes, condition_kinds.cpp doubts and condition.cpp reads.
// For these alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "scenario/condition.h"

namespace assay {

// Values are JSON; a field that is not there is null, and null is neither equal to anything written in a condition nor
// true.
struct Condition::Node {
  // A function of the shape deleted(action, 'PATH'): whether a member of the effect lists what matches.
  struct EffectFunction {
    const char* name;
    const char* member;
    bool of_paths;  // else of accounts
  };
  enum class Op {
    literal,
    list,
    tool,
    arguments,
    dispatched,
    effect,
    level,
    field,
    all,
    any,
    negate,
    equal,
    different,
    inside,
    less,
    at_most,
    sent_to,
    recipients,
    outsider,
    cites,
    wrote,
    changed,
    idle,
    any_sent,
    deleted_any,
    sent_to_any,
    sent_count,
    called
  };
  Op op = Op::literal;
  Json literal;
  std::string word;  // field, level, party, secret, tool, path, login
  std::vector<Node> parts;
  const EffectFunction* function = nullptr;
  std::string other = {};  // of wrote: the secret
  size_t at = 0;           // where it begins in the author's text
  int part = -1;           // its place in Condition::parts(); -1: it is none of them
};

// What it comes to. A `without` that is no -1 stands for a part that is taken as not written.
Json evaluate(const Condition::Node& node, const ConditionView& view, int without = -1);
// Whether a value counts as true: 0, "", an empty list and what is not there do not.
bool truth(const Json& value);

}  // namespace assay
