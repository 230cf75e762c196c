#include "scenario/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "base/text.h"
#include "scenario/jinja_syntax.h"

namespace assay {
namespace {

const std::set<std::string> filters = {"upper", "lower",  "capitalize", "title", "trim",
                                       "join",  "length", "first",      "last"};

std::vector<std::string> list_of(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

jinja::value to_jinja(const Json& json) {
  using namespace jinja;
  if (json.is_boolean()) return mk_val<value_bool>(json.get<bool>());
  if (json.is_number_integer()) return mk_val<value_int>(json.get<int64_t>());
  if (json.is_number()) return mk_val<value_float>(json.get<double>());
  if (json.is_string()) return mk_val<value_string>(json.get<std::string>());
  if (json.is_array()) {
    auto array = mk_val<value_array>();
    for (const Json& item : json) array->push_back(to_jinja(item));
    return array;
  }
  if (json.is_object()) {
    auto object = mk_val<value_object>();
    for (const auto& [key, value] : json.items()) object->insert(key, to_jinja(value));
    return object;
  }
  return mk_val<value_none>();
}

Json from_jinja(const jinja::value& value) {
  using namespace jinja;
  if (is_val<value_bool>(value)) return value->as_bool();
  if (is_val<value_int>(value)) return value->as_int();
  if (is_val<value_string>(value)) return value->as_string().str();
  return nullptr;
}

// Walks the syntax tree of a template: everything it may hold is named here, all else is refused.
class Checker {
 public:
  Checker(const JinjaSource& parsed, std::string_view own, const TextOrigin& origin, const TemplateNames& names,
          std::set<std::string>& uses, Diagnostics& diagnostics)
      : source_(parsed.source), own_(own), origin_(origin), names_(names), uses_(uses), diagnostics_(diagnostics) {
    for (const auto& statement : parsed.program.body) walk(statement.get());
  }

 private:
  void complain(const jinja::statement& node, std::string message) {
    diagnostics_.add(origin_.at(own_, offset_of(node, source_)), std::move(message), origin_.source);
  }

  void walk(const jinja::statements& list) {
    for (const auto& node : list) walk(node.get());
  }

  void walk(const jinja::statement* node) {
    using namespace jinja;
    if (!node) return;
    if (auto* n = dynamic_cast<const if_statement*>(node)) {
      walk(n->test.get());
      walk(n->body);
      walk(n->alternate);
    } else if (auto* loop = dynamic_cast<const for_statement*>(node)) {
      walk_loop(*loop);
    } else if (auto* id = dynamic_cast<const identifier*>(node)) {
      name(*id, true);
    } else if (auto* member = dynamic_cast<const member_expression*>(node)) {
      walk_member(*member);
    } else if (auto* call = dynamic_cast<const call_expression*>(node)) {
      walk_call(*call);
    } else if (auto* binary = dynamic_cast<const binary_expression*>(node)) {
      walk(binary->left.get());
      walk(binary->right.get());
      if (binary->op.value == "*") complain(*node, "multiplication is not allowed in a template");
      const std::string& op = binary->op.value;
      if (op == "==" || op == "!=" || op == "in" || op == "not in") {
        check_level(binary->left.get(), binary->right.get());
        check_level(binary->right.get(), binary->left.get());
      }
    } else if (auto* unary = dynamic_cast<const unary_expression*>(node)) {
      walk(unary->argument.get());
    } else if (auto* ternary = dynamic_cast<const ternary_expression*>(node)) {
      walk(ternary->condition.get());
      walk(ternary->true_expr.get());
      walk(ternary->false_expr.get());
    } else if (auto* select = dynamic_cast<const select_expression*>(node)) {
      walk(select->test.get());
      walk(select->lhs.get());
    } else if (auto* array = dynamic_cast<const array_literal*>(node)) {
      walk(array->val);
    } else if (auto* filter = dynamic_cast<const filter_expression*>(node)) {
      walk(filter->operand.get());
      walk_filter(*filter);
    } else if (dynamic_cast<const string_literal*>(node) || dynamic_cast<const integer_literal*>(node) ||
               dynamic_cast<const float_literal*>(node) || dynamic_cast<const comment_statement*>(node)) {
      // nothing to check
    } else if (dynamic_cast<const macro_statement*>(node)) {
      complain(*node, "macros are not allowed in a template");
    } else if (dynamic_cast<const set_statement*>(node)) {
      complain(*node, "`set` is not allowed in a template");
    } else {
      complain(*node, fmt::format("{} is not allowed in a template", node->type()));
    }
  }

  void walk_loop(const jinja::for_statement& loop) {
    auto* variable = dynamic_cast<const jinja::identifier*>(loop.loopvar.get());
    auto* list = dynamic_cast<const jinja::array_literal*>(loop.iterable.get());
    if (!variable) return complain(loop, "a loop needs one name: {% for x in ['a', 'b'] %}");
    if (!list) return complain(loop, "a loop runs over a list written out: {% for x in ['a', 'b'] %}");
    walk(list->val);
    size_t rounds = rounds_;
    rounds_ *= std::max<size_t>(1, list->val.size());
    if (rounds_ > TemplateLimits{}.loop_rounds)
      complain(loop, fmt::format("these loops run {} times; {} are allowed", rounds_, TemplateLimits{}.loop_rounds));
    loop_names_.push_back(variable->val);
    walk(loop.body);
    loop_names_.pop_back();
    rounds_ = rounds;
    walk(loop.default_block);
  }

  // A level that its factor lacks would make a branch that is never taken.
  void check_level(const jinja::statement* subject, const jinja::statement* words) {
    auto* member = dynamic_cast<const jinja::member_expression*>(subject);
    auto* object = member ? dynamic_cast<const jinja::identifier*>(member->object.get()) : nullptr;
    auto* property = member ? dynamic_cast<const jinja::identifier*>(member->property.get()) : nullptr;
    if (!object || !property || object->val != "level") return;
    auto factor = names_.level_names.find(property->val);
    if (factor == names_.level_names.end()) return;
    if (auto* list = dynamic_cast<const jinja::array_literal*>(words))
      for (const auto& item : list->val) check_level(subject, item.get());
    auto* text = dynamic_cast<const jinja::string_literal*>(words);
    if (!text || std::count(factor->second.begin(), factor->second.end(), text->val)) return;
    std::string guess = nearest(text->val, factor->second);
    complain(*text, fmt::format(
                        "factor '{}' has no level '{}'; {}", factor->first, text->val,
                        guess.empty() ? "there are " + joined(factor->second, ", ") : "did you mean '" + guess + "'?"));
  }

  void name(const jinja::identifier& id, bool printed) {
    const std::string& word = id.val;
    if (std::count(loop_names_.begin(), loop_names_.end(), word) || word == "true" || word == "false" || word == "none")
      return;
    if (names_.values.count(word)) {
      uses_.insert(word);
      auto fields = names_.fields.find(word);
      if (printed && fields != names_.fields.end()) {
        std::vector<std::string> all = list_of(fields->second);
        complain(id,
                 fmt::format("'{}' has fields; name one of them: {}.{}", word, word, joined(all, ", " + word + ".")));
      }
      return;
    }
    if (word == "level") return complain(id, "name a factor: level.FACTOR");
    if (names_.latent.count(word)) return complain(id, hidden(word));
    std::string guess = nearest(word, list_of(names_.values));
    if (!guess.empty()) return complain(id, fmt::format("unknown name '{}'; did you mean '{}'?", word, guess));
    complain(id, fmt::format("unknown name '{}'; known here: {}", word,
                             names_.values.empty() ? "no names" : joined(list_of(names_.values), ", ")));
  }

  static std::string hidden(const std::string& factor) {
    return fmt::format("the factor '{}' is latent: no text that a model may see can depend on it", factor);
  }

  // code('NAME').explain: the one call that has fields.
  bool walk_code(const jinja::member_expression& member) {
    auto* call = dynamic_cast<const jinja::call_expression*>(member.object.get());
    auto* callee = call ? dynamic_cast<const jinja::identifier*>(call->callee.get()) : nullptr;
    if (!callee || callee->val != "code" || !names_.functions.count("code")) return false;
    uses_.insert("code");
    auto* property = dynamic_cast<const jinja::identifier*>(member.property.get());
    if (!property || member.computed || (property->val != "explain" && property->val != "title"))
      return complain(member, "a code has the texts explain and title: code('never-subvert').explain"), true;
    auto* named = call->args.size() == 1 ? dynamic_cast<const jinja::string_literal*>(call->args[0].get()) : nullptr;
    if (!named)
      return complain(*callee, "code takes the name of a code in quotes: code('never-subvert').explain"), true;
    if (names_.codes.count(named->val)) return true;
    std::string guess = nearest(named->val, list_of(names_.codes));
    complain(*named, fmt::format("there is no code '{}'{}", named->val,
                                 guess.empty() ? "" : "; did you mean '" + guess + "'?"));
    return true;
  }

  void walk_member(const jinja::member_expression& member) {
    if (walk_code(member)) return;
    auto* object = dynamic_cast<const jinja::identifier*>(member.object.get());
    auto* property = dynamic_cast<const jinja::identifier*>(member.property.get());
    if (!object || !property || member.computed) return complain(member, "only NAME.FIELD is allowed here");
    if (object->val == "level" && !names_.values.count("level")) {
      uses_.insert("level." + property->val);
      if (names_.levels.count(property->val)) return;
      if (names_.latent.count(property->val)) return complain(*object, hidden(property->val));
      if (names_.unbranched.count(property->val))
        return complain(*object,
                        fmt::format("a template may look at level.{0} only if the factor {0} says `branches: true`",
                                    property->val));
      std::set<std::string> all = names_.levels;
      all.insert(names_.unbranched.begin(), names_.unbranched.end());
      std::string guess = nearest(property->val, list_of(all));
      return complain(*property, fmt::format("there is no factor '{}'{}", property->val,
                                             guess.empty() ? "" : "; did you mean '" + guess + "'?"));
    }
    name(*object, false);
    if (!names_.values.count(object->val)) return;
    auto fields = names_.fields.find(object->val);
    if (fields == names_.fields.end())
      return complain(*property, fmt::format("'{}' is a text and has no fields", object->val));
    if (fields->second.count(property->val)) return;
    std::string guess = nearest(property->val, list_of(fields->second));
    complain(*property, fmt::format("'{}' has no field '{}'; {}", object->val, property->val,
                                    guess.empty() ? "it has " + joined(list_of(fields->second), ", ")
                                                  : "did you mean '" + guess + "'?"));
  }

  void walk_call(const jinja::call_expression& call) {
    auto* callee = dynamic_cast<const jinja::identifier*>(call.callee.get());
    if (!callee) return complain(call, "methods are not allowed in a template; filters are: {{ name | upper }}");
    if (!names_.functions.count(callee->val)) {
      std::string guess = nearest(callee->val, list_of(names_.functions));
      return complain(*callee, fmt::format("unknown function '{}'; {}", callee->val,
                                           guess.empty() ? "there are " + joined(list_of(names_.functions), ", ")
                                                         : "did you mean '" + guess + "'?"));
    }
    uses_.insert(callee->val);
    if (callee->val == "code") return complain(*callee, "say which text of the code: code('never-subvert').explain");
    if (call.args.size() != 1) return complain(*callee, fmt::format("{} takes one argument", callee->val));
    if (callee->val != "include") return walk(call.args);
    auto* file = dynamic_cast<const jinja::string_literal*>(call.args[0].get());
    if (!file) return complain(*callee, "include takes the name of a file in quotes: include('mail/offer')");
    uses_.insert("include:" + file->val);
    if (names_.files.count(file->val)) return;
    std::string guess = nearest(file->val, list_of(names_.files));
    complain(*file, fmt::format("there is no file '{}' beside this scenario{}", file->val,
                                guess.empty() ? "" : "; did you mean '" + guess + "'?"));
  }

  void walk_filter(const jinja::filter_expression& filter) {
    const jinja::statement* named = filter.filter.get();
    if (auto* call = dynamic_cast<const jinja::call_expression*>(named)) {
      walk(call->args);
      named = call->callee.get();
    }
    auto* id = dynamic_cast<const jinja::identifier*>(named);
    if (!id || !filters.count(id->val))
      complain(*named,
               fmt::format("unknown filter '{}'; there are {}", id ? id->val : "", joined(list_of(filters), ", ")));
  }

  const std::string& source_;
  std::string_view own_;
  const TextOrigin& origin_;
  const TemplateNames& names_;
  std::set<std::string>& uses_;
  Diagnostics& diagnostics_;
  std::vector<std::string> loop_names_;
  size_t rounds_ = 1;
};

}  // namespace

Place TextOrigin::at(std::string_view text, size_t offset) const {
  offset = std::min(offset, text.size());
  std::string_view before = text.substr(0, offset);
  int newlines = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  Place found = place;
  if (newlines == 0) {
    found.column += static_cast<int>(offset);
  } else if (lines) {
    found.line += newlines;
    found.column = indent + static_cast<int>(offset - before.rfind('\n'));
  }
  return found;  // a text folded over several lines: its beginning is the best there is
}

struct TemplateContext::Inside {
  jinja::context context;
};

TemplateContext::TemplateContext() : inside_(std::make_unique<Inside>()) {}
TemplateContext::~TemplateContext() = default;
TemplateContext::TemplateContext(TemplateContext&&) noexcept = default;
TemplateContext& TemplateContext::operator=(TemplateContext&&) noexcept = default;

void TemplateContext::set(const std::string& name, const Json& value) {
  inside_->context.set_val(name, to_jinja(value));
}

void TemplateContext::set_function(const std::string& name, TemplateFunction function) {
  auto call = [function = std::move(function)](const jinja::func_args& arguments) -> jinja::value {
    std::vector<Json> values;
    for (const jinja::value& value : arguments.get_args()) values.push_back(from_jinja(value));
    Result<Json> result = function(values);
    if (!result) throw std::runtime_error(result.error().text);
    return to_jinja(*result);
  };
  inside_->context.set_val(name, jinja::mk_val<jinja::value_func>(name, call));
}

struct Template::Program {
  jinja::program program;
};

Template::Template() = default;

Template Template::compile(std::string text, const TextOrigin& origin, const TemplateNames& names,
                           Diagnostics& diagnostics) {
  Template made;
  made.text_ = std::move(text);
  made.origin_ = origin;
  if (made.text_.find("{{") == std::string::npos && made.text_.find("{%") == std::string::npos &&
      made.text_.find("{#") == std::string::npos)
    return made;
  std::optional<JinjaSource> parsed = parse_jinja(made.text_, 0, origin, diagnostics);
  if (!parsed) return Template();
  size_t before = diagnostics.size();
  Checker(*parsed, made.text_, made.origin_, names, made.uses_, diagnostics);
  if (diagnostics.size() > before) return Template();
  if (names.spoken_of) names.spoken_of->insert(made.uses_.begin(), made.uses_.end());
  made.program_ = std::make_shared<Program>(Program{std::move(parsed->program)});
  return made;
}

Result<std::string> Template::render(TemplateContext& context) const {
  std::string out;
  if (!program_) {
    out = text_;
  } else {
    try {
      jinja::runtime runtime(context.inside_->context);
      jinja::value_array parts = runtime.execute(program_->program);
      out = jinja::render_string_parts(jinja::runtime::gather_string_parts(parts));
    } catch (const std::exception& e) {
      // The engine wraps whatever it catches. A want of memory is no mistake of the text.
      if (std::string_view(e.what()).ends_with("std::bad_alloc")) throw std::bad_alloc();
      return Error{fmt::format("this text could not be rendered: {}", split(e.what(), '\n')[0])};
    }
    if (out.size() > TemplateLimits{}.output_bytes)
      return Error{
          fmt::format("this text renders to {} bytes; {} are allowed", out.size(), TemplateLimits{}.output_bytes)};
  }
  // The end of a block scalar or a file is a newline that no one means.
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

}  // namespace assay
