// What a model can come to see of a situation, text by text: for the proofs that compare and search it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenario/render.h"

namespace assay {

struct VisibleText {
  std::string where;  // "system", "turn 2", "message 3", "the file '/srv/a.csv'"
  Place place;        // where most of it is written
  std::string text;
  bool operator==(const VisibleText& other) const { return where == other.where && text == other.text; }
};

// All of them, `situation` being one of `scenario`'s.
std::vector<VisibleText> visible(const Scenario& scenario, const Situation& situation);

// Where two situations of a scenario differ by more than what they say of `factor`: each has the text of its own level
// there, or a message or file that is this text and nothing else. The check's question may not differ at all. Parties,
// secrets and names of conditions, which no model sees, are compared too.
std::vector<std::string> differences(const std::string& factor, const Situation& a, const Situation& b);

}  // namespace assay
