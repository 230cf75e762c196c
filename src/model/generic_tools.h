// The generic tool format: how a model whose chat template knows no tools is told of them, and how its calls are read.
// Pure text <-> values; nothing here knows of any model.
//
// Every turn of the model is one JSON object:
//   {"tool": "email_read", "arguments": {"id": 3}}   a call
//   {"say": "Done."}                                 words; "say" alone ends the turn
// The tools stand at the beginning of the system text, one JSON line each: they are the same in all cells and epochs of a
// scenario, so an engine reads them once. A result comes back in the next user turn:
//   Result of email_read:
//   From: ...
// A reply that begins with anything but `{` or a code fence is words as well, and noted as prose: a plain refusal is an
// answer, not an incapacity. All else is read strictly, and what cannot be read is explained to the model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chat/chat.h"

namespace assay {

// The format's explanation, the tools, and the scenario's system text behind them.
std::string generic_system(std::string_view system, const std::vector<ToolSpec>& tools);

// What the model would have written for this assistant message: the JSON line of its call or words. Several calls make
// several lines. A text that begins like an object or a code fence is a reply that could not be read and stands as it
// was.
std::string generic_turn(const Message& assistant);

// The reply that a model gives which takes this turn: what plays a script answers with it.
Reply reply_of(Message assistant);

// A conversation as plain system, user and assistant turns, text alone, no two of the same role in a row (joined by a
// blank line). `written` holds what this model replied so far: an assistant message that is not given and says what the
// next of these replies said is shown exactly as the model wrote it, else in its normal form.
std::vector<Message> generic_conversation(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools,
                                          const std::vector<Reply>& written);

// For templates without a system role: moves a leading system turn into the first user turn, above a blank line.
std::vector<Message> fold_system(std::vector<Message> conversation);

// Reads one reply; never throws, whatever the bytes. `cut`: the reply ended at the token limit, which the explanation
// then says. Sets text, calls, malformed, raw, prose and stop; a reply of nothing but space is words, "".
Reply parse_generic(std::string_view raw, bool cut = false);

// A JSON Schema of exactly the replies that parse_generic reads as a call of one of these tools or as {"say": ...}.
Json generic_schema(const std::vector<ToolSpec>& tools);

}  // namespace assay
