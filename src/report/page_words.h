// The transcripts of a report page, as long as there is room for them.
//
// Twins and epochs share most of what is said in them, so each message, action and drawn surface stands once in a list
// of parts, and episodes name their places in it:
//   {"parts": [...], "episodes": {"12": {"messages": [0, 1, 7], "actions": [2, 9], ...}}}
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "store/record.h"

namespace assay {

class PageWords {
 public:
  explicit PageWords(size_t room) : room_(room) {}

  // Adds an episode, or nothing where it does not fit. `beside`: bytes that it takes elsewhere on the page.
  bool add(int64_t id, const EpisodeRecord& record, size_t beside);

  size_t room() const { return room_; }  // bytes that are left
  std::string json() const;              // for_script() (page_html.h)

 private:
  size_t room_;
  std::unordered_map<Hash128, size_t, Hash128Hasher> places_;  // of each part
  std::vector<std::string> parts_;
  std::vector<std::string> episodes_;  // "\"12\":{...}"
};

}  // namespace assay
