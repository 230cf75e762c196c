#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/olean.h"
#include "cli/progress.h"

namespace assay {
namespace {

struct Options {
  std::vector<std::string> files, limits;
  bool kinds = false, escape = false, null = false, json = false, sort = false, no_internal = false, module = false;
  bool folders = false, with_filename = false, quiet = false;
  std::string match;
};

// What holds for the whole list of files.
struct Lists {
  const Options& options;
  OleanLimits limits;
  bool several = false;  // files
  size_t listed = 0;     // of them so far
  size_t private_beside = 0;
};

olean::ListOptions list_options(const Lists& lists, const std::string& file, const Output& out) {
  const Options& o = lists.options;
  olean::ListOptions list;
  list.style = o.json ? olean::Style::json : o.escape ? olean::Style::escaped : olean::Style::plain;
  list.escaped_in_json = o.escape;
  list.kinds = o.kinds;
  list.sorted = o.sort;
  list.internal = !o.no_internal;
  list.end = o.null ? '\0' : '\n';
  list.where = shown_on(out);
  if (o.null && !out.to_terminal()) list.where = olean::Shown::exact;
  if (o.json ? lists.several || o.with_filename : o.with_filename) list.file = o.json ? file : olean::shown_name(file);
  list.limits = lists.limits.name;
  list.most_output = lists.limits.output;
  if (!o.match.empty()) list.wanted = [&o](std::string_view name) { return matches_glob(o.match, name, true); };
  return list;
}

// The modules whose names are listed: the file's own, or all parts, the private one first, as it has the true kinds.
Result<std::vector<olean::Module>> modules_of(const olean::ModuleFiles& files, bool all) {
  std::vector<olean::Module> modules;
  for (size_t i = files.space.parts().size(); i-- > 0;) {
    if (!all && i != files.own) continue;
    Result<olean::Module> module = olean::read_module(files.space, i);
    if (!module) return Error{fmt::format("{} {}", files.space[i].name, module.error().text)};
    modules.push_back(*module);
  }
  return modules;
}

Status list(const std::string& file, Lists& lists, Output& out) {
  const Options& o = lists.options;
  Result<olean::ModuleFiles> files =
      olean::open_module(file, o.module ? olean::Wanted::all : olean::Wanted::own, lists.limits.read);
  if (!files) return files.error();
  Result<std::vector<olean::Module>> modules = modules_of(*files, o.module);
  if (!modules) return modules.error();

  const std::string name = olean::shown_name(file);
  const bool headed = lists.several && !o.with_filename && !o.json && !o.null;
  if (headed) out.print_exact(fmt::format("{}{}:\n", lists.listed > 0 ? "\n" : "", name));
  ++lists.listed;
  olean::Listing listing(files->space, *modules, list_options(lists, file, out));
  std::string text;
  for (bool more = true; more; text.clear()) {
    more = listing.fill(text);
    if (out.to_terminal())
      out.print(text);
    else
      out.print_exact(text);
  }

  const int part = olean::part_of_name(file);
  if (!o.module && part < 2 && files->private_beside) {
    if (!lists.several && !o.quiet)
      note_of_file(out, name,
                   "warning: its private part lies beside it and has constants that this part hides; "
                   "--module lists those, too");
    ++lists.private_beside;
  } else if (part < 2 && !files->private_beside && modules->front().is_module.value_or(false) && !o.quiet) {
    note_of_file(out, name,
                 "warning: only the public part of a module: what is private is not in it, and kinds may say axiom");
  }
  if (listing.wrong_hashes() > 0 && !o.quiet)
    note_of_file(out, name,
                 fmt::format("warning: {} with a hash that does not fit; the first at {}",
                             plural(static_cast<int64_t>(listing.wrong_hashes()), "name"), listing.first_wrong_hash()));
  if (Status whole = files->whole(); !whole) return whole;
  if (listing.fault_count() == 0) return Done{};
  std::vector<std::string> lines;
  for (const std::string& fault : listing.faults()) lines.push_back(fmt::format("{}: error: {}", name, fault));
  if (const uint64_t rest = listing.fault_count() - listing.faults().size(); rest > 0)
    lines.push_back(fmt::format("{}: error: and {} more", name, rest));
  return Error{joined(lines, "\n") + "\n"};
}

int names(const Options& options, Output& out) {
  Result<std::vector<std::string>> files = olean_paths(options.files, options.folders, false);
  if (!files) return fail(out, files.error());
  Result<OleanLimits> limits = olean_limits(options.limits);
  if (!limits) return fail(out, limits.error());
  if (files->empty()) return fail(out, Error{"there is no .olean file in what was given"});

  Lists lists{options, *limits, files->size() > 1 || options.folders};
  Progress progress(out, static_cast<int64_t>(files->size()), options.quiet || files->size() < 10);
  int code = exit_done;
  int64_t done = 0;
  for (const std::string& file : *files) {
    if (out.to_terminal()) progress.clear();  // names come where the bar is
    if (Status listed = list(file, lists, out); !listed) {
      progress.clear();
      code = fail(out, listed.error());
    }
    progress.show({.done = ++done, .total = static_cast<int64_t>(files->size())});
  }
  progress.clear();
  if (lists.several && lists.private_beside > 0 && !options.quiet)
    out.note(
        fmt::format("assay: warning: {} of {} have a private part beside them; --module lists its constants, too\n",
                    lists.private_beside, plural(static_cast<int64_t>(files->size()), "file")));
  return code;
}

std::function<int(Output&)> declare(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->files, "an .olean file; - is standard input")->required();
  app.add_flag("-k,--kinds", o->kinds, "the kind of each constant, and a tab, before its name");
  app.add_flag("-e,--escape", o->escape, "names as Lean writes them, with «»");
  auto* null = app.add_flag("-0,--null", o->null, "exact bytes, and a NUL after each name");
  app.add_flag("--json", o->json, "a JSON object a line: name, kind, components")->excludes(null);
  app.add_flag("--sort", o->sort, "by the bytes of the names; else as stored");
  app.add_flag("--no-internal", o->no_internal, "without names that have an _ in front of a component");
  app.add_option("--match", o->match, "only names that match it; * is any text")->type_name("GLOB");
  app.add_flag("--module", o->module, "of all parts of the module: .olean, .server, .private");
  app.add_flag("-r,--recursive", o->folders, "look for .olean files in folders");
  app.add_flag("-H,--with-filename", o->with_filename, "the file, and a tab, before each name");
  add_limit_option(app, o->limits);
  app.add_flag("-q,--quiet", o->quiet, "no warnings, no progress");
  return [o](Output& out) {
    if (o->json) o->kinds = true;
    return names(*o, out);
  };
}

}  // namespace

const Command olean_names_command = {"olean names", "list the names of the constants that files define",
                                     "assay olean names -k -e Main.olean\n"
                                     "assay olean names --module --match 'Nat.*' Nat.olean",
                                     declare};

}  // namespace assay
