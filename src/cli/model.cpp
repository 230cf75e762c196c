#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/reading.h"
#include "cli/suite.h"
#include "model/gguf/gguf_options.h"
#include "model/open.h"
#include "run/runner.h"

namespace assay {
namespace {

struct Options {
  std::string model, suite, text;
  int top = 0;
  bool programs = false, json = false, whole_template = false, list_options = false;
};

// What the model says to the openings of a suite's episodes.
struct Openings {
  PreludeMode prelude = PreludeMode::model;
  int64_t asked = 0;
  std::optional<int64_t> longest = {};  // tokens; none: it counts none
  std::string where = {};               // the scenario and cell of the longest
  int64_t refused = 0;
  std::string why = {};  // the first refusal
};

Result<Openings> openings(const Suite& suite, Model& model, PreludeMode prelude) {
  Openings out{.prelude = prelude};
  const Plan plan(suite, {.prelude = prelude}, model.id());
  Status visited = each_opening(plan, [&](const Request& opening) -> Status {
    ++out.asked;
    if (model.plays(*opening.spec)) return Done{};
    Result<std::optional<int64_t>> tokens = model.check(opening);
    if (!tokens) {
      if (++out.refused == 1) out.why = tokens.error().text;
    } else if (*tokens && **tokens > out.longest.value_or(-1)) {
      out.longest = **tokens;
      out.where = fmt::format("{}, {}", opening.spec->scenario->name, opening.spec->cell_name());
    }
    return Done{};
  });
  if (!visited) return visited.error();
  return out;
}

Json to_json(const Openings& openings) {
  return {{"prelude", name_of(openings.prelude)},
          {"openings", openings.asked},
          {"longest_tokens", openings.longest ? Json(*openings.longest) : Json()},
          {"longest_in", openings.where.empty() ? Json() : Json(valid_utf8(openings.where))},
          {"refused", openings.refused},
          {"because", openings.why.empty() ? Json() : Json(valid_utf8(openings.why))}};
}

std::string size_text(int64_t bytes) {
  static constexpr const char* units[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return plural(bytes, "byte");
  double size = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < std::size(units); ++unit) size /= 1000;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

// Names on the left, what there is to say of them on the right.
class Page {
 public:
  explicit Page(const Style& style) : pen_(style), columns_(style.columns()) {}

  void title(const std::string& text) { out_ += pen_.bold(clipped(one_line(text), columns_)) + "\n"; }
  void words(std::string_view text) {
    for (const std::string& row : wrapped(one_line(text), columns_)) out_ += row + "\n";
  }
  void section(const std::string& name) { out_ += "\n" + pen_.bold(name) + "\n"; }

  // Nothing is said where there is nothing to say.
  void field(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    bool first = true;
    for (const std::string& row : wrapped(one_line(value), columns_ - margin - label)) {
      out_ += std::string(margin, ' ') + pen_.dim(left(first ? name : "", label)) + row + "\n";
      first = false;
    }
  }

  // A text of several lines, its first `most`, below a field.
  void lines(std::string_view text, int most) {
    int shown = 0;
    const std::vector<std::string> all = split(trimmed(for_terminal(text)), '\n');
    for (const std::string& line : all) {
      if (shown++ == most) {
        out_ += pen_.dim(std::string(2 * margin, ' ') + "…") + "\n";
        return;
      }
      out_ += pen_.dim(std::string(2 * margin, ' ') + clipped(one_line(line), columns_ - 2 * margin)) + "\n";
    }
  }

  std::string take() { return std::move(out_); }

 private:
  static constexpr int margin = 2, label = 15;
  Pen pen_;
  int columns_;
  std::string out_;
};

std::string file_text(const ModelCard::File& file) {
  return file.name + (file.bytes ? ", " + size_text(*file.bytes) : "");
}

std::string tokens_text(const ModelCard& card) {
  std::vector<std::string> parts;
  auto add = [&](const char* name, const std::optional<ModelCard::Token>& token) {
    parts.push_back(token ? fmt::format("{} {} ({})", name, token->text, token->id) : fmt::format("{} none", name));
  };
  if (!card.vocabulary) return "";
  add("BOS", card.bos), add("EOS", card.eos), add("EOT", card.eot);
  return joined(parts, ", ");
}

std::string yes_or_no(const std::optional<bool>& value, const char* yes, const char* no) {
  return value ? *value ? yes : no : "";
}

std::string thoughts_text(const ModelCard& card) {
  if (!card.thinks) return "";
  if (!*card.thinks) return "its template tells no thoughts from words";
  if (!card.thoughts || card.thoughts->begin.empty()) return "told from words, and never counted as acts";
  return fmt::format("between {} and {}; never counted as acts", card.thoughts->begin, card.thoughts->end);
}

void what_it_is(const ModelCard& card, Page& page) {
  page.section("what it is");
  page.field("name", card.name);
  std::string architecture = card.architecture;
  if (card.parameters) architecture += ", " + plural(*card.parameters, "parameter");
  if (card.layers) architecture += ", " + plural(*card.layers, "layer");
  page.field("architecture", architecture);
  page.field("memory", card.memory);
  page.field("quantisation", card.quantisation);
  if (card.file) {
    page.field("file", file_text(*card.file));
    page.field("sha256", card.file->sha256);
  }
  if (card.adapter) {
    page.field("adapter", fmt::format("{}, scale {}", file_text(card.adapter->file), card.adapter->scale));
    page.field("  its sha256", card.adapter->file.sha256);
  }
  if (card.vocabulary) page.field("vocabulary", plural(*card.vocabulary, "token"));
  page.field("marks", tokens_text(card));
  if (card.trained_context) page.field("context", fmt::format("trained on {}", plural(*card.trained_context, "token")));
  page.field("system role",
             yes_or_no(card.system_role, "yes", "none: the system text stands in the user's first turn"));
  page.field("thoughts", thoughts_text(card));
  if (card.chat_template) {
    page.field("chat template", fmt::format("{}; --template prints it whole",
                                            plural(static_cast<int64_t>(card.chat_template->size()), "byte")));
    page.lines(*card.chat_template, 3);
  }
}

void what_is_done_with_it(const ModelCard& card, Page& page) {
  page.section("what assay will do with it");
  page.field("tools", card.tool_format.empty() ? "called directly: no text is read"
                                               : fmt::format("{}: {}", card.tool_format, card.why_format));
  if (card.constrainable)
    page.field("grammar", *card.constrained     ? "on: every call can be read"
                          : *card.constrainable ? "off; grammar=on holds calls to what can be read"
                                                : "none: its format has no grammar");
  if (card.context) page.field("context", plural(*card.context, "token") + " a conversation, at most");
  page.field("mode", card.mode == "exact" ? "exact: to the bit the same whatever is computed beside it" : card.mode);
  if (card.threads) page.field("threads", fmt::format("{}", *card.threads));
  if (card.sequences) page.field("conversations", fmt::format("{} at once, at most", *card.sequences));
  if (card.held_tokens)
    page.field("keys, values",
               fmt::format("{} for {}", size_text(*card.held_bytes), plural(*card.held_tokens, "token")));
  page.field("logprobs", card.logprobs ? "yes" : "no");
}

void how_a_suite_begins(const std::string& suite, const std::vector<Openings>& all, Page& page) {
  page.section("the openings of " + one_line(suite));
  for (const Openings& one : all) {
    const char* name = one.prelude == PreludeMode::given ? "prelude given" : "first prompt";
    if (one.refused > 0)
      page.field(name,
                 fmt::format("{} of {} cannot be answered: {}", counted(one.refused), counted(one.asked), one.why));
    else if (one.longest)
      page.field(name, fmt::format("fits: {} at most ({})", plural(*one.longest, "token"), one.where));
    else
      page.field(name, fmt::format("all {} can be answered; it counts no tokens", counted(one.asked)));
  }
}

int list_options(Output& out) {
  Page page(out.style());
  page.words("gguf:PATH?NAME=VALUE&NAME=VALUE... takes these. In a shell, put quotes around it.");
  for (const GgufOptionHelp& option : gguf_options_help()) {
    page.section(fmt::format("{}={}", option.key, option.value));
    page.words(option.help + ".");
  }
  out.print(page.take());
  return exit_done;
}

int model(const Options& options, Output& out) {
  if (options.list_options) return list_options(out);
  if (options.model.empty()) {
    out.note("assay model: MODEL is required\nassay model --help shows how it is used.\n");
    return exit_bad_input;
  }
  Suite suite;
  if (!options.suite.empty()) {
    Result<ProvenSuite> proven = prove_folder(options.suite, {}, options.programs);
    if (!proven) return fail(out, proven.error());
    suite = std::move(proven->suite);
  }
  Result<OpenedModel> opened = open_model(options.model, suite);
  if (!opened) return fail(out, opened.error());
  Model& model = *opened->model;
  const ModelCard card = model.card();
  if (options.whole_template) {
    if (!card.chat_template) return fail(out, Error{fmt::format("{} has no chat template.", card.id)});
    const std::string shown = for_terminal(*card.chat_template);
    out.print(shown + (shown.ends_with('\n') ? "" : "\n"));
    return exit_done;
  }

  if (!options.text.empty()) return read_text(model, options.text, options.top, options.json, out);

  std::vector<Openings> asked;
  if (!options.suite.empty())
    for (PreludeMode prelude : {PreludeMode::model, PreludeMode::given}) {
      Result<Openings> one = openings(suite, model, prelude);
      if (!one) return fail(out, one.error());
      asked.push_back(*std::move(one));
    }
  if (options.json) {
    Json json = to_json(card);
    json["suite"] = nullptr;
    if (!options.suite.empty()) {
      json["suite"] = {{"name", suite.name}, {"sha256", suite.hash}, {"openings", Json::array()}};
      for (const Openings& one : asked) json["suite"]["openings"].push_back(to_json(one));
    }
    out.print_exact(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } else {
    Page page(out.style());
    page.title(card.id);
    page.words(card.what);
    what_it_is(card, page);
    what_is_done_with_it(card, page);
    if (!asked.empty()) how_a_suite_begins(options.suite, asked, page);
    out.print(page.take());
  }
  for (const Openings& one : asked)
    if (one.refused > 0) return exit_check_failed;
  return exit_done;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "as run takes it: gguf:PATH, policy:FILE, ...");
  auto* suite =
      app.add_option("--suite", o->suite, "do this suite's openings fit? exit code 1: no")->type_name("SUITE");
  app.add_flag("--allow-exec", o->programs, "let the suite's own programs run")->needs(suite);
  auto* json = app.add_flag("--json", o->json, "for programs: docs/models.md names the fields");
  auto* read =
      app.add_option("--read", o->text, "how likely it finds each token of a text")->type_name("FILE")->excludes(suite);
  app.add_option("--top", o->top, "with --read: and the K likeliest in its place")
      ->type_name("K")
      ->check(CLI::Range(0, 256))
      ->needs(read);
  app.add_flag("--template", o->whole_template, "its chat template, whole")
      ->excludes(json)
      ->excludes(suite)
      ->excludes(read);
  app.add_flag("--options", o->list_options, "what each option of a gguf model does");
  return [o](Output& out) { return model(*o, out); };
}

std::string more() {
  std::string out = "gguf:PATH?NAME=VALUE&...  understands\n", row;
  for (const GgufOptionHelp& option : gguf_options_help()) {
    const std::string word = (row.empty() ? "  " : ", ") + option.key;
    if (row.size() + word.size() > 76)
      out += row + ",\n", row = "  " + option.key;
    else
      row += word;
  }
  return out + row + "\n";
}

}  // namespace

const Command model_command = {"model", "show what a model is, and what assay will do with it",
                               "assay model gguf:model.gguf\n"
                               "assay model 'gguf:model.gguf?ctx=16384&mode=exact' --suite suites/first",
                               declare, more};

}  // namespace assay
