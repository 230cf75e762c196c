#include "scenario/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"

namespace assay {
namespace {

constexpr size_t most_nodes = 100'000;  // aliases expand: a few lines can name billions of values
constexpr size_t most_keys = 1'000;     // of one map
constexpr int deepest = 64;
constexpr const char* quote_braces = "a text that begins with {{ must stand in quotes: \"{{ ... }} ...\"";

class Reader {
 public:
  Reader(const SourceFile& file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {
    line_starts_.push_back(0);
    for (size_t i = 0; i < file.text.size(); ++i)
      if (file.text[i] == '\n') line_starts_.push_back(i + 1);
  }

  bool unreadable() const { return unreadable_; }

  YamlNode read(const YAML::Node& source, int depth) {
    YamlNode node;
    node.origin = origin(source);
    if (stopped_) return node;
    if (depth > deepest) return stop(node, fmt::format("nested deeper than {} levels", deepest));
    if (++nodes_ > most_nodes) return stop(node, fmt::format("this file expands to more than {} values", most_nodes));
    if (source.IsMap() && source.size() > most_keys)
      return stop(node, fmt::format("a map of {} keys; one may have {}", source.size(), most_keys));
    if (source.Tag().size() > 1) {  // "?" and "!" stand for plain and quoted texts
      complain(node, about_tag(source.Tag()), diagnostics_);
      unreadable_ = true;
      return node;
    }
    switch (source.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: break;
      case YAML::NodeType::Scalar:
        node.kind = YamlNode::Kind::text;
        node.text = source.Scalar();
        node.quoted = source.Tag() == "!";
        break;
      case YAML::NodeType::Sequence:
        node.kind = YamlNode::Kind::list;
        for (const YAML::Node& item : source)
          if (!stopped_) node.items.push_back(read(item, depth + 1));
        break;
      case YAML::NodeType::Map: {
        if (begins_with_braces(source)) return braces(std::move(node), source);
        node.kind = YamlNode::Kind::map;
        std::set<std::string> seen;
        for (const auto& entry : source) {
          if (stopped_) break;
          YamlNode key = read(entry.first, depth + 1);
          if (stopped_) break;
          if (key.kind == YamlNode::Kind::nothing)
            key.kind = YamlNode::Kind::text, key.text = entry.first.IsNull() ? "null" : "";
          if (key.kind != YamlNode::Kind::text) {
            complain(key, "a key must be a text", diagnostics_);
            continue;
          }
          if (!seen.insert(key.text).second)
            complain(key, fmt::format("the key '{}' stands here a second time", key.text), diagnostics_);
          YamlNode value = read(entry.second, depth + 1);
          if (stopped_) break;
          if (value.kind == YamlNode::Kind::nothing) value.origin = key.origin;  // the parser gives emptiness no place
          node.entries.push_back({std::move(key), std::move(value)});
        }
        break;
      }
    }
    return node;
  }

 private:
  // Beyond a limit nothing is read any more, and nothing else is said of the file.
  YamlNode stop(const YamlNode& where, const std::string& why) {
    complain(where, why, diagnostics_);
    stopped_ = unreadable_ = true;
    return where;
  }

  // "!done" and "!!int": YAML takes them for the names of types. Here a value's key says what it is.
  static std::string about_tag(const std::string& tag) {
    constexpr std::string_view core = "tag:yaml.org,2002:";
    if (tag[0] == '!') return "a text that begins with ! must stand in quotes";
    return fmt::format("the tag {} means nothing here; write the value without it (a text of digits: in quotes)",
                       tag.starts_with(core) ? "!!" + tag.substr(core.size()) : "!<" + tag + ">");
  }

  size_t offset_of(const YAML::Node& source) const {
    YAML::Mark mark = source.Mark();
    size_t line = static_cast<size_t>(std::max(0, mark.line));
    if (mark.is_null() || line >= line_starts_.size()) return file_.text.size();
    return std::min(file_.text.size(), line_starts_[line] + static_cast<size_t>(mark.column));
  }

  bool begins_with_braces(const YAML::Node& source) const {
    return std::string_view(file_.text).substr(offset_of(source)).starts_with("{{");
  }

  // "me: {{ desk }}" is a map in a map to YAML, and a template to its author: told once, and read on as the text.
  YamlNode braces(YamlNode node, const YAML::Node& source) {
    std::string_view rest = std::string_view(file_.text).substr(offset_of(source));
    rest = rest.substr(0, rest.find('\n'));
    size_t end = rest.find("}}");
    complain(node, quote_braces, diagnostics_);
    node.kind = YamlNode::Kind::text;
    node.text = end == std::string_view::npos ? "" : std::string(rest.substr(0, end + 2));
    return node;
  }

  // Where the text of a scalar begins: after the quote, or on the line below a block's `|`.
  TextOrigin origin(const YAML::Node& source) {
    TextOrigin found;
    found.source = file_.text;
    YAML::Mark mark = source.Mark();
    if (mark.is_null()) {
      found.place = {file_.name, 1, 1};
      return found;
    }
    found.place = {file_.name, mark.line + 1, mark.column + 1};
    size_t line = static_cast<size_t>(mark.line);
    if (!source.IsScalar() || line >= line_starts_.size()) return found;
    size_t at = line_starts_[line] + static_cast<size_t>(mark.column);
    if (at >= file_.text.size()) return found;
    char first = file_.text[at];
    if (first == '"' || first == '\'') {
      ++found.place.column;
    } else if (first == '|' && line + 1 < line_starts_.size()) {
      // The block's indent is that of its first line with words; the text's own lines follow the file's one to one.
      size_t words = line + 1;
      auto blank = [&](size_t l) {
        size_t end = file_.text.find('\n', line_starts_[l]);
        return trimmed(std::string_view(file_.text).substr(line_starts_[l], end - line_starts_[l])).empty();
      };
      while (words + 1 < line_starts_.size() && blank(words)) ++words;
      found.indent = static_cast<int>(file_.text.find_first_not_of(' ', line_starts_[words]) - line_starts_[words]);
      found.place.line = mark.line + 2;
      found.place.column = found.indent + 1;
      found.lines = true;
    }
    return found;
  }

  const SourceFile& file_;
  Diagnostics& diagnostics_;
  std::vector<size_t> line_starts_;
  size_t nodes_ = 0;
  bool stopped_ = false;     // too much of it: the rest was not read
  bool unreadable_ = false;  // something in it cannot be what its author meant, so that all else would be guesses
};

constexpr const char* misfit = "the indentation does not fit what stands above";

// What yaml-cpp says, in a user's words.
std::string explained(std::string message) {
  if (message.find("end of map flow") != std::string::npos) return "a map that was opened with { is not closed with }";
  if (message.find("end of sequence flow") != std::string::npos)
    return "a list that was opened with [ is not closed with ]";
  if (message.find("illegal map value") != std::string::npos)
    return "a ':' that cannot stand here; quote the text, or mend the indentation";
  if (message.find("end of map not found") != std::string::npos ||
      message.find("end of sequence not found") != std::string::npos)
    return misfit;
  if (message.find("anchor is not defined") != std::string::npos)
    return "a text that begins with * must stand in quotes (without them, * repeats what was marked with &)";
  if (message == "unknown token") return "this character cannot begin a text; put the text in quotes";
  return message;
}

// What `text` cannot be read for, and where; nothing if it can.
std::optional<YAML::Exception> failure_of(const std::string& text) {
  try {
    YAML::LoadAll(text);
  } catch (const YAML::Exception& e) {
    return e;
  }
  return std::nullopt;
}

size_t start_of_line(std::string_view text, int line) {  // from 1
  size_t start = 0;
  for (int l = 1; l < line; ++l) {
    size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return text.size();
    start = end + 1;
  }
  return start;
}

// "- user: {{ pressure }} Please" opens a map to YAML, which then fails somewhere near. The place of such braces on the
// line of the failure or the one above, if reading comes further without them: then they are the cause.
std::optional<Place> braces_to_blame(const SourceFile& file, const YAML::Exception& failure) {
  int tries = 8;  // each reads the file once more
  for (int line = std::max(1, failure.mark.line); line <= failure.mark.line + 1; ++line) {
    size_t start = start_of_line(file.text, line), end = std::min(file.text.find('\n', start), file.text.size());
    for (size_t at = file.text.find("{{", start); at < end; at = file.text.find("{{", at + 2)) {
      std::string_view before = trimmed(std::string_view(file.text).substr(start, at - start));
      if (!before.empty() && std::string_view(":-[,{").find(before.back()) == std::string_view::npos) continue;
      size_t close = file.text.find("}}", at);
      if (close >= end) continue;
      if (tries-- == 0) return std::nullopt;
      std::string mended = file.text;
      std::fill(mended.begin() + static_cast<long>(at), mended.begin() + static_cast<long>(close) + 2, 'x');
      std::optional<YAML::Exception> next = failure_of(mended);
      if (!next || next->mark.pos > failure.mark.pos) return Place{file.name, line, static_cast<int>(at - start) + 1};
    }
  }
  return std::nullopt;
}

}  // namespace

bool check_text(const SourceFile& file, Diagnostics& diagnostics) {
  const std::string mended = valid_utf8(file.text);
  size_t wrong = std::min(file.text.find('\0'), file.text.size());
  size_t other = static_cast<size_t>(
      std::mismatch(file.text.begin(), file.text.end(), mended.begin(), mended.end()).first - file.text.begin());
  wrong = std::min(wrong, other);
  if (wrong == file.text.size()) return true;
  size_t newline = wrong == 0 ? std::string::npos : file.text.rfind('\n', wrong - 1);
  size_t start = newline == std::string::npos ? 0 : newline + 1;
  int line = 1 + static_cast<int>(std::count(file.text.begin(), file.text.begin() + static_cast<long>(start), '\n'));
  unsigned char byte = static_cast<unsigned char>(file.text[wrong]);
  diagnostics.add({file.name, line, static_cast<int>(wrong - start) + 1},
                  byte == 0 ? "the file holds a zero byte: it is no text"
                            : fmt::format("the byte 0x{:02X} is no UTF-8; save this file as UTF-8", byte),
                  file.text);
  return false;
}

const YamlNode* YamlNode::find(const std::string& key) const {
  for (const auto& [name, value] : entries)
    if (name.text == key) return &value;
  return nullptr;
}

const char* YamlNode::kind_name() const {
  switch (kind) {
    case Kind::nothing: return "nothing";
    case Kind::text: return "a text";
    case Kind::list: return "a list";
    case Kind::map: return "a map";
  }
  return "";
}

std::optional<YamlNode> parse_yaml(const SourceFile& file, Diagnostics& diagnostics) {
  if (!check_text(file, diagnostics)) return std::nullopt;  // the parser stops at a zero byte without a word
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(file.text);
    if (documents.size() > 1) {
      int line = documents[1].Mark().line + 1;
      auto begins_document = [&](int l) {
        return std::string_view(file.text).substr(start_of_line(file.text, l)).starts_with("---");
      };
      for (int above = line; above > 1; --above)
        if (begins_document(above)) {
          line = above;
          break;
        }
      diagnostics.add({file.name, line, 1}, "a second YAML document in one file; there must be one", file.text);
      return std::nullopt;
    }
    size_t before = diagnostics.size();
    Reader reader(file, diagnostics);
    YamlNode root = reader.read(documents.empty() ? YAML::Node() : documents[0], 0);
    if (reader.unreadable()) return std::nullopt;
    if (root.kind != YamlNode::Kind::map) {
      if (diagnostics.size() == before)
        diagnostics.add({file.name, 1, 1}, fmt::format("expected a map of keys, found {}", root.kind_name()),
                        file.text);
      return std::nullopt;
    }
    return root;
  } catch (const YAML::Exception& e) {
    if (dynamic_cast<const YAML::DeepRecursion*>(&e)) {
      diagnostics.add({file.name, e.mark.line + 1, 1}, fmt::format("nested deeper than {} levels", deepest), file.text);
      return std::nullopt;
    }
    std::string message = explained(e.msg);
    Place place{file.name, std::max(1, e.mark.line + 1), std::max(1, e.mark.column + 1)};
    // A tab that indents is the commonest cause, and the parser speaks of everything but the tab.
    size_t start = start_of_line(file.text, place.line);
    size_t words = file.text.find_first_not_of(" \t", start);
    if (size_t tab = file.text.find('\t', start); tab < words) {
      message = "a tab in the indentation; YAML indents with blanks";
      place.column = static_cast<int>(tab - start) + 1;
    } else if (std::optional<Place> braces = braces_to_blame(file, e)) {
      message = quote_braces;
      place = *braces;
    } else if (words < file.text.size() && file.text[words] == '-' && message == misfit) {
      message = "an item of a list stands here, where a key belongs; or the indentation does not fit";
    }
    diagnostics.add(place, "not YAML: " + message, file.text);
    return std::nullopt;
  }
}

void complain(const YamlNode& node, std::string message, Diagnostics& diagnostics) {
  diagnostics.add(node.origin.place, std::move(message), node.origin.source);
}

std::string guess(const std::string& word, const std::vector<std::string>& known) {
  std::string near = nearest(word, known);
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  return known.empty() ? "there are none" : "there are " + joined(known, ", ");
}

Fields::Fields(const YamlNode& node, const std::string& what, const std::vector<std::string>& known,
               const std::vector<std::string>& required, Diagnostics& diagnostics)
    : node_(node), is_map_(node.kind == YamlNode::Kind::map) {
  if (!is_map_) {
    complain(node,
             fmt::format("{} must be a map with the keys {}; found {}", what, joined(known, ", "), node.kind_name()),
             diagnostics);
    return;
  }
  for (const auto& [key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    std::string guess = nearest(key.text, known);
    complain(key,
             fmt::format("unknown key '{}' in {}; {}", key.text, what,
                         guess.empty() ? "it may have " + joined(known, ", ") : "did you mean '" + guess + "'?"),
             diagnostics);
  }
  for (const std::string& key : required)
    if (!node.find(key)) complain(node, fmt::format("{} needs the key '{}'", what, key), diagnostics);
}

std::optional<std::string> as_text(const YamlNode& node, const std::string& what, Diagnostics& diagnostics) {
  if (node.kind == YamlNode::Kind::text) return node.text;
  complain(node, fmt::format("{} must be a text; found {}", what, node.kind_name()), diagnostics);
  return std::nullopt;
}

std::optional<bool> as_truth(const YamlNode& node, const std::string& what, Diagnostics& diagnostics) {
  if (node.kind == YamlNode::Kind::text && (node.text == "true" || node.text == "false")) return node.text == "true";
  complain(node, fmt::format("{} must be true or false", what), diagnostics);
  return std::nullopt;
}

std::optional<int> as_integer(const YamlNode& node, const std::string& what, int low, int high,
                              Diagnostics& diagnostics) {
  int value = 0;
  const char* end = node.text.data() + node.text.size();
  auto [stopped, failed] = std::from_chars(node.text.data(), end, value);
  if (node.kind == YamlNode::Kind::text && failed == std::errc() && stopped == end && value >= low && value <= high)
    return value;
  complain(node, fmt::format("{} must be a whole number from {} to {}", what, low, high), diagnostics);
  return std::nullopt;
}

std::optional<double> as_number(const YamlNode& node, const std::string& what, double low, double high,
                                Diagnostics& diagnostics) {
  double value = 0;
  const char* end = node.text.data() + node.text.size();
  auto [stopped, failed] = std::from_chars(node.text.data(), end, value);
  if (node.kind == YamlNode::Kind::text && failed == std::errc() && stopped == end && value >= low && value <= high)
    return value;
  complain(node, fmt::format("{} must be a number from {} to {}", what, low, high), diagnostics);
  return std::nullopt;
}

std::vector<const YamlNode*> as_texts(const YamlNode& node, const std::string& what, Diagnostics& diagnostics) {
  std::vector<const YamlNode*> texts;
  if (node.kind == YamlNode::Kind::text) return {&node};
  if (node.kind != YamlNode::Kind::list) {
    complain(node, fmt::format("{} must be a list of texts; found {}", what, node.kind_name()), diagnostics);
    return texts;
  }
  for (const YamlNode& item : node.items) {
    if (item.kind == YamlNode::Kind::text)
      texts.push_back(&item);
    else
      complain(item, fmt::format("{} must be a list of texts; found {} in it", what, item.kind_name()), diagnostics);
  }
  return texts;
}

std::vector<const YamlNode*> as_names(const YamlNode& node, const std::string& what, Diagnostics& diagnostics) {
  std::vector<const YamlNode*> names;
  std::set<std::string> seen;
  for (const YamlNode* item : as_texts(node, what, diagnostics)) {
    if (seen.insert(item->text).second)
      names.push_back(item);
    else
      complain(*item, fmt::format("'{}' stands in {} a second time", item->text, what), diagnostics);
  }
  return names;
}

Json to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::nothing: return nullptr;
    case YamlNode::Kind::text: {
      if (node.quoted) return node.text;
      if (node.text == "true") return true;
      if (node.text == "false") return false;
      int64_t number = 0;
      const char* end = node.text.data() + node.text.size();
      auto [stopped, failed] = std::from_chars(node.text.data(), end, number);
      if (failed == std::errc() && stopped == end) return number;
      return node.text;
    }
    case YamlNode::Kind::list: {
      Json list = Json::array();
      for (const YamlNode& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case YamlNode::Kind::map: {
      Json map = Json::object();
      for (const auto& [key, value] : node.entries) map[key.text] = to_json(value);
      return map;
    }
  }
  return nullptr;
}

}  // namespace assay
