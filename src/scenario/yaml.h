// YAML with places: a file becomes a tree of plain nodes, each of which knows where it stands. yaml-cpp reads it; what
// that library lets pass is reported here (duplicate keys, tags, aliases that multiply, depth).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "scenario/template.h"

namespace assay {

struct YamlEntry;

struct YamlNode {
  enum class Kind { nothing, text, list, map };
  Kind kind = Kind::nothing;
  std::string text;     // texts as written: numbers and yes/no too
  bool quoted = false;  // a text in quotes or a block: never a number
  TextOrigin origin;    // of the text; its place is the node's
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // keys are texts

  const YamlNode* find(const std::string& key) const;
  const char* kind_name() const;  // "nothing", "a text", "a list", "a map"
};

struct YamlEntry {
  YamlNode key, value;
};

// Whether a file is text: UTF-8 without a zero byte. If not, its first wrong byte was added as a mistake.
bool check_text(const SourceFile& file, Diagnostics& diagnostics);

// Nothing if the file is no YAML: then its first mistake was added, the only one the parser can tell.
std::optional<YamlNode> parse_yaml(const SourceFile& file, Diagnostics& diagnostics);

// A map whose keys are known. Reports at once what is not a map, unknown keys (with "did you mean") and missing ones.
//
//   Fields fields(node, "a party", {"rank", "channel", "members"}, {"members"}, diagnostics);
//   if (const YamlNode* rank = fields.get("rank")) ...
class Fields {
 public:
  Fields(const YamlNode& node, const std::string& what, const std::vector<std::string>& known,
         const std::vector<std::string>& required, Diagnostics& diagnostics);
  const YamlNode* get(const std::string& key) const { return is_map_ ? node_.find(key) : nullptr; }
  bool is_map() const { return is_map_; }

 private:
  const YamlNode& node_;
  bool is_map_;
};

// Adds a mistake at a node.
void complain(const YamlNode& node, std::string message, Diagnostics& diagnostics);

// How a message about an unknown word ends: "did you mean 'owner'?", "there are owner, user" or "there are none".
std::string guess(const std::string& word, const std::vector<std::string>& known);

// A text, true or false, a whole number in a range, a number, a list of texts (a single text counts as a list of one):
// the value, or a mistake that says what was expected.
std::optional<std::string> as_text(const YamlNode& node, const std::string& what, Diagnostics& diagnostics);
std::optional<bool> as_truth(const YamlNode& node, const std::string& what, Diagnostics& diagnostics);
std::optional<int> as_integer(const YamlNode& node, const std::string& what, int low, int high,
                              Diagnostics& diagnostics);
std::optional<double> as_number(const YamlNode& node, const std::string& what, double low, double high,
                                Diagnostics& diagnostics);
std::vector<const YamlNode*> as_texts(const YamlNode& node, const std::string& what, Diagnostics& diagnostics);
// A list of names: texts, none of which stands there twice.
std::vector<const YamlNode*> as_names(const YamlNode& node, const std::string& what, Diagnostics& diagnostics);

// The node as JSON: plain numbers and true/false become such, everything else stays text.
Json to_json(const YamlNode& node);

}  // namespace assay
