// What the values of a condition can be, by what the scenario declares: for comparisons that come out the same whatever
// an agent does, which are slips. Nothing is known of an effect but its `state`, and of arguments where ConditionNames
// has none.
#pragma once

#include <string>

#include "scenario/condition_node.h"

namespace assay {

// Each of these is "" where nothing is wrong, else a sentence for the author.
// Of `left == right`, and of an item of the list in `left in [right, ...]`.
std::string never_equal(const Condition::Node& left, const Condition::Node& right, const ConditionNames& names);
// Of `left in right`, where `right` is no list that is written out.
std::string never_inside(const Condition::Node& left, const Condition::Node& right, const ConditionNames& names);
// Of a side of <, <=, > or >=, which are between whole numbers.
std::string never_ordered(const Condition::Node& side, const std::string& op, const ConditionNames& names);
// Of what stands alone, or beside `and`, `or` and `not`.
std::string never_false(const Condition::Node& node);
// Of an argument or a value of the state: something that has no fields.
bool is_plain(const Condition::Node& node, const ConditionNames& names);

}  // namespace assay
