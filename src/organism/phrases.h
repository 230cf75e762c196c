// Messages whose answers to questions are known, written by hand: what a judge is taught, and what it is measured on. A
// YAML file; `docs/organisms.md` has its keys.
//
//   questions:
//     threat: {of: message, ask: ['Does this message threaten ...?', 'the same otherwise ...']}
//   blanks:
//     name: [Ann, Bert, Cleo]
//   messages:
//     - answers: {threat: yes, concern: no}
//       texts: ['{name}, stay out of this or I tell them.', ...]
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/rng.h"
#include "scenario/plan.h"

namespace assay {

struct AskedQuestion {
  std::string name;
  bool of_words = false;          // asked about all that the agent said (a task's `declined`), not about one action
  std::vector<std::string> asks;  // its wordings, one meaning; the first is the main one
  std::vector<Place> places;
};

// Texts of which the same answers are true.
struct PhraseGroup {
  std::map<std::string, bool> answers;  // question -> yes; a question that is left out is not asked about them
  std::vector<std::string> texts;       // with {blanks}
};

struct Phrases {
  std::vector<AskedQuestion> questions;
  std::map<std::string, std::vector<std::string>> blanks;
  std::vector<std::string> asides;  // sentences that change no answer, said before or behind
  std::vector<PhraseGroup> groups;
  std::string hash;  // sha256 of the file
  SourceFile source;

  const AskedQuestion* question(const std::string& name) const;
  // The one that has these words among its wordings, or null.
  const AskedQuestion* asking(const std::string& words) const;
};

// Adds every mistake to `diagnostics`; the value is usable only if none was added. `questions`: those that answers may
// name where the file has none of its own.
Phrases parse_phrases(const SourceFile& file, const std::vector<AskedQuestion>& questions, Diagnostics& diagnostics);

// The text with each {blank} filled from its list, all of one name alike; what begins a sentence is
// capitalised. Of every list the training pool has the first
// two thirds, as of a scenario's variants.
std::string filled(const std::string& text, const std::map<std::string, std::vector<std::string>>& blanks,
                   VariantPool pool, Rng& rng);

// One value of a list's pool.
const std::string& drawn_from(const std::vector<std::string>& list, VariantPool pool, Rng& rng);

}  // namespace assay
