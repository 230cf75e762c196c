#include <fmt/format.h>

#include <memory>

#include "cli/command.h"
#include "report/list.h"
#include "report/run_suite.h"
#include "report/transcript.h"

namespace assay {
namespace {

struct Options {
  std::string file;
  int64_t episode = 0;  // 0: none was named
  bool all = false, json = false;
};

Status print_episode(const RunReader& run, int64_t id, const Suite& suite, bool json, Output& out) {
  Result<EpisodeRecord> record = run.episode(id);
  if (!record) return record.error();
  if (json) {
    Json line{{"id", id}};
    line.update(to_json(*record));
    out.print_exact(to_line(line) + "\n");
  } else {
    out.print(transcript_text(id, *record, suite.scenario(record->scenario), out.style()));
  }
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

Status show(const Options& options, Output& out) {
  Result<std::unique_ptr<RunReader>> run = RunReader::open(options.file);
  if (!run) return run.error();
  Result<Suite> suite = suite_of(**run);
  if (!suite) return suite.error();

  if (options.all) return print_all(**run, *suite, options.json, out);
  if (options.episode > 0) return print_episode(**run, options.episode, *suite, options.json, out);
  if (options.json) return list_episodes_json(**run, [&](std::string_view line) { out.print_exact(line); });
  return list_episodes(**run, *suite, out.style(), [&](std::string_view line) { out.print(line); });
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
  app.add_flag("-a,--all", o->all, "show every episode whole")->excludes(episode);
  app.add_flag("--json", o->json, "one line of JSON an episode");
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
