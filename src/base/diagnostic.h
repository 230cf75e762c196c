// Mistakes in files: collected, all at once, each with its place, the line and a caret.
//
//   suites/first/desk.yaml:12:9: error: unknown key 'promt'; did you mean 'prompt'?
//      12 | promt: |
//         | ^
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

// A place in a source text. Lines and columns count from 1; columns count bytes. Line 0: the file as a whole.
struct Place {
  std::string file;  // as the user would name it
  int line = 0;
  int column = 0;
  auto operator<=>(const Place&) const = default;
};

// A file that was read. `name` is what messages call it; the key under which others find it is the caller's.
struct SourceFile {
  std::string name;
  std::string text;
};

struct Diagnostic {
  Place place;
  std::string message;  // what is wrong and what was expected, without a final full stop
  std::string line;     // the source line, "" if there is none
};

class Diagnostics {
 public:
  // `text` is the whole file, from which the line is cut; it may be empty.
  void add(Place place, std::string message, std::string_view text);
  bool empty() const { return list_.empty(); }
  size_t size() const { return list_.size(); }
  // In order of file, line, column. At most `most` are shown, and the rest counted.
  std::string format(size_t most = 50) const;
  const std::vector<Diagnostic>& list() const { return list_; }

 private:
  std::vector<Diagnostic> list_;
};

}  // namespace assay
