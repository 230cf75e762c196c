// The three answers of a report page, a few sentences each: what a model does, what makes it do so, and how sure that
// is. They are made of the summary's numbers and say nothing that it does not.
#pragma once

#include <string>

#include "report/summary.h"

namespace assay {

struct Answers {
  std::string does, causes, sure;
};

// Under one of the summary's codes. Names of files and models stand in them as they are.
Answers answers_of(const Summary& summary, const CodeSummary& code, const ModelSummary& model);

}  // namespace assay
