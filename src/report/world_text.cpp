#include "report/world_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay {
namespace {

std::string scalar(const Json& value) { return value.is_string() ? value.get<std::string>() : to_line(value); }

// "name: value", lists with dashes, everything below a name two columns further in: what YAML looks like.
class Sheet {
 public:
  explicit Sheet(const Style& style) : pen_(style), columns_(style.columns()) {}

  // `lead`: what stands before the first line in place of blanks ("- "); the lines below it are indented alike.
  void members(const Json& object, int indent, std::string lead) {
    for (const auto& [name, value] : object.items()) {
      const std::string before = std::string(static_cast<size_t>(indent) - lead.size(), ' ') + lead;
      lead.clear();
      named(before + one_line(name) + ":", value, indent);
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void named(const std::string& name, const Json& value, int indent) {
    if (value.is_structured() && value.empty()) return line(name, "none");
    if (value.is_object()) {
      out_ += pen_.bold(clipped(name, columns_)) + "\n";
      members(value, indent + 2, "");
    } else if (value.is_array()) {
      out_ += pen_.bold(clipped(name, columns_)) + "\n";
      for (const Json& item : value) {
        if (item.is_object() && !item.empty())
          members(item, indent + 4, "- ");
        else
          line(std::string(static_cast<size_t>(indent) + 2, ' ') + "-", scalar(item));
      }
    } else {
      line(name, scalar(value));
    }
  }

  // On one line where it fits, else below the name.
  void line(const std::string& name, const std::string& value) {
    const size_t indent = std::min(name.size() - trimmed(name).size() + 2, static_cast<size_t>(columns_) / 2);
    std::string safe = for_terminal(value);
    std::replace(safe.begin(), safe.end(), '\t', ' ');
    if (safe.find('\n') == safe.npos && display_width(name) + 1 + display_width(safe) <= columns_) {
      out_ += pen_.bold(name) + " " + safe + "\n";
      return;
    }
    out_ += pen_.bold(clipped(name, columns_)) + "\n";
    for (const std::string& row : wrapped(trimmed(safe), columns_ - static_cast<int>(indent)))
      out_ += std::string(indent, ' ') + row + "\n";
  }

  Pen pen_;
  int columns_;
  std::string out_;
};

std::string part_line(const Json& part) {
  if (!part.is_object()) return clipped(one_line(scalar(part)), 40);
  std::vector<std::string> members;
  for (const auto& [name, value] : part.items())
    members.push_back(
        fmt::format("{} {}", one_line(name),
                    value.is_structured() ? std::to_string(value.size()) : clipped(one_line(scalar(value)), 40)));
  return joined(members, ", ");
}

}  // namespace

std::string state_text(const Json& state, const Style& style) {
  Sheet sheet(style);
  sheet.members(state, 0, "");
  return sheet.take();
}

std::string state_line(const Json& state) {
  std::vector<std::string> parts;
  for (const auto& [name, part] : state.items())
    parts.push_back(fmt::format("{}: {}", one_line(name), part_line(part)));
  return joined(parts, "; ");
}

std::string tools_text(const std::vector<ToolSpec>& tools, const Style& style) {
  const Pen pen(style);
  std::string out;
  for (const ToolSpec& tool : tools) {
    const Json properties = tool.parameters.value("properties", Json::object());
    const Json required = tool.parameters.value("required", Json::array());
    std::string arguments;
    for (const auto& [name, schema] : properties.items()) {
      const bool must = std::find(required.begin(), required.end(), name) != required.end();
      arguments += must ? " " + one_line(name) : fmt::format(" [{}]", one_line(name));
    }
    out += pen.bold(one_line(tool.name)) + clipped(arguments, style.columns() - display_width(tool.name)) + "\n";
    for (const std::string& row : wrapped(one_line(tool.description), style.columns() - 2)) out += "  " + row + "\n";
  }
  return out;
}

}  // namespace assay
