// What a model wrote behind a prompt of its own chat template -> a Reply, through llama.cpp's readers.
//
// The library is lenient in ways that would lose an act: it lets some broken calls pass as words, or as nothing at all.
// A reply that opens a call and holds none is therefore unreadable here, and so is one whose arguments are no object.
// Blank lines that belong to the format (behind thoughts, between words and calls) are taken off.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chat/chat.h"

struct common_chat_params;

namespace assay {

// Thoughts and words alone, for a format whose calls are read elsewhere; nothing where the library cannot read it.
struct ThoughtsAndWords {
  std::string thoughts, words;
};
std::optional<ThoughtsAndWords> read_thoughts(const common_chat_params& params, const std::string& raw, bool cut);

// Sets text, reasoning, calls and malformed; never throws, whatever the bytes. `cut`: at a token limit; what there is
// of words and thoughts is then kept, and a call that was cut off is malformed.
Reply read_native(const common_chat_params& params, const std::string& raw, bool cut);

// Where this prompt opens thoughts at its very end, as "...<think>\n" does: where that mark begins in it; else npos.
size_t opened_thoughts(const common_chat_params& params);

}  // namespace assay
