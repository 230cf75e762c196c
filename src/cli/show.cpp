#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "model/generic_tools.h"
#include "report/choice_text.h"
#include "report/list.h"
#include "report/run_suite.h"
#include "report/transcript.h"
#include "scenario/render.h"

namespace assay {
namespace {

struct Options {
  std::string file, code;
  int64_t episode = 0;  // 0: none was named
  bool all = false, json = false, prompt = false, choices = false;
};

bool has_generic_format(const RunReader& run, const std::string& model) {
  for (const ModelEntry& entry : run.models())
    if (entry.id == model)
      return entry.settings.is_object() && entry.settings.value("tool_format", Json()) == "generic";
  return false;
}

Status print_episode(const RunReader& run, int64_t id, const Suite& suite, bool json, Output& out) {
  Result<EpisodeRecord> record = run.episode(id);
  if (!record) return record.error();
  if (json) {
    Json line{{"id", id}};
    line.update(to_json(*record));
    out.print_exact(to_line(line) + "\n");
  } else {
    out.print(transcript_text(id, *record, suite.scenario(record->scenario), out.style()));
    if (has_generic_format(run, record->model))
      out.print(Pen(out.style()).dim("(its tools were told to it in text: --prompt shows that)") + "\n");
  }
  return Done{};
}

// What the model read before its first reply, where assay itself wrote the tools into it. It is not stored: the format
// is a function of the conversation and of the world's tools (generic_tools.h).
Status print_prompt(const RunReader& run, int64_t id, const Suite& suite, Output& out) {
  Result<EpisodeRecord> record = run.episode(id);
  if (!record) return record.error();
  if (!has_generic_format(run, record->model))
    return Error{fmt::format("{} was not told of its tools in the generic format, so there is no such text to show.",
                             record->model)};
  const Scenario* scenario = suite.scenario(record->scenario);
  const std::vector<Cell> cells = scenario ? grid(*scenario) : std::vector<Cell>();
  const auto cell = std::ranges::find(cells, record->cell, &Cell::index);
  if (cell == cells.end()) return Error{fmt::format("episode {} is of a cell that the suite does not have", id)};
  Result<Situation> situation = Surface(*scenario, run.registration().design, record->epoch).situation(*cell);
  if (!situation) return situation.error();

  std::vector<Message> messages = record->transcript.messages;
  if (const auto& replies = record->transcript.generations; !replies.empty())
    messages.resize(std::min(messages.size(), static_cast<size_t>(replies.front().message)));
  Pen pen(out.style());
  for (const Message& turn : generic_conversation(messages, situation->make_world()->tools(), {}))
    out.print(pen.dim(fmt::format("[{}]", name_of(turn.role))) + "\n" + for_terminal(turn.text) + "\n");
  return Done{};
}

Status print_all(const RunReader& run, const Suite& suite, bool json, Output& out) {
  std::vector<int64_t> ids;
  Status listed = run.each_summary([&](const EpisodeSummary& episode) { ids.push_back(episode.id); });
  if (!listed) return listed;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!json && i > 0) out.print("\n\n");
    if (Status printed = print_episode(run, ids[i], suite, json, out); !printed) return printed;
  }
  return Done{};
}

// A block each: the cell, and its alternatives from the likeliest down. Or a line of JSON.
Status print_choices(const RunReader& run, bool json, Output& out) {
  int64_t n = 0;
  Status read = run.each_choice([&](const ChoiceRecord& choice) {
    if (json) return out.print_exact(to_line(to_json(choice)) + "\n");
    out.print((n++ > 0 ? "\n" : "") + choice_text(choice, out.style()));
  });
  if (read && !json && n == 0) out.print("It holds no forced choice: assay run --readout choice makes them.\n");
  return read;
}

Status show(const Options& options, Output& out) {
  Result<std::unique_ptr<RunReader>> run = RunReader::open(options.file);
  if (!run) return run.error();
  Result<Suite> suite = suite_of(**run);
  if (!suite) return suite.error();

  if (options.choices) return print_choices(**run, options.json, out);
  if (options.all) return print_all(**run, *suite, options.json, out);
  if (options.prompt) return print_prompt(**run, options.episode, *suite, out);
  if (options.episode > 0) return print_episode(**run, options.episode, *suite, options.json, out);
  if (options.json) return list_episodes_json(**run, [&](std::string_view line) { out.print_exact(line); });
  if (Status known = check_code(*suite, options.code, options.file); !known) return known;
  return list_episodes(**run, *suite, options.code, out.style(), [&](std::string_view line) { out.print(line); });
}

std::string is_id(const std::string& text) {
  bool digits = !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
  return digits && text.find_first_not_of('0') != std::string::npos
             ? ""
             : fmt::format("'{}' is no number of an episode (1, 2, ...)", one_line(text));
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->file, "a run file")->required();
  CLI::Option* episode =
      app.add_option("EPISODE", o->episode, "show this one whole (its id in the list)")->check(is_id);
  CLI::Option* all = app.add_flag("-a,--all", o->all, "show every episode whole")->excludes(episode);
  CLI::Option* json = app.add_flag("--json", o->json, "one line of JSON an episode");
  app.add_option("--code", o->code, "in the list: verdicts under this code of conduct")
      ->type_name("NAME")
      ->excludes(episode)
      ->excludes(all)
      ->excludes(json);
  app.add_flag("--prompt", o->prompt, "with EPISODE: what the model read before its first reply")
      ->needs(episode)
      ->excludes(json);
  app.add_flag("--choices", o->choices, "forced choices (run --readout choice) instead of episodes")
      ->excludes(episode)
      ->excludes(all);
  return [o](Output& out) {
    Status shown = show(*o, out);
    return shown ? exit_done : fail(out, shown.error());
  };
}

}  // namespace

const Command show_command = {"show", "list the episodes of a run, or show one whole",
                              "assay show out.assay\nassay show out.assay 3\nassay show out.assay --all --json",
                              declare};

}  // namespace assay
