// Jinja templates, compiled once and checked before use. The engine is llama.cpp's (common/jinja), kept behind
// template.cpp, condition_syntax.cpp, condition_commas.cpp and jinja_syntax.h.
//
// Names are checked against the syntax tree when a template is compiled, because the engine prints an undefined name as
// nothing. Allowed are {{ values }}, {% if %}, {% for %} over a list written out, comparisons, and the filters upper,
// lower, capitalize, title, trim, join, length, first, last. Macros, `set`, imports and the clock are refused, so that
// a template always ends; nesting and output are capped (TemplateLimits).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "base/result.h"

namespace assay {

struct TemplateLimits {
  size_t source_bytes = 64 << 10;
  int nesting = 32;  // parentheses, brackets and blocks inside each other
  size_t output_bytes = 256 << 10;
  size_t tokens = 2'000;        // of all its expressions and statements together
  size_t loop_rounds = 10'000;  // product of the lengths of nested loops' lists
};

// Where a text begins in its file, and how its own lines map to the file's lines.
struct TextOrigin {
  Place place;         // of the text's first character
  bool lines = false;  // line n of the text is line n of the file from there on, each `indent` columns in (a block
                       // scalar, a whole file)
  int indent = 0;
  std::string_view source;  // the whole file, for the line shown; not owned
  Place at(std::string_view text, size_t offset) const;
};

// What a template may speak of.
struct TemplateNames {
  std::set<std::string> values;                         // {{ company }}
  std::map<std::string, std::set<std::string>> fields;  // {{ decider.mail }}: the fields of values that are objects
  std::set<std::string> functions;                      // {{ slug(x) }}
  std::set<std::string> files;                          // {{ include('mail/x') }}: what may be named
  std::set<std::string> codes;                          // {{ code('never-subvert').explain }}
  std::set<std::string> levels;                         // {{ level.threat }}: factors that say `branches: true`
  std::set<std::string> unbranched;                     // factors that do not, for the message
  std::set<std::string> latent;                         // factors that no text may speak of, for the message
  std::map<std::string, std::vector<std::string>> level_names;  // of the former: what they may be compared with
  std::set<std::string>* spoken_of = nullptr;                   // where not null: gathers what texts do speak of
};

using TemplateFunction = std::function<Result<Json>(const std::vector<Json>& arguments)>;

// The values and functions of one rendering. Cheap to extend, made once per surface draw.
class TemplateContext {
 public:
  TemplateContext();
  ~TemplateContext();
  TemplateContext(TemplateContext&&) noexcept;
  TemplateContext& operator=(TemplateContext&&) noexcept;
  void set(const std::string& name, const Json& value);
  void set_function(const std::string& name, TemplateFunction function);

 private:
  friend class Template;
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

class Template {
 public:
  Template();  // renders to nothing
  // Adds to `diagnostics` and returns an empty template where the text is not acceptable.
  static Template compile(std::string text, const TextOrigin& origin, const TemplateNames& names,
                          Diagnostics& diagnostics);

  // Text without any template syntax costs nothing to render. An error does not say where: origin() does.
  Result<std::string> render(TemplateContext& context) const;
  const std::string& text() const { return text_; }
  const TextOrigin& origin() const { return origin_; }
  // The names it speaks of, functions included; `level.x` and `include('x')` are listed so too ("level.x",
  // "include:x").
  const std::set<std::string>& uses() const { return uses_; }
  bool empty() const { return text_.empty(); }

 private:
  struct Program;
  std::string text_;
  TextOrigin origin_;
  std::set<std::string> uses_;
  std::shared_ptr<const Program> program_;  // null: plain text
};

}  // namespace assay
