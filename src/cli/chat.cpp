#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/design.h"
#include "cli/interrupt.h"
#include "cli/scene.h"
#include "cli/typed.h"
#include "grade/grade.h"
#include "model/open.h"
#include "report/transcript.h"
#include "report/world_text.h"
#include "run/conversation.h"
#include "scenario/yaml.h"

namespace assay {
namespace {

struct Options {
  SceneChoice scene;
  std::string model, file, variants = "train", prelude = "model", seed = "1";
  bool names_prelude = false;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class Chat {
 public:
  Chat(const Scene& scene, Model& model, Output& out)
      : scene_(scene),
        out_(out),
        pen_(out.style()),
        talk_(scene.spec, scene.situation, scene.start, scene.script, model) {
    record_.scenario = scene.spec.scenario->name;
    record_.model = scene.spec.model;
    record_.cell = scene.spec.cell.index;
    record_.epoch = scene.spec.epoch;
    record_.levels = scene.situation.levels;
    record_.drawn = scene.surface->drawn();
  }

  // Until the user leaves. False: the model failed, and nobody was there to say something else.
  bool run() {
    const auto begun = std::chrono::steady_clock::now();
    head();
    bool fine = true;
    while (fine && !gone_ && !stop_ && !episode().finished()) fine = turn();
    if (fine) record_.transcript = talk_.leave();
    record_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    return fine;
  }
  EpisodeRecord& record() { return record_; }
  bool said_anything() const { return record_.transcript.messages.size() > said_before_; }

 private:
  const Episode& episode() const { return talk_.episode(); }
  int columns() const { return out_.style().columns(); }
  bool seen_by_somebody() const { return typed_.at_terminal() && out_.to_terminal(); }

  void field(std::string_view name, const std::string& value) {
    constexpr int label = 9;
    bool first = true;
    for (const std::string& row : wrapped(one_line(value), columns() - label)) {
      out_.print(pen_.dim(left(first ? name : "", label)) + row + "\n");
      first = false;
    }
  }

  // Said beside the conversation.
  void aside(const std::string& words) {
    for (const std::string& row : wrapped(words, columns() - 9)) out_.print(pen_.dim("       ┊ " + row) + "\n");
  }

  void head() {
    out_.print(pen_.bold(fmt::format("Chat · {} · epoch {}", one_line(record_.scenario), record_.epoch)) + "\n");
    field("model", record_.model);
    field("cell", cell());
    std::vector<std::string> names;
    for (const ToolSpec& tool : episode().world().tools()) names.push_back(tool.name);
    field("tools", joined(names, ", "));
    field("world", state_line(episode().world().state()));
    if (seen_by_somebody())
      field("you",
            "are the user. An empty line says what the scenario’s own user would say, where that is shown. "
            "/world, /tools, /undo, /quit; a line that begins with // is said with one /.");
    out_.print("\n");
    show_new();
    said_before_ = shown_;
  }

  // Every factor, whether the default grid crosses it or not.
  std::string cell() const {
    std::vector<std::string> parts;
    for (const Factor& factor : scene_.spec.scenario->factors)
      parts.push_back(factor.name + "=" + record_.levels.at(factor.name));
    return joined(parts, " ");
  }

  // What has been said and done since it was last shown. The user's own words stand on a terminal already.
  void show_new(bool without_first = false) {
    record_.transcript = episode().transcript();
    if (without_first) ++shown_;
    out_.print(messages_text(record_, shown_, out_.style()));
    shown_ = record_.transcript.messages.size();
    out_.flush();
  }

  // One line of the user's, and all that the agent does about it. False: the model failed for good.
  bool turn() {
    const std::string* offered = episode().offered();
    if (offered && seen_by_somebody()) aside("an empty line says: " + one_line(*offered));
    if (seen_by_somebody()) out_.print(pen_.in("36", "  user") + pen_.dim(" │ "));
    out_.flush();
    std::string line;
    switch (typed_.next(line)) {
      case Typed::Kind::end:
        if (seen_by_somebody()) out_.print("\n");
        gone_ = true;
        return true;
      case Typed::Kind::too_long:
        out_.note(fmt::format("assay: a line of more than {} bytes was left out\n", longest_typed));
        return true;
      case Typed::Kind::line: break;
    }
    const std::string word(trimmed(line));
    if (word.starts_with('/') && !word.starts_with("//")) {
      command(word);
      return true;
    }
    if (word.empty()) {
      if (offered && seen_by_somebody())
        out_.print_exact("\x1b[1A\r\x1b[K");  // the words come in place of the empty line
      if (offered) return say(*offered, false);
      if (seen_by_somebody()) aside("the scenario’s user has nothing more to say");
      return true;
    }
    return say(word.starts_with("//") ? word.substr(1) : word, seen_by_somebody());
  }

  bool say(std::string text, bool stands_there) {
    const size_t before = shown_;
    talk_.hear(std::move(text));
    show_new(stands_there);
    while (episode().next() && !stop_) {
      if (Status answered = wait(); !answered) return failed(answered.error(), before);
      show_new();
    }
    if (!episode().reached().empty())
      aside(fmt::format("the limit of {} was reached: the agent was stopped here", episode().reached()));
    return true;
  }

  Status wait() {
    if (seen_by_somebody()) {
      out_.print(pen_.dim(" agent │ …"));
      out_.flush();
    }
    Status answered = talk_.step();
    if (seen_by_somebody()) out_.print_exact("\r\x1b[K");
    return answered;
  }

  // At a terminal the turn is taken back and another can be tried; else it is over.
  bool failed(const Error& error, size_t before) {
    out_.note(fmt::format("assay: {}: {}\n", one_line(record_.model), one_line(error.text)));
    if (!seen_by_somebody()) {
      record_.transcript = talk_.fail(error);
      return false;
    }
    talk_.undo();
    shown_ = before;
    out_.note("assay: your last turn is taken back\n");
    return true;
  }

  void command(const std::string& word) {
    static const std::vector<std::string> known = {"/world", "/tools", "/undo", "/quit"};
    if (word == "/world") {
      out_.print(state_text(episode().world().state(), out_.style()));
    } else if (word == "/tools") {
      out_.print(tools_text(episode().world().tools(), out_.style()));
    } else if (word == "/undo") {
      undo();
    } else if (word == "/quit") {
      gone_ = true;
    } else {
      out_.note(fmt::format("assay: there is no {}; {}\n", clipped(one_line(word), 40), guess(word, known)));
    }
  }

  void undo() {
    const std::optional<std::string> said = talk_.undo();
    record_.transcript = episode().transcript();
    shown_ = record_.transcript.messages.size();
    aside(said ? clipped("taken back: " + one_line(*said), columns() - 9) : "nothing has been said yet");
  }

  const Scene& scene_;
  Output& out_;
  Pen pen_;
  const std::atomic<bool>& stop_ = stop_on_signal();
  Typed typed_{stop_};
  Conversation talk_;
  EpisodeRecord record_;
  size_t shown_ = 0, said_before_ = 0;  // messages; of those, what stood there before anybody spoke
  bool gone_ = false;
};

// Never over a file that is there: what was said in another chat is not to be lost.
Result<File> new_file(const std::string& path) {
  File file(std::fopen(path.c_str(), "wx"));
  if (file) return file;
  return Error{errno == EEXIST ? fmt::format("-o: {} is there already; name a file that is not", path)
                               : fmt::format("-o: {} cannot be written: {}", path, std::strerror(errno))};
}

bool write(File file, const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  return std::fclose(file.release()) == 0 && written;
}

int chat(const Options& options, Output& out) {
  hold_standard_input();
  SceneChoice choice = options.scene;
  choice.design.seed = std::stoull(options.seed);  // is_seed has looked at it
  choice.design.variants = options.variants == "train"      ? VariantPool::train
                           : options.variants == "held-out" ? VariantPool::held_out
                                                            : VariantPool::all;
  choice.design.prelude = options.prelude == "given" ? PreludeMode::given : PreludeMode::model;
  if (Status settled = settle_prelude({options.model}, options.names_prelude, choice.design); !settled)
    return fail(out, settled.error());
  Scene scene;
  if (Status set = set_scene(choice, scene); !set) return fail(out, set.error());
  Result<OpenedModel> opened = open_model(options.model, scene.suite);
  if (!opened) return fail(out, opened.error());
  if (Status ready = cast(*opened->model, scene); !ready) return fail(out, ready.error());
  File file;
  if (!options.file.empty()) {
    Result<File> made = new_file(options.file);
    if (!made) return fail(out, made.error());
    file = *std::move(made);
  }

  Chat chat(scene, *opened->model, out);
  const bool fine = chat.run();
  EpisodeRecord& record = chat.record();
  if (chat.said_anything()) {
    record.grades = grade(record.transcript, scene.situation, *scene.spec.scenario, scene.suite.codes);
    out.print(findings_text(record, out.style()));
    if (record.transcript.outcome.kind == Outcome::Kind::error && fine)
      out.note(fmt::format("assay: {}\n", one_line(record.transcript.outcome.text)));
  } else {
    out.print("Nothing was said, so there is nothing to grade. An empty line takes the scenario’s own turn.\n");
  }
  if (file) {
    Json line = {{"suite", scene.suite.name},
                 {"suite_sha256", scene.suite.hash},
                 {"seed", scene.spec.design.seed},
                 {"variants", name_of(scene.spec.design.variants)},
                 {"prelude", name_of(scene.spec.design.prelude)}};
    line.update(to_json(record));
    if (!write(std::move(file), to_line(line) + "\n"))
      return fail(out, Error{fmt::format("{} could not be written whole: {}", options.file, std::strerror(errno)),
                             ErrorKind::unfinished});
  }
  return fine ? exit_done : exit_unfinished;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "who plays the agent, as run -m takes it")->required();
  app.add_option("--scenario", o->scene.scenario, "a scenario's file, or a suite of one scenario")
      ->required()
      ->type_name("FILE");
  app.add_option("--cell", o->scene.cell, "levels that are not the first: threat=replacement,...")
      ->type_name("F=L,...")
      ->allow_extra_args(false);
  app.add_option("--epoch", o->scene.epoch, "whose surface it has: names, dates, wordings (0)")
      ->type_name("N")
      ->check(CLI::Range(0, 999'999));
  app.add_option("-s,--seed", o->seed, "of everything that is drawn (1)")->type_name("S")->check(is_seed);
  app.add_option("--variants", o->variants, "surface values: train, held-out, all (train)")
      ->type_name("SET")
      ->check(CLI::IsMember({"train", "held-out", "all"}));
  const CLI::Option* prelude =
      app.add_option("--prelude", o->prelude, "model: it looks around itself; given: it has (model)")
          ->type_name("MODE")
          ->check(CLI::IsMember({"model", "given"}));
  app.add_option("-o,--output", o->file, "keep it here, as show --json prints an episode")->type_name("FILE");
  app.add_flag("--allow-exec", o->scene.programs, "let the suite's own programs run");
  return [o, prelude](Output& out) {
    o->names_prelude = prelude->count() > 0;
    return chat(*o, out);
  };
}

std::string more() {
  return "You type the user's turns, or a pipe holds one a line. An empty line says the\n"
         "scenario's own; /world, /tools, /undo, /quit are no turns; Ctrl-D ends it.\n"
         "The scenario's limits count from each of your turns.\n";
}

}  // namespace

const Command chat_command = {"chat", "sit in the user's chair of one cell, with its tools and world",
                              "assay chat gguf:model.gguf --scenario suites/first/desk.yaml", declare, more};

}  // namespace assay
