// The door to llama.cpp's Jinja parser, for template.cpp and condition_syntax.cpp alone. The parser recurses without a limit
// and reports errors without a position, so: sizes and nesting are checked on the tokens before it runs, and the
// position is read back from the excerpt in its message.
#pragma once

#include <jinja/lexer.h>
#include <jinja/parser.h>
#include <jinja/runtime.h>

#include <optional>
#include <string>

#include "base/diagnostic.h"
#include "scenario/template.h"

namespace assay {

struct JinjaSource {
  jinja::program program;
  std::string source;
};

// `shift` bytes of `source` stand before the author's own text: conditions are wrapped in {{ }}, templates (0) are not;
// messages speak of the one or the other. Adds what is wrong: slips that have a remedy (=, &&, ||, !, typographic
// quotes) with it, all else as the engine says it.
std::optional<JinjaSource> parse_jinja(const std::string& source, size_t shift, const TextOrigin& origin,
                                       Diagnostics& diagnostics, const TemplateLimits& limits = {});

// A node's place: the engine marks the blank before a token, the author means the token.
size_t offset_of(const jinja::statement& node, std::string_view source);

}  // namespace assay
