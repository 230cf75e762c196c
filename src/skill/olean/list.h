// Lists of names: what `olean-names` and `assay olean names` print.
//
//   Listing listing(files.space, {*module}, {});
//   for (std::string out; listing.fill(out); out.clear()) write(out);
//   write(out); for (const std::string& fault : listing.faults()) ...
//
// A name that cannot be read is left out and told of; the others are listed all the same.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "skill/olean/module.h"
#include "skill/olean/names.h"

namespace assay::olean {

enum class Style {
  plain,    // components joined by dots
  escaped,  // as Lean writes it, with «»
  json,     // {"name": "Nat.rec", "kind": "recursor", "components": ["Nat", "rec"]}
};

struct ListOptions {
  Style style = Style::plain;
  bool escaped_in_json = false;  // the "name" of a JSON line is as Lean writes it
  bool kinds = false;            // "recursor<TAB>Nat.rec"; and names are compared with those in the constants
  bool sorted = false;           // by the bytes of the name as it is written; else as stored
  bool internal = true;          // with names of which a component begins with _
  char end = '\n';
  Shown where = Shown::in_file;
  std::string file;  // not "": stands before each name, with a tab, or is the "file" of a JSON line
  NameLimits limits;
  // Bytes listed, and bytes of names read; 0: 16 MiB and four times the files' size. Real lists have a tenth of it.
  uint64_t most_output = 0;
  std::function<bool(std::string_view plain)> wanted;  // asked of every name, where it is set
};

class Listing {
 public:
  // Of several modules (the parts of one) each name is listed once, as the first of them has it. All that is referred
  // to outlives the listing.
  Listing(const Space& space, std::vector<Module> modules, ListOptions options);

  // Appends some 64 KiB of whole lines. False: these were the last.
  bool fill(std::string& out);

  uint64_t listed() const { return listed_; }
  uint64_t fault_count() const { return fault_count_; }
  const std::vector<std::string>& faults() const { return faults_; }  // the first ten, as sentences
  // Names whose stored hash is not what follows from their parts; 0 for v0, which may have another hash. A warning.
  uint64_t wrong_hashes() const { return wrong_hashes_; }
  const std::string& first_wrong_hash() const { return first_wrong_hash_; }

 private:
  struct Line {
    std::string name, text;
  };
  bool next(std::string& out);
  void line(const Module& module, std::string& out);
  bool kind_of(const Module& module, uint64_t word, Constant& out);
  bool seen_before(uint64_t word);
  void fault(std::string sentence);
  void begin_module();

  const Space& space_;
  const std::vector<Module> modules_;
  const ListOptions options_;
  const bool fast_;  // plain names of one module, without anything else
  NameReader reader_;
  uint64_t most_output_, written_ = 0;
  size_t module_ = 0;
  uint64_t next_ = 0;
  bool ended_ = false;
  std::vector<std::vector<uint64_t>> listed_objects_;  // a bit an object, of each part
  std::unordered_set<std::string> listed_names_;       // where there are several modules
  Name name_;
  std::string plain_;
  std::vector<Line> lines_;
  size_t next_line_ = 0;
  bool collected_ = false;
  uint64_t listed_ = 0, fault_count_ = 0, wrong_hashes_ = 0;
  std::vector<std::string> faults_;
  std::string first_wrong_hash_;
};

}  // namespace assay::olean
