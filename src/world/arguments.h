// Checks what a model sent against the JSON Schema that its tool shows, so that no world does it by hand.
//
//   Result<Json> arguments = checked_arguments(tool, call.arguments);
//   if (!arguments) return refused(arguments.error().text);
//   int64_t id = (*arguments)["id"];  // safe: the schema says integer, required
//
// Read of a schema: properties, required, and of each property its type (string, integer, number, boolean, or array
// with the schema of its items), enum, minimum and maximum. additionalProperties is taken as false.
#pragma once

#include <cstddef>

#include "base/json.h"
#include "base/result.h"
#include "chat/chat.h"

namespace assay {

inline constexpr size_t longest_argument = 64 << 10;  // bytes of a string; longer ones are refused
inline constexpr size_t most_argument_items = 1000;   // of an array

// The arguments in the order and the types of the schema, or what is wrong with them, for the model to read (without
// "error: "). Strings come out as valid UTF-8. Taken as real tools take it: a whole number in a string ("3") or with a
// point (3.0) where an integer is wanted, null for an argument that is not required, null for no arguments at all.
Result<Json> checked_arguments(const ToolSpec& tool, const Json& arguments);

// One of them alone: the value in the type that `schema` says, or what is wrong with it.
Result<Json> checked_argument(const std::string& name, const Json& schema, const Json& value);

// Text of a model's, quoted for an error: one line, cut where it is long.
std::string quoted(const std::string& text);

}  // namespace assay
