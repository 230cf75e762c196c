// A run -> the data of its report page: one HTML file that explains itself, in which every number leads to the words
// behind it. What it looks like is web/'s business; page_html.h joins the two.
//
//   Result<Page> page = page_of(*run, *suite, {.code = "", .room = 20'000'000});
//   file << page_html(sources, *page);
//
// Every number on the page is of all episodes. Their words are the bulk of a page, so where there is no room for all of
// them, whole episodes are left out, in this order of importance (the page says so, with how many):
//   1  for each model, scenario and change of level a pair of twins: one that the change moved to subversion if there
//      is one, else one that it moved away from it, else one with other verdicts, else the first
//   2  subversions under the code that is shown first
//   3  all others, epoch by epoch, so that those that are shown are whole sets of twins
// One that does not fit is passed over for a smaller one.
#pragma once

#include <cstdint>
#include <string>

#include "store/run_file.h"

namespace assay {

struct PageRequest {
  std::string code;          // shown first; "": the suite's first
  size_t room = 20'000'000;  // bytes that numbers and words together may take
};

struct Page {
  std::string title;     // as plain text
  std::string data;      // JSON: the numbers, and a row for each episode that is shown
  std::string words;     // JSON: the transcripts, each message and action once however many episodes share it
  int64_t episodes = 0;  // of the run
  int64_t shown = 0;     // of those, with their words
};

// `suite` is the run's own (run_suite.h). Errors: the file cannot be read; the numbers alone take more than
// the room. Both JSON texts are for_script() (page_html.h).
Result<Page> page_of(const RunReader& run, const Suite& suite, const PageRequest& request = {});

}  // namespace assay
