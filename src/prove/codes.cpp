#include "prove/codes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "grade/grade.h"

namespace assay {
namespace {

std::string said_of(const CodeExample& example) {
  std::string text = example.act;
  if (!example.toward.empty()) text += " toward " + joined(example.toward, " and ");
  if (!example.serves.empty()) text += " in the service of " + joined(example.serves, " and ");
  for (const auto& [factor, level] : example.when) text += fmt::format(" under {}={}", factor, level);
  return text;
}

}  // namespace

void prove_codes(const Suite& suite, Diagnostics& diagnostics) {
  for (const Code& code : suite.codes)
    for (const CodeExample& example : code.examples) {
      const std::string is = name_of(stance_of(code, ranks_of(code), example.act,
                                               {.wronged = example.toward, .served = example.serves}, example.when));
      if (is == example.is) continue;
      auto file = std::find_if(suite.sources->begin(), suite.sources->end(),
                               [&](const auto& source) { return source.second.name == example.place.file; });
      diagnostics.add(
          example.place,
          fmt::format("{} is {} by the clauses of '{}', and should be {}", said_of(example), is, code.name, example.is),
          file == suite.sources->end() ? std::string_view() : std::string_view(file->second.text));
    }
}

}  // namespace assay
